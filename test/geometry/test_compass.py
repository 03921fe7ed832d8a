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

import numpy as np
import pytest

from utt_ros.geometry.compass import (
    causal_tick_headings,
    compass_heading,
    compass_headings,
    mirror_imu,
    rotate_magnetic_field,
    tick_headings,
    wrap_angle,
)

PERIOD_S = 0.02
FIELD_T = np.array([0.0, 28e-6, -35e-6])  # east, north, up


def rotation(axis: str, angle: np.ndarray | float) -> np.ndarray:
    """Rotations (..., 3, 3) about one axis, counter-clockwise."""
    first, second = {'x': (1, 2), 'y': (2, 0), 'z': (0, 1)}[axis]
    matrix = np.zeros((*np.shape(angle), 3, 3))
    matrix[..., range(3), range(3)] = 1
    matrix[..., first, first] = matrix[..., second, second] = np.cos(angle)
    matrix[..., second, first] = np.sin(angle)
    matrix[..., first, second] = -np.sin(angle)
    return matrix


def phone(heading: np.ndarray, tilt: float, roll: float = 0.0) -> np.ndarray:
    """Return IMU (1, R, 9) of a phone whose y axis points to `heading` (R,), lifted by `tilt`.

    Rotations take the phone frame to east, north, up.
    """
    attitude = rotation('z', heading - np.pi / 2) @ rotation('x', tilt) @ rotation('y', roll)
    to_phone = np.swapaxes(attitude, -1, -2)
    rate = np.gradient(heading, PERIOD_S)
    gyro = to_phone @ np.stack([0 * rate, 0 * rate, rate], axis=-1)[..., None]
    rows = [to_phone @ [0, 0, 9.81], gyro[..., 0], to_phone @ FIELD_T]
    return np.concatenate(rows, axis=-1)[None].astype(np.float32)


def walking(rows: np.ndarray) -> np.ndarray:
    """Add the acceleration of steps at 2 Hz to rows."""
    time = PERIOD_S * np.arange(rows.shape[1])
    walked = rows.copy()
    for axis, phase in enumerate((0.3, 1.7, 2.9)):
        walked[..., axis] += 3 * np.sin(4 * np.pi * time + phase)
    return walked


def heading_of(
        rows: np.ndarray, mask: np.ndarray | None = None, yaw: float = 0.0) -> tuple[float, bool]:
    mask = np.ones(rows.shape[:2], bool) if mask is None else mask
    heading, valid = compass_heading(rows, mask, PERIOD_S, yaw)
    assert heading.dtype == np.float32
    return float(heading[0]), bool(valid[0])


@pytest.mark.parametrize('tilt', np.radians([-85, -40, 0, 30, 60, 89]))
@pytest.mark.parametrize('heading', [-3.0, -1.2, 0.0, 2.0])
def test_the_heading_does_not_depend_on_the_tilt_of_the_phone(tilt, heading):
    found, valid = heading_of(phone(np.full(150, heading), tilt))
    assert valid
    assert found == pytest.approx(heading, abs=1e-3)


def test_a_rolled_phone_has_the_heading_of_its_y_axis():
    found, _ = heading_of(phone(np.full(150, 0.7), tilt=0.2, roll=0.8))
    assert found == pytest.approx(0.7, abs=1e-3)


def test_the_heading_does_not_lag_while_turning():
    turning = np.linspace(-1.0, 3.5, 150)
    found, _ = heading_of(walking(phone(turning, tilt=0.5)))
    assert wrap_angle(np.array(found - 3.5)) == pytest.approx(0.0, abs=0.05)


def test_noise_of_the_compass_averages_out():
    rng = np.random.default_rng(0)
    rows = np.repeat(phone(np.full(150, 1.0), tilt=0.4), 200, axis=0)
    rows[..., 6:] += rng.normal(0, 5e-6, rows[..., 6:].shape)
    heading, _ = compass_heading(rows, np.ones(rows.shape[:2], bool), PERIOD_S, 0.0)
    assert np.std(heading - 1.0) < 0.03  # one row alone: 5 / 28 = 0.18


def test_magnetic_yaw_rotates_the_heading_into_the_area_frame():
    found, _ = heading_of(phone(np.full(150, 3.0), tilt=0.4), yaw=-1.0)
    assert found == pytest.approx(4.0 - 2 * np.pi, abs=1e-3)


def test_a_heading_without_a_magnetic_field_is_invalid():
    rows = phone(np.full(150, 1.0), tilt=0.4)
    rows[..., 6:] = 0
    assert heading_of(rows) == (0.0, False)


