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

from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.types import CHI2_90_2D

AREA = AreaSettings(area='hall')
CAMERA = CameraModel(AREA)


def visible_positions(count: int = 200) -> np.ndarray:
    rng = np.random.default_rng(3)
    depth, bearing = rng.uniform(2.5, 17, count), rng.uniform(-0.7, 0.7, count)
    return np.stack([depth * np.cos(bearing), depth * np.sin(bearing)], axis=-1)


def test_a_level_camera_projects_a_person_as_computed_by_hand():
    level = CameraModel(
        AreaSettings(area='hall', camera_pitch=0.0, fx=500.0, fy=500.0, cx=640.0, cy=360.0))
    box = level.project([10.0, 2.0])  # 0.8 to 2.5 m below the camera, 10 m ahead, 2 m to the left
    crown, toes = 500 * 0.8 / 10.12, 500 * 2.5 / 9.88  # the furthest of the head, the nearest foot
    assert box == pytest.approx([540.0, 360 + (crown + toes) / 2, 10.0, 25.0, toes - crown])
    assert level.back_project(box) == pytest.approx([10.0, 2.0])


def test_a_box_on_the_optical_axis_is_located_on_it():
    box = [AREA.cx, AREA.cy, 5.0, 100.0, 300.0]
    assert CAMERA.back_project(box) == pytest.approx([5 * np.cos(AREA.camera_pitch), 0.0])


def test_back_projection_inverts_projection():
    positions = visible_positions()
    found = CAMERA.back_project(CAMERA.project(positions))
    np.testing.assert_allclose(found, positions, atol=1e-9)


@pytest.mark.parametrize('unknown', [np.nan, 0.0, -1.0])
def test_unknown_depth_comes_from_the_height_of_the_person(unknown):
    positions = visible_positions()
    boxes = CAMERA.project(positions)
    boxes[:, 2] = unknown
    np.testing.assert_allclose(CAMERA.back_project(boxes), positions, atol=1e-9)


def test_the_covariance_is_that_of_noisy_boxes():
    rng = np.random.default_rng(5)
    for position in ([4.0, 1.0], [10.0, -4.0], [16.0, 3.0]):
        box = CAMERA.project(position)
        noisy = np.tile(box, (20000, 1))
        noisy[:, :2] += 0.015 * box[4] * rng.standard_normal((20000, 2))
        noisy[:, 2] += (0.01 * box[2] + 0.0015 * box[2]**2) * rng.standard_normal(20000)
        sway = 0.03**2 * np.eye(2)
        expected = np.cov(CAMERA.back_project(noisy).T) + sway
        np.testing.assert_allclose(CAMERA.covariance(box), expected, rtol=0.05, atol=2e-4)


def test_a_depth_error_widens_the_covariance_along_the_view():
    camera, box = CameraModel(AreaSettings(depth_error=0.1)), CAMERA.project([8.0, 0.0])
    plain, worse = CAMERA.covariance(box), camera.covariance(box)
    assert worse[0, 0] == pytest.approx(plain[0, 0] + (0.1 * 8.0)**2, rel=0.01)
    assert worse[1, 1] == pytest.approx(plain[1, 1])
    noisy = box * [1.0, 1.0, 1.1, 1.0, 1.0]
    assert abs(camera.locate(noisy)[0][0] - 8.0) < abs(CAMERA.locate(noisy)[0][0] - 8.0) / 2


def test_a_box_error_widens_the_covariance_most_for_people_who_are_far_away():
    far, near = CAMERA.project([15.0, 0.0]), CAMERA.project([3.0, 0.0])
    coarse = CameraModel(AreaSettings(), 3.0)

    def widening(box):
        return np.sqrt(np.diag(coarse.locate(box)[1]) / np.diag(CAMERA.locate(box)[1]))

    assert (widening(far) > widening(near)).all()
    assert (widening(near) > 1.0).all()
    box = far * [1.0, 1.0, np.nan, 1.0, 1.0]  # of a camera without depth
    assert coarse.covariance(box)[0, 0] > 2 * CAMERA.covariance(box)[0, 0]


def test_people_who_are_alike_are_located_more_surely():
    box = CAMERA.project([8.0, 1.0])
    alike, differing = (CameraModel(AreaSettings(), body_spread=spread) for spread in (0.0, 2.0))
    told = [np.linalg.det(camera.locate(box)[1]) for camera in (alike, CAMERA, differing)]
    assert told[0] < told[1] < told[2]
    np.testing.assert_allclose(alike.locate(box)[0], [8.0, 1.0], atol=1e-6)


def test_boxes_with_a_known_error_cover_their_positions_as_often_as_told():
    area = AreaSettings(depth_error=0.1)
    camera, rng = CameraModel(area, 4.0), np.random.default_rng(3)
    positions = visible_positions(4000)
    boxes = CAMERA.project(positions + rng.normal(0, 0.03, positions.shape))
    std = np.hypot(0.015 * boxes[:, 4:], 4.0)
    boxes[:, :2] += std * rng.standard_normal((len(boxes), 2))
    boxes[:, 4] += std[:, 0] * rng.standard_normal(len(boxes))
    boxes[:, 2] *= 1.0 + 0.1 * rng.standard_normal(len(boxes))

    def coverage(model):
        located, covariances = model.locate(boxes)
        error = located - positions
        square = np.einsum('ni,nij,nj->n', error, np.linalg.inv(covariances), error)
        return (square <= CHI2_90_2D).mean()

    assert 0.85 < coverage(camera) < 0.98
    assert coverage(CameraModel(area)) < coverage(camera) - 0.05


