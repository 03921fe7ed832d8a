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
from visualization_msgs.msg import Marker

from utt_ros.access_point_list import AccessPoint
from utt_ros.bridge.messages.markers import area_markers, subject_markers
from utt_ros.bridge.messages.sensors import to_time
from utt_ros.settings import AreaSettings
from utt_ros.twin.tick_types import TickPredictions
from utt_ros.types import CHI2_90_2D

T0 = 1_700_000_000_000_000_000


def predictions_of(subjects, covariance=None):
    count = len(subjects)
    covariance = np.tile(np.eye(2), (count, 1, 1)) if covariance is None else covariance
    position = np.arange(2 * count, dtype=np.float32).reshape(count, 2)
    trajectory = np.repeat(position[:, None], 30, axis=1)
    return TickPredictions(
        T0, subjects, ('camera+ftm',) * count, position, covariance, 0 * position, trajectory,
        T0 + np.arange(30), None, T0 - np.arange(5))


def test_ids_and_namespaces_are_stable_so_that_markers_replace_each_other():
    first, second = (subject_markers('hall', predictions_of(names)).markers
                     for names in (('ann', 'bob'), ('bob', 'cid')))
    keys = [{(each.ns, each.id) for each in markers} for markers in (first, second)]
    assert len(keys[0]) == len(first) == 8
    assert {key for key in keys[0] if key[0] == 'twin/bob'} < keys[1]
    assert {each.header.frame_id for each in first} == {'hall'}
    assert all(each.header.stamp == to_time(T0) for each in first)


def test_all_markers_of_a_vanished_subject_are_deleted():
    markers = subject_markers('hall', predictions_of(('ann',)), ['bob']).markers
    gone = {each.id for each in markers if each.action == Marker.DELETE}
    assert gone == {each.id for each in markers if each.ns == 'twin/ann'}
    assert {each.ns for each in markers if each.action == Marker.DELETE} == {'twin/bob'}


@pytest.mark.parametrize('angle', [0.0, 0.7, 2.0])
def test_ellipse_lies_along_the_larger_deviation(angle):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    covariance = turn @ np.diag([4.0, 0.25]) @ turn.T
    markers = subject_markers('hall', predictions_of(('ann',), covariance[None])).markers
    ellipse = next(each for each in markers if each.type == Marker.CYLINDER)
    assert ellipse.scale.x == pytest.approx(2 * 2.0 * np.sqrt(CHI2_90_2D))
    assert ellipse.scale.y == pytest.approx(2 * 0.5 * np.sqrt(CHI2_90_2D))
    found = 2 * np.arctan2(ellipse.pose.orientation.z, ellipse.pose.orientation.w)
    assert np.sin(found - angle) == pytest.approx(0.0, abs=1e-6)


def test_path_begins_where_the_subject_is():
    markers = subject_markers('hall', predictions_of(('ann', 'bob'))).markers
    path = [each for each in markers if each.type == Marker.LINE_STRIP][1]
    assert (path.points[0].x, path.points[0].y) == (2.0, 3.0)
    assert len(path.points) == 31


def test_every_access_point_is_shown():
    area = AreaSettings(area='hall', modalities=('ftm', 'imu'), access_points=(
        AccessPoint('a', (1.0, -2.0, 3.0)), AccessPoint('b', (4.0, 5.0, 2.5))))
    shown = area_markers(area).markers
    assert len({each.id for each in shown}) == 2
    assert [(each.pose.position.x, each.pose.position.z) for each in shown] == [(1, 3), (4, 2.5)]


def test_area_without_a_camera_shows_its_access_point_alone():
    assert len(area_markers(AreaSettings(area='hall')).markers) == 2
    blind = area_markers(AreaSettings(area='hall', modalities=('ftm', 'imu'))).markers
    assert [each.type for each in blind] == [Marker.CUBE]