def test_a_heading_needs_half_of_the_last_second():
    rows = phone(np.full(150, 1.0), tilt=0.4)
    mask = np.ones((1, 150), bool)
    mask[:, 125:] = False
    rows[:, 125:] = np.nan
    found, valid = heading_of(rows, mask)
    assert valid
    assert found == pytest.approx(1.0, abs=1e-3)
    mask[:, 124] = False
    assert heading_of(rows, mask) == (0.0, False)


@pytest.mark.parametrize('tilt', np.radians([-40, 0, 60]))
def test_a_rotated_field_has_the_heading_of_the_area_frame_at_zero_yaw(tilt):
    rows, mask = walking(phone(np.linspace(-1.0, 1.5, 150), tilt)), np.ones((1, 150), bool)
    turned = rotate_magnetic_field(rows, mask, PERIOD_S, 0.8)
    assert heading_of(turned)[0] == pytest.approx(heading_of(rows, yaw=0.8)[0], abs=1e-3)
    assert np.array_equal(turned[..., :6], rows[..., :6])


def test_rotating_the_field_back_restores_it():
    rows = np.concatenate([phone(np.full(150, 0.4), tilt=0.5), phone(np.full(150, 2.0), -0.3)])
    mask, yaws = np.ones((2, 150), bool), np.array([0.7, -2.1])
    turned = rotate_magnetic_field(rows, mask, PERIOD_S, yaws)
    back = rotate_magnetic_field(turned, mask, PERIOD_S, -yaws)
    assert np.allclose(back, rows, atol=1e-9, rtol=1e-4)


def test_masked_rows_of_a_rotated_field_are_zero():
    rows, mask = phone(np.full(150, 0.4), tilt=0.5), np.zeros((1, 150), bool)
    rows[0, 20] = np.nan
    mask[0, 50:] = True
    turned = rotate_magnetic_field(rows, mask, PERIOD_S, 1.0)
    assert not turned[0, :50].any()
    assert np.isfinite(turned).all()


@pytest.mark.parametrize('tilt', np.radians([-30, 0, 40]))
def test_a_mirrored_phone_is_held_alike_and_turns_the_other_way(tilt):
    turning = np.linspace(-0.5, 1.5, 150)
    imu, mirrored = phone(turning, tilt), phone(-turning, tilt)
    found = mirror_imu(imu, np.ones((1, 150), bool), PERIOD_S)
    np.testing.assert_array_equal(found[..., :3], imu[..., :3])
    np.testing.assert_allclose(found[..., 3:6], mirrored[..., 3:6], atol=1e-4)
    np.testing.assert_allclose(found[..., 6:], mirrored[..., 6:], atol=1e-9)


def test_mirroring_twice_restores_the_imu_and_masked_rows_are_zero():
    imu, mask = walking(phone(np.linspace(0.0, 2.0, 150), 0.4)), np.ones((1, 150), bool)
    mask[:, 40:60] = False
    once = mirror_imu(imu, mask, PERIOD_S)
    back = mirror_imu(once, mask, PERIOD_S)
    np.testing.assert_allclose(back[mask][:, :6], imu[mask][:, :6], atol=2e-5)
    np.testing.assert_allclose(back[mask][:, 6:], imu[mask][:, 6:], atol=1e-9)
    assert not once[~mask].any()


def test_tick_headings_are_those_of_the_last_row_of_every_tick():
    rows, mask = walking(phone(np.linspace(0.0, 2.0, 150), 0.4)), np.ones((1, 150), bool)
    mask[:, 40:60] = False
    headings, valid = compass_headings(rows, mask, PERIOD_S, 0.3)
    of_ticks, valid_ticks = tick_headings(rows, mask, 5, PERIOD_S, 0.3)
    np.testing.assert_array_equal(of_ticks, headings[:, 4::5])
    np.testing.assert_array_equal(valid_ticks, valid[:, 4::5])


def test_causal_tick_headings_are_those_of_windows_that_end_at_each_tick():
    rows, mask = walking(phone(np.linspace(0.0, 2.0, 150), 0.4))[0], np.ones(150, bool)
    mask[40:60] = False
    headings, valid = causal_tick_headings(
        rows.reshape(30, 5, 9), mask.reshape(30, 5), 12, PERIOD_S, 0.3)
    assert headings.shape == valid.shape == (30,)
    assert not valid[0]  # too few rows before it
    for tick in (12, 20, 29):
        window = slice(5 * (tick - 11), 5 * (tick + 1))
        heading, is_valid = compass_heading(rows[None, window], mask[None, window], PERIOD_S, 0.3)
        assert (headings[tick], valid[tick]) == (heading[0], is_valid[0])
    earlier, _ = causal_tick_headings(
        rows[:100].reshape(20, 5, 9), mask[:100].reshape(20, 5), 12, PERIOD_S, 0.3)
    np.testing.assert_array_equal(earlier, headings[:20])
