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

"""Survey of a camera by walkers and by floor points: poses, and reasons why there are none."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.errors import MeasurementError
from utt_ros.geometry.camera import PIXEL_JITTER, CameraModel
from utt_ros.geometry.camera_survey import (
    WalkerBoxes,
    fit_camera_to_points,
    fit_camera_to_walkers,
    roll_boxes,
)
from utt_ros.settings import AreaSettings

AREA = AreaSettings(area='hall')
POINTS_M = np.array([[2, 0], [3, 1], [3, -1], [6, 2], [6, -2], [10, 0], [14, 3]], float)


def walkers(
    rng: np.random.Generator, area: AreaSettings, *, people: int = 6, seconds: float = 20.0,
    ahead_m: tuple[float, float] = (3.0, 14.0), roll_rad: float = 0.0,
) -> WalkerBoxes:
    """Boxes at 10 Hz of people who walk between random places; the area has any pose."""
    boxes, numbers, times = [], [], []
    for person in range(people):
        tall = float(np.clip(rng.normal(1.7, 0.08), 1.5, 1.9))
        model = CameraModel(replace(area, person_height=tall))
        time_s = np.arange(0, seconds, 0.1)
        places = np.stack([rng.uniform(*ahead_m, 5), rng.uniform(-3, 3, 5)], axis=1)
        marks = np.linspace(0, seconds, 5)
        walk = np.stack([np.interp(time_s, marks, axis) for axis in places.T], axis=1)
        seen = model.project(walk)
        seen[:, [0, 1, 3, 4]] += PIXEL_JITTER * seen[:, 4:] * rng.normal(size=(len(seen), 4))
        boxes.append(roll_boxes(seen, roll_rad, area))
        numbers += [person] * len(seen)
        times.append(time_s)
    return WalkerBoxes(np.concatenate(boxes), np.array(numbers), np.concatenate(times))


@pytest.mark.parametrize(('height_m', 'pitch_rad', 'roll_rad'), [
    (2.5, 0.21, 0.0), (3.4, 0.4, 0.03), (1.5, 0.02, -0.04)])
def test_walkers_give_the_pose_whatever_the_area_file_has(
        rng: np.random.Generator, height_m: float, pitch_rad: float, roll_rad: float) -> None:
    true = replace(AREA, camera_height=height_m, camera_pitch=pitch_rad)
    fit = fit_camera_to_walkers(walkers(rng, true, roll_rad=roll_rad), AREA)
    assert fit.pitch_rad == pytest.approx(pitch_rad, abs=0.003)
    assert fit.roll_rad == pytest.approx(roll_rad, abs=0.003)
    assert fit.height_m == pytest.approx(height_m, abs=3 * fit.height_error_m)
    assert 0.01 * height_m < fit.height_error_m < 0.04 * height_m, 'people differ in height'


def test_hidden_feet_of_one_box_in_ten_move_the_pitch_little(rng: np.random.Generator) -> None:
    seen = walkers(rng, AREA)
    hidden = rng.random(len(seen.boxes)) < 0.1
    cut = np.where(hidden, rng.uniform(0.1, 0.6, len(seen.boxes)), 0.0)
    seen.boxes[:, 1] -= cut * seen.boxes[:, 4] / 2
    seen.boxes[:, 4] *= 1 - cut
    fit = fit_camera_to_walkers(seen, AREA)
    assert fit.pitch_rad == pytest.approx(AREA.camera_pitch, abs=0.005)


@pytest.mark.parametrize(('change', 'reason'), [
    ({'people': 1, 'seconds': 5.0}, 'at least 100 in 6 are needed'),
    ({'people': 1, 'seconds': 40.0, 'ahead_m': (8.0, 8.2)},
     'the pose is not determined: .*± 0.* rad; .* both near the camera and far from it'),
])
def test_walks_that_do_not_determine_the_pose_are_refused(
        rng: np.random.Generator, change: dict[str, object], reason: str) -> None:
    with pytest.raises(MeasurementError, match=reason):
        fit_camera_to_walkers(walkers(rng, AREA, **change), AREA)  # type: ignore[arg-type]


def project(floor_m: np.ndarray, height_m: float, pitch_rad: float) -> np.ndarray:
    """Pixels of points on the floor, of an upright camera."""
    x, y = floor_m.T
    depth = x * np.cos(pitch_rad) + height_m * np.sin(pitch_rad)
    down = height_m * np.cos(pitch_rad) - x * np.sin(pitch_rad)
    return np.stack([AREA.cx - AREA.fx * y / depth, AREA.cy + AREA.fy * down / depth], axis=1)


def test_floor_points_give_the_pose_and_the_direction_of_their_axis(
        rng: np.random.Generator) -> None:
    pixels = project(POINTS_M, 2.8, 0.3) + rng.normal(0, 0.7, POINTS_M.shape)
    cos, sin = np.cos(0.05), np.sin(0.05)  # the camera looks 0.05 rad to the left of their axis
    turned = POINTS_M @ np.array([[cos, sin], [-sin, cos]])
    fit = fit_camera_to_points(pixels, turned, AREA)
    assert fit.height_m == pytest.approx(2.8, abs=0.05)
    assert fit.pitch_rad == pytest.approx(0.3, abs=0.005)
    assert fit.roll_rad == pytest.approx(0.0, abs=0.005)
    assert fit.yaw_rad == pytest.approx(0.05, abs=0.003)


def test_one_wrong_floor_point_is_seen_in_its_residual_alone(rng: np.random.Generator) -> None:
    pixels = project(POINTS_M, 2.8, 0.3) + rng.normal(0, 0.5, POINTS_M.shape)
    pixels[3] += 40.0
    fit = fit_camera_to_points(pixels, POINTS_M, AREA)
    assert fit.pitch_rad == pytest.approx(0.3, abs=0.01)
    worst = np.abs(fit.measured - fit.fitted).max(axis=1)
    assert worst.argmax() == 3
    assert worst[3] > 30.0


def test_too_few_floor_points_are_refused() -> None:
    with pytest.raises(MeasurementError, match='3 points: at least 4 are needed'):
        fit_camera_to_points(project(POINTS_M[:3], 2.5, 0.2), POINTS_M[:3], AREA)
