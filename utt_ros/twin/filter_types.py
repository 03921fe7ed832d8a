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

"""Records that enter and leave the particle filter at a tick."""

from dataclasses import dataclass

from utt_ros.types import Array, FloatArray, MaskArray


@dataclass(frozen=True, slots=True)
class MotionPrior:
    """Predicted motion of subjects in the heading frame: x along the compass heading, y left."""

    heading: FloatArray  # (S,) [rad] area frame
    heading_valid: MaskArray  # (S,)
    velocity: FloatArray  # (S, 2) [m/s]
    velocity_std: FloatArray  # (S, 2) [m/s]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Filter estimates of a tick's S subjects; zeros where the position is not known."""

    known: MaskArray  # (S,) false before the first box or range
    position: FloatArray  # (S, 2) [m] area frame
    covariance: FloatArray  # (S, 2, 2) [m^2]
    velocity: FloatArray  # (S, 2) [m/s] area frame
    compass_error: FloatArray  # (S,) [rad]; true heading = compass heading + error
    age_s: dict[str, Array]  # per modality (S,): age of the last measurement; inf when none
