"""Exceptions of the package; messages contain the value and the limit."""


class UttError(Exception):
    """Base class of all errors that utt_ros raises deliberately."""


class SettingsError(UttError, ValueError):
    """A setting is missing, unknown or outside its limits."""


class MeasurementError(UttError, ValueError):
    """A measurement has a wrong shape, is not finite or is outside the limits of its sensor."""


class SourceError(UttError):
    """A sensor cannot be opened or was lost; the message contains a remedy."""


class SessionError(UttError):
    """A recorded session cannot be read or written."""


class ModelError(UttError, ValueError):
    """Weights, a checkpoint or a model configuration are invalid or do not match."""


class UpdateRefused(UttError):
    """A model update is refused; the message names the area, the tensor and the limit."""