def noisy_boxes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions and their boxes with the noise that the model assumes."""
    rng = np.random.default_rng(11)
    positions = visible_positions(count)
    boxes = CAMERA.project(positions + rng.normal(0, 0.03, positions.shape))
    jitter = 0.015 * boxes[:, 4:]
    boxes[:, :2] += jitter * rng.standard_normal((count, 2))
    boxes[:, 4] += jitter[:, 0] * rng.standard_normal(count)
    boxes[:, 2] += (0.01 * boxes[:, 2] + 0.0015 * boxes[:, 2]**2) * rng.standard_normal(count)
    return positions, boxes


def test_all_cues_of_a_box_are_more_accurate_than_its_depth_alone():
    positions, boxes = noisy_boxes(2000)
    located, _ = CAMERA.locate(boxes)
    alone = np.linalg.norm(CAMERA.back_project(boxes) - positions, axis=1)
    together = np.linalg.norm(located - positions, axis=1)
    assert np.median(together) < 0.8 * np.median(alone)


def test_the_covariance_of_located_positions_is_calibrated():
    positions, boxes = noisy_boxes(2000)
    located, covariance = CAMERA.locate(boxes)
    error = located - positions
    distance = np.einsum('ni,nij,nj->n', error, np.linalg.inv(covariance), error)
    assert 0.88 < np.mean(distance < CHI2_90_2D) < 0.99  # a bit wide: people of one height


@pytest.mark.parametrize('height', [1.5, 1.9])
def test_a_person_of_unusual_height_is_located_nearly_as_well(height):
    positions = visible_positions()
    boxes = CameraModel(AreaSettings(person_height=height)).project(positions)
    far = np.linalg.norm(positions, axis=1)
    off = np.linalg.norm(CAMERA.locate(boxes)[0] - positions, axis=1) / far
    boxes[:, 2] = np.nan
    of_height_alone = np.linalg.norm(CAMERA.back_project(boxes) - positions, axis=1) / far
    assert np.median(off) < 0.02
    assert np.median(of_height_alone) > 0.08


def test_a_low_camera_locates_heads_above_itself():
    low = CameraModel(AreaSettings(camera_height=1.2, camera_pitch=0.0))
    positions = visible_positions()
    boxes = low.project(positions)
    np.testing.assert_allclose(low.locate(boxes)[0], positions, atol=1e-9)
    boxes[:, 2] = np.nan
    np.testing.assert_allclose(low.back_project(boxes), positions, atol=1e-9)


def test_a_truncated_box_is_located_by_its_depth():
    box = CAMERA.project([2.0, 0.0])
    box[1], box[4] = 400.0, 2 * (720 - 400.0)  # the legs are below the image
    located, _ = CAMERA.locate(box)
    np.testing.assert_allclose(located, CAMERA.back_project(box))


def test_an_empty_box_has_no_finite_position():
    assert not np.isfinite(CAMERA.locate(np.zeros(5))[0]).any()


def test_the_view_is_limited_by_the_image_and_by_depth():
    inside = [[5.0, 0.0], [17.0, 5.0], [5.0, 5.0]]
    outside = [[0.3, 0.0], [19.0, 0.0], [-5.0, 0.0], [5.0, 8.0], [1.0, -6.0]]
    assert CAMERA.in_view(inside).tolist() == [True] * 3
    assert CAMERA.in_view(outside).tolist() == [False] * 5


def test_leading_shapes_are_kept():
    boxes = CAMERA.project(visible_positions(12)).reshape(3, 4, 5)
    assert CAMERA.back_project(boxes).shape == (3, 4, 2)
    assert CAMERA.covariance(boxes).shape == (3, 4, 2, 2)
    assert CAMERA.in_view(CAMERA.back_project(boxes)).shape == (3, 4)


def test_feet_on_the_floor_give_the_depth():
    boxes = CAMERA.project([[4.0, 0.5], [7.0, -2.0], [9.0, 1.0]])
    unknown = boxes.copy()
    unknown[:, 2] = np.nan
    np.testing.assert_allclose(CAMERA.floor_depth(unknown), boxes[:, 2], rtol=1e-9)


def test_hidden_truncated_or_distant_feet_give_no_depth():
    near, far = CAMERA.project([[4.0, 0.5], [60.0, 0.0]])
    half = near.copy()  # what shows above a desk
    half[1] -= near[4] / 4
    half[4] /= 2
    cut = near.copy()
    cut[1] += AREA.image_height - (near[1] + near[4] / 2)
    above = near.copy()
    above[1] = 40.0
    above[4] = 60.0
    assert np.isnan(CAMERA.floor_depth([half, cut, above, far, np.full(5, np.nan)])).all()
    assert np.isnan(CAMERA.floor_depth(far))


def test_boxes_are_clipped_to_the_image_and_those_outside_are_not_detected():
    boxes = [
        [640.0, 360.0, 5.0, 50.0, 200.0],  # inside
        [0.0, 360.0, 5.0, 100.0, 200.0],  # half of it beyond the left border
        [-40.0, 360.0, 5.0, 100.0, 200.0],  # a tenth of it inside
        [640.0, 720.0, 5.0, 50.0, 200.0],  # half of it below
        [640.0, 360.0, -5.0, 50.0, 200.0], [640.0, 360.0, 40.0, 50.0, 200.0],  # behind, too far
        [640.0, 360.0, 5.0, -50.0, 200.0], [640.0, 360.0, 5.0, 50.0, -200.0]]
    clipped, visible = CAMERA.clip_boxes(boxes)
    assert visible.tolist() == [True, True, False, True, False, False, False, False]
    assert clipped[0] == pytest.approx(boxes[0])
    assert clipped[1] == pytest.approx([25.0, 360.0, 5.0, 50.0, 200.0])
    assert clipped[3] == pytest.approx([640.0, 670.0, 5.0, 50.0, 100.0])
