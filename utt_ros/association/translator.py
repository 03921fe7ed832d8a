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

"""Protocol of a unified model that translates tracks and phones separately."""

from dataclasses import dataclass
from typing import Protocol

from utt_ros.types import FloatArray, MaskArray


@dataclass(frozen=True, slots=True)
class PhoneTranslation:
    """Velocity and boxes of N people, translated from windows of their phones."""

    velocity: FloatArray  # (N, 2) at the last tick, in the heading frame [m/s]
    velocity_std: FloatArray  # (N, 2)
    boxes: FloatArray  # (N, T, 5) CAMERA_CHANNELS


class Translator(Protocol):
    """Model that translates windows of `ticks` ticks between modalities."""

    @property
    def ticks(self) -> int:
        """Ticks T of a window."""

    def translate_phones(
        self, ftm: FloatArray, ftm_mask: MaskArray, imu: FloatArray, imu_mask: MaskArray,
        heading_valid: MaskArray,
    ) -> PhoneTranslation:
        """Translate ftm (N, T, 2) and imu (N, T * C, 9) with their masks; heading_valid (N,)."""

    def translate_tracks(self, boxes: FloatArray, mask: MaskArray) -> FloatArray:
        """Translate boxes (N, T, 5) with mask (N, T) to the expected FTM windows (N, T, 2)."""
