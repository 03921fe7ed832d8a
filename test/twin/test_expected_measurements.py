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

"""Measurements that a belief expects, and their merge with decoded ones."""

import numpy as np
import pytest

from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.twin.expected_measurements import (
    ExpectedMeasurement,
    expect_box,
    expect_range,
    merge_by_variance,
    merge_expected,
)
from utt_ros.twin.ftm_model import TREND, FtmRangeModel
from utt_ros.twin.settings import ParticleFilterSettings

AREA = AreaSettings('a')
CAMERA = CameraModel(AREA)
USUAL = np.ones(2), np.zeros(2)
WEIGHTS = np.full(50, 0.02, np.float32)


def cloud(x: float, y: float, std: float) -> np.ndarray:
    noise = std * np.random.default_rng(0).standard_normal((2, 50))
    return (np.array([[x], [y]]) + noise).astype(np.float32)


def test_the_box_of_a_sure_belief_is_its_projection() -> None:
    found = expect_box(CAMERA, cloud(6.0, 1.0, 0.0), WEIGHTS, USUAL)
    assert found is not None
    assert found.mean == pytest.approx(CAMERA.project([6.0, 1.0]), rel=1e-4)
    unsure = expect_box(CAMERA, cloud(6.0, 1.0, 1.0), WEIGHTS, USUAL)
    assert unsure is not None
    assert (unsure.std > found.std).all()


def test_a_tall_person_has_a_higher_box_on_the_same_feet() -> None:
    usual, tall = (expect_box(CAMERA, cloud(6.0, 1.0, 0.0), WEIGHTS, (np.array([1.0, high]),
                                                                      np.zeros(2)))
                   for high in (1.0, 1.1))
    assert usual is not None
    assert tall is not None
    assert tall.mean[4] == pytest.approx(1.1 * usual.mean[4])
    assert tall.mean[1] + tall.mean[4] / 2 == pytest.approx(usual.mean[1] + usual.mean[4] / 2)


def test_nobody_behind_the_camera_has_a_box() -> None:
    assert expect_box(CAMERA, cloud(-6.0, 1.0, 0.1), WEIGHTS, USUAL) is None


def test_only_particles_in_view_count_for_a_box() -> None:
    half = np.concatenate([cloud(6.0, 1.0, 0.0)[:, :25], cloud(-6.0, 1.0, 0.0)[:, :25]], axis=1)
    found = expect_box(CAMERA, half, WEIGHTS, USUAL)
    assert found is not None
    assert found.mean == pytest.approx(CAMERA.project([6.0, 1.0]), rel=1e-4)


def test_a_range_is_the_distance_with_trend_and_bias() -> None:
    settings = ParticleFilterSettings()
    model = FtmRangeModel(AREA, settings)
    bias = np.full(50, 0.7, np.float32)
    found = expect_range(model, cloud(6.0, 0.0, 0.0), bias, 0.0, WEIGHTS)
    rise = AREA.ap_positions[0][2] - AREA.phone_height
    distance = np.hypot(6.0 - AREA.ap_positions[0][0], np.hypot(AREA.ap_positions[0][1], rise))
    assert found.mean[0] == pytest.approx(distance * (1 + TREND[1]) + TREND[0] + 0.7, rel=1e-3)
    assert found.std[0] > settings.range_std
    assert np.isnan(found.mean[1])  # what the phone says of its own range


def test_estimates_are_weighted_by_their_inverse_variances() -> None:
    merged = merge_by_variance(
        np.zeros((1, 1, 2), np.float32), np.array([2.0, 1.0], np.float32),
        np.array([[[10.0, 10.0]]]), np.array([[[1.0, np.nan]]]))
    assert merged.ravel() == pytest.approx([8.0, 0.0])  # 4 / (4 + 1); not known


def test_subjects_whom_the_belief_does_not_know_keep_what_was_decoded() -> None:
    decoded = np.ones((2, 1, 2), np.float32)
    expected = {'ann': ExpectedMeasurement(np.array([3.0, np.nan]), np.array([0.0, np.nan]))}
    std = np.ones(2, np.float32)
    merged = merge_expected(('ann', 'bob'), decoded, std, expected)
    assert merged[:, 0].tolist() == [[3.0, 1.0], [1.0, 1.0]]
    assert merge_expected(('ann', 'bob'), decoded, std * np.nan, expected).tolist() == (
        decoded.tolist())
