# Copyright 2026 The utt_ros maintainers
# SPDX-License-Identifier: Apache-2.0
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Exceptions of the package; messages contain the value and the limit."""


class UttError(Exception):
    """Base class of all errors that utt_ros raises deliberately."""


class SettingsError(UttError, ValueError):
    """A setting is missing, unknown or outside its limits."""


class DocumentError(UttError, ValueError):
    """A text is not JSON or YAML, or larger or more deeply nested than is allowed."""


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


class TwinError(UttError, ValueError):
    """A record of a task twin is invalid, or a request about one is refused."""


class NoAnswer(UttError):
    """No node answers a request in time; the message contains a remedy."""


class SignatureRefused(ModelError):
    """The sender of an update, a model or a graph is not proven by its signature."""
