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

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.geometry.camera import CameraModel
from utt_ros.motion.velocity import (
    ACCELERATION_DENSITIES,
    PositionObservations,
    VelocityTracker,
    initial_state,
    kalman_step,
    observe_positions,
    velocity_features,
    window_velocity_features,
)
from utt_ros.settings import AreaSettings
from utt_ros.types import FloatArray, MaskArray, SyncedBatch

AREA = AreaSettings()
PERIOD_S = 0.1
TICKS, WALK_TICKS = 40, 30


def sideways(speed: float = 1.0) -> np.ndarray:
    """Return positions (K, 2) of a person who crosses the view at a distance of 12 m."""
    return np.column_stack([np.full(TICKS, 12.0), speed * PERIOD_S * (np.arange(TICKS) - 20)])


def observed_on(path: np.ndarray) -> PositionObservations:
    boxes = CameraModel(AREA).project(path)[None]
    return observe_positions(boxes, np.ones((1, TICKS), bool), AREA)


def test_velocity_is_less_certain_along_the_view_than_across() -> None:
    observed, state, covariance = observed_on(sideways()), *initial_state(1)
    for tick in range(TICKS):
        state, covariance = kalman_step(state, covariance, PERIOD_S, observed[:, tick])
    along, across = covariance[0, 0, 2, 2], covariance[0, 0, 3, 3]
    assert across < 0.7 * along
    np.testing.assert_allclose(state[0, 0], [12.0, sideways()[-1, 1], 0.0, 1.0], atol=0.05)


def test_after_a_turn_high_process_noise_leads_and_low_process_noise_lags() -> None:
    path = sideways()
    path[-8:, 1] = path[-9, 1]
    path[-8:, 0] -= PERIOD_S * np.arange(1, 9)  # now towards the camera
    features, _, valid = window_velocity_features(observed_on(path), PERIOD_S, outage_ticks=5)
    velocity, low_noise, high_noise = features[0, :3]
    assert valid.all()
    assert velocity[0] < -0.1
    assert low_noise[0] > 0.05  # less of the turn
    assert high_noise[0] < -0.05
    assert len(ACCELERATION_DENSITIES) == 3


def test_features_after_an_outage_are_those_before_it() -> None:
    path = sideways()
    path[-5:, 1] = path[-6, 1]  # stopped
    now, delayed, _ = window_velocity_features(observed_on(path), PERIOD_S, outage_ticks=5)
    straight, _, _ = window_velocity_features(observed_on(sideways()), PERIOD_S, outage_ticks=5)
    assert delayed[0, 0] == pytest.approx(straight[0, 0], abs=0.05)
    assert now[0, 0, 1] < delayed[0, 0, 1] - 0.05


def test_non_finite_and_masked_boxes_count_as_unseen() -> None:
    boxes = CameraModel(AREA).project(sideways())[None]
    boxes[0, 5] = np.nan
    mask = np.ones((1, TICKS), bool)
    mask[0, 9] = False
    observed = observe_positions(boxes, mask, AREA)
    assert np.flatnonzero(~observed.mask[0]).tolist() == [5, 9]
    assert np.isfinite(observed.positions).all()
    assert (observed.precision[0] > 0).tolist() == observed.mask[0].tolist()


def test_one_observation_gives_no_valid_velocity() -> None:
    state, covariance = initial_state(1)
    state, covariance = kalman_step(state, covariance, PERIOD_S, observed_on(sideways())[:, 0])
    assert not velocity_features(state, covariance)[1].any()


def paths(count: int) -> FloatArray:
    """Return noisy boxes (S, WALK_TICKS, 5) of people who walk straight at 1.2 m/s."""
    rng = np.random.default_rng(0)
    angles = rng.uniform(0.0, 2 * np.pi, count)
    steps = PERIOD_S * np.arange(WALK_TICKS)[:, None] * 1.2
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    positions = np.array([7.0, 0.0]) + steps * directions[:, None]
    return (CameraModel(AREA).project(positions)
            * rng.normal(1.0, 0.003, (count, WALK_TICKS, 5))).astype(np.float32)


def tick(number: int, boxes: FloatArray, mask: MaskArray) -> SyncedBatch:
    count = len(boxes)
    return SyncedBatch(
        stamp_ns=10**18 + round(number * PERIOD_S * 1e9), epoch=0, sequence=number,
        camera_tick=True, subjects=tuple(f'p{row}' for row in range(count)),
        track_ids=('',) * count, association=np.ones(count, np.float32),
        camera=boxes, camera_mask=mask, ftm=np.zeros((count, 2), np.float32),
        ftm_age_s=np.full(count, np.inf, np.float32), ftm_mask=np.zeros(count, bool),
        imu=np.zeros((count, 5, 9), np.float32), imu_mask=np.zeros((count, 5), bool))


def test_live_features_equal_those_of_training_windows():
    boxes = paths(4)
    mask = np.random.default_rng(1).random((4, WALK_TICKS)) < 0.8
    mask[3, 10:] = False  # too long ago
    tracker = VelocityTracker(AREA)
    for number in range(WALK_TICKS):
        live, known = tracker.update(tick(number, boxes[:, number], mask[:, number]))
    expected, _, valid = window_velocity_features(
        observe_positions(boxes, mask, AREA), PERIOD_S, outage_ticks=5)
    assert known.tolist() == [True, True, True, False]
    assert valid[:3].all()
    assert live[:3] == pytest.approx(expected[:3], abs=1e-5)
    assert not live[3].any()


def test_an_absent_subject_is_filtered_from_the_prior_again():
    boxes, seen = paths(1), np.ones(1, bool)
    tracker = VelocityTracker(AREA)
    for number in range(10):
        _, known = tracker.update(tick(number, boxes[:, number], seen))
    assert known.all()
    tracker.update(tick(10, boxes[:0, 10], seen[:0]))
    _, known = tracker.update(tick(11, boxes[:, 11], seen))
    assert not known.any()


def test_a_non_finite_box_at_the_same_stamp_changes_nothing():
    boxes, seen = paths(1), np.ones(1, bool)
    tracker = VelocityTracker(AREA)
    for number in range(10):
        before, _ = tracker.update(tick(number, boxes[:, number], seen))
    invalid = tick(9, np.full((1, 5), np.nan, np.float32), seen)
    after, known = tracker.update(replace(invalid, sequence=10))
    assert known.all()
    assert after == pytest.approx(before)
