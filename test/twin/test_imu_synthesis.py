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

"""The synthesized IMU of a tick: rows in the area's orientation, with a gait that continues."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from utt_ros.settings import WindowSettings
from utt_ros.twin.imu_synthesis import ImuSynthesizer
from utt_ros.twin.onnx_model import ImuOutput
from utt_ros.twin.tick_types import TickImu

WINDOW, YAW = WindowSettings(), 0.5
NORTH_T, DOWN_T = 2e-5, -4e-5
LEVEL = np.array([0, 0, 9.81, 0, 0, 0, 0, NORTH_T, DOWN_T], np.float32)


def tick(*names: str, stamp_ns: int = 10**12, known: tuple[bool, ...] | None = None) -> Any:
    return SimpleNamespace(imu_rows=np.arange(len(names)), located=SimpleNamespace(
        batch=SimpleNamespace(stamp_ns=stamp_ns, subjects=names),
        estimate=SimpleNamespace(known=np.array(known or (True,) * len(names)))))


def synthesize(synthesizer: ImuSynthesizer, rms: float, *names: str, **where: Any) -> TickImu:
    count = len(names)
    output = ImuOutput(
        np.tile(LEVEL, (count, WINDOW.imu_rows, 1)), np.full(count, 2.0, np.float32),
        np.full((count, 6, 5), rms, np.float32))
    return synthesizer.synthesize(tick(*names, **where), output)


def test_the_field_is_turned_back_into_the_orientation_of_the_area() -> None:
    made = synthesize(ImuSynthesizer(WINDOW, 0.02, YAW), 0.0, 'ann')
    np.testing.assert_array_equal(made.rows, made.mean)
    np.testing.assert_allclose(made.rows[0, :, :6], np.tile(LEVEL[:6], (5, 1)), atol=1e-6)
    expected = [NORTH_T * np.sin(YAW), NORTH_T * np.cos(YAW), DOWN_T]
    np.testing.assert_allclose(made.rows[0, :, 6:], np.tile(expected, (5, 1)), rtol=1e-5)


def test_rows_end_by_the_lag_before_the_tick() -> None:
    made = synthesize(ImuSynthesizer(WINDOW, 0.03, YAW), 0.0, 'ann')
    assert (10**12 - made.stamps_ns).tolist() == [
        110_000_000, 90_000_000, 70_000_000, 50_000_000, 30_000_000]


def test_subjects_without_a_known_position_are_left_out_and_their_gait_goes_on() -> None:
    ours, other = (ImuSynthesizer(WINDOW, 0.02, YAW) for _ in range(2))
    made = synthesize(ours, 0.3, 'ann', 'bob', known=(True, False))
    synthesize(other, 0.3, 'ann', 'bob')
    assert made.subjects == ('ann',)
    assert made.rows.shape == made.mean.shape == (1, WINDOW.imu_rows, 9)
    later = 10**12 + 10**8
    np.testing.assert_array_equal(*(
        synthesize(item, 0.3, 'ann', 'bob', stamp_ns=later).rows for item in (ours, other)))


def test_a_gait_is_part_of_the_rows_and_not_of_their_mean() -> None:
    synthesizer = ImuSynthesizer(WINDOW, 0.02, YAW)
    made = [synthesize(synthesizer, 0.3, 'ann', stamp_ns=10**12 + number * 10**8)
            for number in range(100)]
    swing = np.concatenate([item.rows - item.mean for item in made])
    assert swing[..., :6].std() == pytest.approx(0.3 * np.sqrt(5), rel=0.15)
    assert not swing[..., 6:].any()
    synthesizer.reset()
    np.testing.assert_array_equal(synthesize(synthesizer, 0.3, 'ann').rows, made[0].rows)
