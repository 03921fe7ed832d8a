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

"""Choices of the viewer, which callbacks of the browser change from another thread."""

from dataclasses import dataclass, field

from utt_ros.types import CHANNELS

NOBODY = 'nobody'
NO_CAMERA = 'none'
FIRST_CHANNELS = {'camera': 2, 'ftm': 0, 'imu': 0}  # depth, range, acceleration across


@dataclass(slots=True)
class ViewChoices:
    """Content beside the scene: person, signals, camera, channels."""

    person: str = NOBODY
    signals: bool = False
    camera: str = NO_CAMERA  # namespace of the area whose picture is shown
    channels: dict[str, int] = field(default_factory=lambda: dict(FIRST_CHANNELS))

    def choose_channel(self, modality: str, name: str) -> None:
        """Set the channel of a modality that is plotted."""
        self.channels[modality] = CHANNELS[modality].index(name)
