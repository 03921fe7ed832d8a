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

"""Poses of areas in the building are read, transform positions, and are refused by name."""

from math import pi

import numpy as np
import pytest

from utt_ros.errors import SettingsError
from utt_ros.map_pose import MapPose, read_map_pose
from utt_ros.settings import AreaSettings, from_mapping


def test_three_numbers_are_x_y_yaw_and_four_have_z_before_it() -> None:
    assert read_map_pose((1.0, 2.0, 0.5)) == MapPose(1.0, 2.0, 0.0, 0.5)
    assert read_map_pose((1.0, 2.0, 3.0, 0.5)) == MapPose(1.0, 2.0, 3.0, 0.5)
    assert AreaSettings().pose_in_map == MapPose()


def test_points_are_turned_and_then_moved() -> None:
    pose = MapPose(10.0, -5.0, 3.0, pi / 2)
    points = pose.to_map(np.array([[0.0, 0.0], [2.0, 1.0]]))
    np.testing.assert_allclose(points, [[10.0, -5.0], [9.0, -3.0]], atol=1e-12)


def test_covariances_are_turned() -> None:
    covariances = np.array([[[4.0, 1.0], [1.0, 2.0]]])
    turned = MapPose(7.0, 7.0, 0.0, pi / 2).rotate_covariances(covariances)
    np.testing.assert_allclose(turned, [[[2.0, -1.0], [-1.0, 4.0]]], atol=1e-12)


def test_transform_of_samples_has_the_transformed_mean_and_covariance(
    rng: np.random.Generator,
) -> None:
    pose = MapPose(3.0, 1.0, 0.0, 0.7)
    samples = rng.multivariate_normal([1.0, 2.0], [[2.0, 0.5], [0.5, 0.3]], 500)
    moved = pose.to_map(samples)
    np.testing.assert_allclose(moved.mean(0), pose.to_map(samples.mean(0)[None])[0])
    np.testing.assert_allclose(np.cov(moved.T), pose.rotate_covariances(np.cov(samples.T)))


def test_places_are_the_same_whatever_the_yaw() -> None:
    assert MapPose(1.0, 2.0, 0.0, 0.0).is_at(MapPose(1.005, 2.0, 0.0, 1.0))
    assert not MapPose().is_at(MapPose(z=3.0))


@pytest.mark.parametrize(('given', 'complaint'), [
    ([1.0, 2.0], r'map_pose has 2 numbers: it must have 3 \(x, y, yaw\) or 4'),
    ([1.0] * 5, 'map_pose has 5 numbers'),
    ([1.0, 2.0, 90.0], 'map_pose has the yaw 90 rad: it must be within 6.28 rad'),
    ([float('nan'), 2.0, 0.0], 'map_pose is nan: it must be finite'),
    ([0.0, 2e5, 0.0], r'map_pose is 200000.0: it must be at most 100000.0'),
    ('here', r"map_pose is 'here': it must be of the form \(0.0, 0.0, 0.0\)")])
def test_poses_of_another_form_are_refused(given: object, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        from_mapping(AreaSettings, {'area': 'hall', 'map_pose': given})


def test_no_area_is_named_as_the_frame_of_the_building() -> None:
    with pytest.raises(SettingsError, match="area is 'map', which is the frame of the building"):
        AreaSettings(area='map')


def test_the_inverse_leads_back() -> None:
    pose = MapPose(3.0, -2.0, 1.0, 2.5)
    points = np.array([[1.0, 2.0], [-4.0, 0.5]])
    np.testing.assert_allclose(pose.inverse().to_map(pose.to_map(points)), points)
    assert pose.inverse().z == -1.0
