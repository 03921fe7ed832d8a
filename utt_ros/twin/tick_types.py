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

"""Records of a tick of a twin, in the order in which they are known."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from utt_ros.geometry.compass import HeadingEstimate
from utt_ros.motion.velocity import PositionObservations
from utt_ros.twin.filter_types import Estimate
from utt_ros.twin.model_service import PendingOutput
from utt_ros.types import FloatArray, Indices, MaskArray, Stamps, SyncedBatch, Windows


@dataclass(frozen=True, slots=True)
class TickPositions:
    """Positions of the S subjects of a tick whose position is known; area frame."""

    stamp_ns: int
    subjects: tuple[str, ...]  # S
    position: FloatArray  # (S, 2) [m]
    covariance: FloatArray  # (S, 2, 2) [m^2]


@dataclass(frozen=True, slots=True)
class LocatedTick:
    """A tick of S subjects after the particle filter."""

    positions: TickPositions
    batch: SyncedBatch
    windows: Windows  # of the S subjects, as they were measured
    observed: PositionObservations  # (S,) from boxes
    heading: HeadingEstimate  # (S,) of the phones
    estimate: Estimate
    known: Indices  # rows of the subjects in `positions`


@dataclass(frozen=True)
class PendingTick:
    """A tick of S subjects whose model output is pending."""

    located: LocatedTick
    frame: FloatArray  # (S,) direction of the heading frame [rad]
    framed: MaskArray  # (S,) true where that frame is known
    imu_rows: Indices  # (W,) rows of the subjects whose IMU is synthesized
    output: PendingOutput | None  # None without a model or subjects
    as_read: Callable[[Windows], Windows]  # converts windows to those that models read

    @cached_property
    def windows(self) -> Windows:
        """Windows of the S subjects as models read them."""
        return self.as_read(self.located.windows)


@dataclass(frozen=True, slots=True)
class TickPredictions:
    """Predictions at a tick for its S subjects whose position is known; area frame."""

    stamp_ns: int
    subjects: tuple[str, ...]  # S
    sources: tuple[str, ...]  # S, such as 'camera+ftm+imu'; 'memory' when nothing is fresh
    position: FloatArray  # (S, 2) [m]
    covariance: FloatArray  # (S, 2, 2) [m^2]
    velocity: FloatArray  # (S, 2) [m/s]
    trajectory: FloatArray  # (S, H, 2) [m] at the next H ticks
    trajectory_stamps_ns: Stamps  # (H,)
    imu_stamps_ns: Stamps  # (C,)
    # (S, C, 9) synthesized rows of this tick, from `TwinEngine.step`; None without a model, NaN
    # where they are implausible
    imu: FloatArray | None = None
    imu_mean: FloatArray | None = None  # (S, C, 9) decoded mean, without the gait


@dataclass(frozen=True, slots=True)
class TickImu:
    """Synthesized IMU of a tick, of the W subjects whose position is known and whose IMU is read.

    Rows are in the phone frame, with the magnetic field of the area's orientation.
    """

    subjects: tuple[str, ...]  # W
    rows: FloatArray  # (W, C, 9); NaN where they are implausible
    mean: FloatArray  # (W, C, 9) decoded mean, without the gait
    stamps_ns: Stamps  # (C,)
