"""Errors that name the value and the limit."""


class UttError(Exception):
    """Base of every error that utt_ros raises on purpose."""


class SettingsError(UttError, ValueError):
    """A setting is missing, unknown or outside its limits."""


class MeasurementError(UttError, ValueError):
    """A measurement has a wrong shape, is not finite or is outside what its sensor can deliver."""


class SourceError(UttError):
    """A sensor cannot be opened or is gone; the message says what to do about it."""


class SessionError(UttError):
    """A recorded session cannot be read or written."""


class ModelError(UttError, ValueError):
    """Weights, a checkpoint or a model configuration do not fit."""


class UpdateRefused(UttError):
    """A model update does not count; the message names the area, the tensor and the limit."""
