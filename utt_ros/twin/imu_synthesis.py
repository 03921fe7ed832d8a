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

"""Synthesized IMU of a tick: what the model decodes, in the area's orientation, with a gait."""

import numpy as np

from utt_ros.geometry.compass import rotate_magnetic_field
from utt_ros.motion.gait import INERTIAL_CHANNELS
from utt_ros.motion.gait_synthesis import GaitSynthesizer
from utt_ros.settings import WindowSettings
from utt_ros.twin.onnx_model import ImuOutput
from utt_ros.twin.tick_types import PendingTick, TickImu
from utt_ros.types import Stamps


class ImuSynthesizer:
    """Synthesizer of the IMU of an area's subjects, whose gaits continue between ticks."""

    def __init__(self, window: WindowSettings, lag_s: float, magnetic_yaw: float) -> None:
        """`lag_s`: of the newest row behind its tick."""
        self._row_s = window.period / window.imu_rows
        ages_s = lag_s + np.arange(window.imu_rows)[::-1] * self._row_s
        self._row_ages_ns = np.round(1e9 * ages_s).astype(np.int64)
        self._magnetic_yaw = magnetic_yaw
        self._gaits = GaitSynthesizer(window)

    def reset(self) -> None:
        """Forget all gaits."""
        self._gaits.reset()

    def stamps_ns(self, tick_ns: int) -> Stamps:
        """Return the stamps (C,) of the rows of a tick."""
        return np.asarray(tick_ns - self._row_ages_ns)

    def synthesize(self, tick: PendingTick, output: ImuOutput) -> TickImu:
        """Synthesize the IMU of a tick from the output for its subjects `imu_rows`."""
        located, measured = tick.located, np.ones(output.imu.shape[:2], bool)
        mean = rotate_magnetic_field(output.imu, measured, self._row_s, -self._magnetic_yaw)
        names = tuple(located.batch.subjects[row] for row in tick.imu_rows)
        rows = mean.copy()
        rows[..., :INERTIAL_CHANNELS] += self._gaits.synthesize(
            located.batch.stamp_ns, names, output.cadence, output.swing)
        known = np.flatnonzero(located.estimate.known[tick.imu_rows])
        return TickImu(
            tuple(names[row] for row in known), rows[known], mean[known],
            self.stamps_ns(located.batch.stamp_ns))
