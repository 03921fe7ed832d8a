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

from utt_ros.geometry.compass import estimate_heading
from utt_ros.motion.gait import (
    GAIT_FEATURES,
    HARMONICS,
    StrideHarmonics,
    fit_stride_harmonics,
    gait_features,
)
from utt_ros.training.augmentation import tilts

ROW_S, ROWS = 0.02, 150
SECONDS = ROW_S * np.arange(ROWS)
STRIDE_ROWS, STRIDE_ROW = 300, 149
STRIDE_SECONDS = ROW_S * np.arange(STRIDE_ROWS)


def phone(turning: float = 0.0, step_hz: float = 2.0, bounce: float = 2.0) -> np.ndarray:
    """A phone (1, R, 9) that lies flat, turns at a steady rate and bounces with every step."""
    rows = np.zeros((1, ROWS, 9), np.float32)
    rows[..., 2] = 9.81 + bounce * np.sqrt(2) * np.sin(2 * np.pi * step_hz * SECONDS)
    rows[..., 5] = turning
    rows[..., 7], rows[..., 8] = 2e-5, -4e-5
    return rows


def features_of(rows: np.ndarray, mask: np.ndarray | None = None) -> dict[str, float]:
    mask = np.ones(rows.shape[:2], bool) if mask is None else mask
    features = gait_features(rows, mask, estimate_heading(rows, mask, ROW_S, 0.0).turns, ROW_S)
    return dict(zip(GAIT_FEATURES, features[0].tolist(), strict=True))


def test_turns_are_measured_from_their_span_to_the_last_row() -> None:
    features = features_of(phone(turning=0.5))
    assert features['turn_0.2_s_rad'] == pytest.approx(0.1, abs=0.01)
    assert features['turn_2.0_s_rad'] == pytest.approx(1.0, abs=0.02)
    assert features['spin_radps'] == pytest.approx(0.5)


@pytest.mark.parametrize('step_hz', [1.5, 2.0, 2.5])
def test_cadence_and_strength_are_those_of_the_steps(step_hz: float) -> None:
    features = features_of(phone(step_hz=step_hz, bounce=1.5))
    assert features['cadence_hz'] == pytest.approx(step_hz, abs=0.1)
    assert features['strength_2.0_s_mps2'] == pytest.approx(1.5, rel=0.05)


def test_features_do_not_depend_on_how_a_phone_is_held() -> None:
    rows = phone(turning=-0.3)
    turned = (rows.reshape(1, 3 * ROWS, 3) @ tilts(np.array([[0.4, -0.5]]))).reshape(rows.shape)
    before, after = features_of(rows), features_of(turned)
    assert after == pytest.approx(before, abs=0.05)


def test_masked_rows_do_not_affect_gait_features() -> None:
    rows, mask = phone(), np.ones((1, ROWS), bool)
    mask[0, ::7] = False
    rows[0, ::7] = 1e6
    assert features_of(rows, mask)['strength_2.0_s_mps2'] == pytest.approx(2.0, rel=0.1)
    assert not any(features_of(rows, np.zeros_like(mask)).values())


def striding_phone(step_hz: float = 2.0, bounce: float = 2.0, roll: float = 0.3) -> np.ndarray:
    """A phone (1, R, 9) that bounces with each step and rolls with each stride; RMS values."""
    rows = np.zeros((1, STRIDE_ROWS, 9), np.float32)
    rows[..., 2] = 9.81 + bounce * np.sqrt(2) * np.sin(2 * np.pi * step_hz * STRIDE_SECONDS + 0.4)
    rows[..., 3] = roll * np.sqrt(2) * np.sin(np.pi * step_hz * STRIDE_SECONDS)
    return rows


def fit(rows: np.ndarray, mask: np.ndarray | None = None) -> StrideHarmonics:
    mask = np.ones(rows.shape[:2], bool) if mask is None else mask
    return fit_stride_harmonics(rows, mask, STRIDE_ROW, ROW_S)


def test_harmonics_of_a_sinusoid_have_its_frequency_and_rms() -> None:
    stride = fit(striding_phone())
    assert stride.cadence[0] == pytest.approx(2.0, abs=0.05)
    assert stride.cadence_valid[0]
    rms = np.exp(stride.swing[0])
    assert rms.shape == (6, HARMONICS + 1)
    assert rms[2] == pytest.approx([0.0, 2.0, 0.0, 0.0, 0.0], abs=0.05)
    assert rms[3] == pytest.approx([0.3, 0.0, 0.0, 0.0, 0.0], abs=0.02)


def test_noise_goes_to_the_residual(rng: np.random.Generator) -> None:
    rows = striding_phone()
    rows[..., 0] = 0.5 * rng.standard_normal(STRIDE_ROWS)
    rms = np.exp(fit(rows).swing[0, 0])
    assert rms[-1] == pytest.approx(0.5, rel=0.2)
    assert rms[:-1].max() < 0.15


def test_a_standing_person_has_no_cadence(rng: np.random.Generator) -> None:
    noise = 0.05 * rng.standard_normal((1, STRIDE_ROWS, 9))
    stride = fit(striding_phone(bounce=0.0, roll=0.0) + noise)
    assert not stride.cadence_valid[0]
    assert stride.swing_valid[0]
    assert np.exp(stride.swing).max() < 0.1


@pytest.mark.parametrize('gravity', [9.81, 10.0])
def test_a_motionless_phone_has_no_harmonics(gravity: float) -> None:
    rows = np.zeros((1, STRIDE_ROWS, 9), np.float32)
    rows[..., 2] = gravity
    stride = fit(rows)
    assert stride.swing_valid[0]
    assert not stride.cadence_valid[0]
    assert np.exp(stride.swing).max() < 0.01


def test_only_rows_around_the_instant_enter_the_fit() -> None:
    rows = striding_phone()
    rows[:, :STRIDE_ROW - 40] = rows[:, STRIDE_ROW + 40:] = 0.0
    np.testing.assert_array_equal(fit(rows).swing, fit(striding_phone()).swing)


def test_masked_rows_do_not_affect_stride_harmonics() -> None:
    rows, mask = striding_phone(), np.ones((1, STRIDE_ROWS), bool)
    mask[0, ::7] = False
    rows[0, ::7] = 1e6
    assert np.exp(fit(rows, mask).swing[0, 2, 1]) == pytest.approx(2.0, rel=0.05)
    mask[0, ::2] = False
    assert not fit(rows, mask).swing_valid[0]
    assert not fit(rows, mask).cadence_valid[0]


def test_a_non_finite_row_invalidates_only_its_window() -> None:
    rows = np.concatenate([striding_phone(), striding_phone()])
    rows[0, 3, 4] = np.nan
    stride = fit(rows)
    assert stride.swing_valid.tolist() == stride.cadence_valid.tolist() == [False, True]
    assert np.isfinite(stride.swing).all()
    assert np.isfinite(stride.cadence).all()
