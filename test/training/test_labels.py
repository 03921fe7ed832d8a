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

"""Motion labels from boxes, and targets in the heading frame."""

from collections.abc import Callable

import numpy as np
import pytest

from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.compass import rotate
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.columns import Columns
from utt_ros.training.labels import (
    MotionTargets,
    fit_lines,
    heading_frame_targets,
    motion_labels,
)
from utt_ros.types import Windows

Labelled = Callable[[int], Columns]
COUNT = 5
AREA = AreaSettings()
WINDOW = WindowSettings(ticks=30, horizon=20)
SECONDS = WINDOW.period * np.arange(WINDOW.ticks + WINDOW.horizon)
NOW = WINDOW.ticks - 1


def windows_of(paths: np.ndarray, mask: np.ndarray | None = None) -> Windows:
    """Return boxes (N, K) of people on paths (N, K, 2) [m]; phones are masked."""
    boxes = CameraModel(AREA).project(paths).astype(np.float32)
    mask = np.ones(boxes.shape[:2], bool) if mask is None else mask
    count, ticks = mask.shape
    rows = ticks * WINDOW.imu_rows
    return Windows(
        np.zeros(count, np.int64), ('anna',) * count,
        {'camera': np.where(mask[..., None], boxes, 0),
         'imu': np.zeros((count, rows, 9), np.float32)},
        {'camera': mask, 'imu': np.zeros((count, rows), bool)})


def straight(velocity: tuple[float, float]) -> np.ndarray:
    return np.array([8.0, 1.0]) + (SECONDS - SECONDS[NOW])[:, None] * np.array(velocity)


def test_a_straight_walk_gives_its_velocity_and_displacements() -> None:
    paths = np.stack([straight((1.2, -0.5)), straight((0.0, 0.0))])
    labels = motion_labels(windows_of(paths), AREA, WINDOW)
    assert labels.velocity_valid.all()
    assert labels.course_valid.all()
    assert labels.future_valid.all()
    assert not labels.heading_valid.any()
    np.testing.assert_allclose(labels.velocity, [[1.2, -0.5], [0, 0]], atol=0.01)
    np.testing.assert_allclose(labels.course[:, 0], labels.velocity, atol=0.01)
    np.testing.assert_allclose(
        labels.future, paths[:, NOW + 1:] - paths[:, NOW:NOW + 1], atol=0.02)


def test_on_a_bend_the_label_is_the_tangent_and_the_course_lags() -> None:
    radius, speed = 3.0, 1.3
    angle = (SECONDS - SECONDS[NOW]) * speed / radius
    path = np.stack([8 + radius * np.sin(angle), radius * (1 - np.cos(angle))], axis=-1)
    labels = motion_labels(windows_of(path[None]), AREA, WINDOW)
    direction = np.arctan2(labels.velocity[0, 1], labels.velocity[0, 0])
    lag = np.arctan2(labels.course[0, 0, 1], labels.course[0, 0, 0])
    assert direction == pytest.approx(0.0, abs=0.02)
    assert -0.5 < lag / (speed / radius) < -0.1  # by that many seconds


def test_noise_of_boxes_is_averaged_out(rng: np.random.Generator) -> None:
    windows = windows_of(np.repeat(straight((-1.0, 0.4))[None], 300, axis=0))
    boxes = windows.values['camera']
    boxes[..., 2] += rng.normal(0, 0.15, boxes.shape[:2])
    labels = motion_labels(windows, AREA, WINDOW)
    error = labels.velocity - np.array([-1.0, 0.4])
    assert np.sqrt((error**2).mean(0)).max() < 0.12
    assert np.abs(error.mean(0)).max() < 0.03


@pytest.mark.parametrize('tick', [NOW - 8, NOW, NOW + 8])
def test_a_depth_measured_behind_the_person_has_little_influence(tick: int) -> None:
    windows = windows_of(straight((1.0, 0.0))[None])
    windows.values['camera'][0, tick, 2] += 5.0
    labels = motion_labels(windows, AREA, WINDOW)
    np.testing.assert_allclose(labels.velocity, [[1.0, 0.0]], atol=0.05)


