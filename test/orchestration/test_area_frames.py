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

"""Static frames of an area, and their way through a command line."""

from math import pi

import numpy as np
import pytest

from utt_ros.access_point_list import AccessPoint
from utt_ros.errors import SettingsError
from utt_ros.geometry.camera import CameraModel
from utt_ros.orchestration.area_frames import (
    FRAME_FLAG,
    StaticFrame,
    area_frames,
    coinciding_areas,
    frame_arguments,
    read_frame,
)
from utt_ros.settings import AreaSettings


def rotation(frame: StaticFrame) -> np.ndarray:
    """Rotation matrix of fixed-axis roll, pitch, yaw (REP-103)."""
    turn = np.eye(3)
    for angle, (i, j) in zip(frame.rpy_rad, ((1, 2), (2, 0), (0, 1)), strict=True):
        one = np.eye(3)
        one[[i, j], [i, j]] = np.cos(angle)
        one[i, j], one[j, i] = -np.sin(angle), np.sin(angle)
        turn = one @ turn
    return turn


def frame(settings: AreaSettings, name: str) -> StaticFrame:
    return next(each for each in area_frames(settings) if each.name == f'{settings.area}/{name}')


def test_frames_are_children_of_the_area() -> None:
    frames = area_frames(AreaSettings(area='hall', ap_position=(1.0, -2.0, 3.0)))
    assert [each.name for each in frames] == [
        'hall', 'hall/camera', 'hall/camera_optical', 'hall/ap']
    assert [each.parent for each in frames] == ['map', 'hall', 'hall', 'hall']
    assert frames[3].position_m == (1.0, -2.0, 3.0)


def test_area_has_its_pose_in_the_building() -> None:
    flat = area_frames(AreaSettings(area='hall', map_pose=(4.0, -2.0, 0.5)))[0]
    assert flat == StaticFrame('map', 'hall', (4.0, -2.0, 0.0), (0.0, 0.0, 0.5))
    upstairs = area_frames(AreaSettings(area='loft', map_pose=(4.0, -2.0, 3.2, -0.5)))[0]
    assert upstairs == StaticFrame('map', 'loft', (4.0, -2.0, 3.2), (0.0, 0.0, -0.5))


def test_static_frame_turns_as_the_pose_does() -> None:
    area = AreaSettings(area='hall', map_pose=(4.0, -2.0, 0.5))
    own = area_frames(area)[0]
    point = np.array([3.0, 1.0])
    np.testing.assert_allclose(
        (rotation(own) @ [*point, 0.0])[:2] + own.position_m[:2],
        area.pose_in_map.to_map(point[None])[0])


def test_areas_at_the_same_place_are_named_together() -> None:
    poses = {'hall': (0.0, 0.0, 0.0), 'stairs': (0.0, 0.0, 1.0), 'loft': (0.0, 0.0, 3.0, 0.0),
             'yard': (9.0, 0.0, 0.0)}
    areas = [AreaSettings(area=name, map_pose=pose) for name, pose in poses.items()]
    (sentence,) = coinciding_areas(areas)
    assert sentence.startswith('hall, stairs lie at the same place of the map, (0, 0, 0) m: give ')
    assert not coinciding_areas(areas[1:])


def test_each_access_point_has_a_frame() -> None:
    area = AreaSettings(area='hall', access_points=(
        AccessPoint('02:0b', (1.0, -2.0, 3.0)), AccessPoint('02:0A', (4.0, 5.0, 2.5))))
    assert area_frames(area)[3:] == (
        StaticFrame('hall', 'hall/ap', (1.0, -2.0, 3.0)),
        StaticFrame('hall', 'hall/ap_02_0a', (4.0, 5.0, 2.5)))
    assert area.ap_frame('02:0a') == 'hall/ap_02_0a'
    assert [area.ap_frame(name) for name in ('02:0B', 'other', '')] == ['hall/ap'] * 3


def test_optical_frame_agrees_with_the_projection_of_the_camera_model() -> None:
    settings = AreaSettings(area='hall', camera_pitch=0.3)
    point_m = np.array([6.0, 1.5, 0.0])
    turn = rotation(frame(settings, 'camera_optical'))
    x, y, z = turn.T @ (point_m - [0.0, 0.0, settings.camera_height])
    pixel = settings.cx + settings.fx * x / z, settings.cy + settings.fy * y / z
    box = [*pixel, z, 1.0, 1.0]
    np.testing.assert_allclose(CameraModel(settings).back_project(box), point_m[:2], atol=1e-4)


def test_camera_frame_looks_down_by_its_pitch() -> None:
    forward = rotation(frame(AreaSettings(area='hall', camera_pitch=pi / 6), 'camera'))[:, 0]
    np.testing.assert_allclose(forward, [np.cos(pi / 6), 0.0, -0.5], atol=1e-9)


@pytest.mark.parametrize('settings', [
    AreaSettings(), AreaSettings(area='b', camera_pitch=-1e-7, ap_position=(-1e-6, -3.5, 1e4))])
def test_arguments_are_read_back(settings: AreaSettings) -> None:
    words = frame_arguments(area_frames(settings))
    assert words[::9] == (FRAME_FLAG,) * 4
    for index, given in enumerate(area_frames(settings)):
        read = read_frame(words[9 * index + 1:9 * index + 9])
        assert read[:2] == given[:2]
        np.testing.assert_allclose(read.position_m, given.position_m, atol=1e-9)
        np.testing.assert_allclose(read.rpy_rad, given.rpy_rad, atol=1e-9)


def test_pose_that_is_no_number_is_refused() -> None:
    with pytest.raises(SettingsError, match="frame 'hall/ap' has the pose '0 0 up 0 0 0'"):
        read_frame(['hall', 'hall/ap', '0', '0', 'up', '0', '0', '0'])