def test_velocity_needs_boxes_before_and_after_the_instant() -> None:
    paths = np.repeat(straight((1.0, 0.0))[None], 4, axis=0)
    mask = np.ones(paths.shape[:2], bool)
    mask[0, NOW + 1:] = False
    mask[1, :NOW] = False
    mask[2, NOW - 2:NOW + 3] = False
    mask[3] = False
    labels = motion_labels(windows_of(paths, mask), AREA, WINDOW)
    assert labels.velocity_valid.tolist() == [False, False, True, False]
    assert labels.course_valid.tolist() == [True, False, True, False]
    assert not labels.velocity[~labels.velocity_valid].any()


def test_displacements_are_valid_only_where_the_camera_saw_the_person() -> None:
    paths = np.repeat(straight((1.0, 0.0))[None], 2, axis=0)
    mask = np.ones(paths.shape[:2], bool)
    mask[0, NOW + 8:NOW + 17] = False  # gone for 0.9 s
    mask[1, NOW - 9:NOW + 10] = False  # the instant itself is unknown
    labels = motion_labels(windows_of(paths, mask), AREA, WINDOW)
    assert labels.future_valid[0, [0, 5, 18]].all()
    assert not labels.future_valid[0, 11]
    assert not labels.future_valid[1].any()
    assert not labels.future[~labels.future_valid].any()


def test_boxes_that_are_not_finite_count_as_unseen() -> None:
    windows = windows_of(straight((1.0, 0.0))[None])
    windows.values['camera'][0, NOW + 1] = np.nan
    windows.values['camera'][0, NOW - 1, 2:] = 0.0  # neither depth nor height
    labels = motion_labels(windows, AREA, WINDOW)
    np.testing.assert_allclose(labels.velocity, [[1.0, 0.0]], atol=0.02)


def test_points_at_one_instant_determine_no_line() -> None:
    precision = np.array([[0.0, 4.0, 0.0]])
    _, velocity, _, std = fit_lines(np.ones((1, 3, 2)), precision, np.arange(3.0))
    assert np.isinf(std).all()
    assert not velocity.any()


def test_deviations_of_a_line_are_those_of_least_squares() -> None:
    seconds = np.array([-1.0, 0.0, 1.0])
    position, velocity, position_std, velocity_std = fit_lines(
        np.stack([2 * seconds, seconds], axis=-1), np.full(3, 4.0), seconds)
    np.testing.assert_allclose(position, [0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(velocity, [2.0, 1.0])
    assert position_std == pytest.approx(np.sqrt(1 / 12))
    assert velocity_std == pytest.approx(np.sqrt(1 / 8))


def framed(columns: Columns, heading: np.ndarray, course: np.ndarray) -> MotionTargets:
    return heading_frame_targets(columns, heading, columns['course'], course, columns['gait'])


def test_a_person_walking_along_the_heading_moves_along_x(labelled_columns: Labelled) -> None:
    known = np.ones(COUNT, bool)
    targets = framed(labelled_columns(COUNT), known, known)
    np.testing.assert_allclose(targets.velocity[0], [1.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(targets.future[0], [[1.0, 0.0], [0.0, -1.0]], atol=1e-6)
    np.testing.assert_allclose(targets.context[0, :4], [1.0, 1.0, 2.0, 0.0], atol=1e-6)


def test_without_a_heading_the_course_gives_the_direction(labelled_columns: Labelled) -> None:
    known = np.ones(COUNT, bool)
    targets = framed(labelled_columns(COUNT), ~known, known)
    np.testing.assert_allclose(targets.context[0, :4], [0.0, 1.0, 2.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(targets.velocity[0], [1.0, 0.0], atol=1e-6)
    assert targets.velocity_valid.all()


def test_without_heading_and_course_no_target_is_valid(labelled_columns: Labelled) -> None:
    known = np.zeros(COUNT, bool)
    targets = framed(labelled_columns(COUNT), known, known)
    assert not targets.velocity_valid.any()
    assert not targets.future_valid.any()


def test_rotation_is_counter_clockwise() -> None:
    np.testing.assert_allclose(
        rotate(np.float32([[1.0, 0.0], [0.0, 2.0]]), np.float32([np.pi / 2, np.pi])),
        [[0.0, 1.0], [0.0, -2.0]], atol=1e-6)
