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

"""People of a building as a message and as markers."""

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from visualization_msgs.msg import Marker

from utt_ros.bridge.messages.building_people import people_to_message, person_markers
from utt_ros.building.located_people import BuildingPerson

STAMP = Time(sec=5)
ANN = BuildingPerson(
    'ann', 'stairs', ('hall', 'stairs'), ('camera+ftm', ''), (9.0, 2.0, 3.0),
    np.array([[1.0, 0.5], [0.5, 4.0]]), 3_000_000_007, 0.25)


def test_message_has_everything_of_a_person_in_the_frame_of_the_building() -> None:
    message = people_to_message([ANN], STAMP)
    assert (message.header.frame_id, message.header.stamp) == ('map', STAMP)
    (person,) = message.people
    assert (person.id, person.area, list(person.areas), list(person.sources)) == (
        'ann', 'stairs', ['hall', 'stairs'], ['camera+ftm', ''])
    assert (person.x, person.y, person.z, person.age) == (9.0, 2.0, 3.0, 0.25)
    assert person.stamp == Time(sec=3, nanosec=7)
    assert list(person.covariance) == [1.0, 0.5, 0.5, 4.0]


def test_empty_building_is_an_empty_list() -> None:
    assert not people_to_message([], STAMP).people


def test_markers_stand_on_the_floor_of_the_area() -> None:
    body, ellipse, label = person_markers([ANN], STAMP).markers
    assert {marker.header.frame_id for marker in (body, ellipse, label)} == {'map'}
    assert {marker.ns for marker in (body, ellipse, label)} == {'people/ann'}
    assert (body.pose.position.x, body.pose.position.z) == (9.0, 4.0)
    assert ellipse.pose.position.z == pytest.approx(3.02)
    assert ellipse.scale.x > ellipse.scale.y
    assert label.text == 'ann\nhall + stairs'


def test_markers_of_vanished_people_are_deleted() -> None:
    markers = person_markers([], STAMP, ['ben']).markers
    assert {(marker.ns, marker.action) for marker in markers} == {('people/ben', Marker.DELETE)}
    assert [marker.id for marker in markers] == [
        marker.id for marker in person_markers([ANN], STAMP).markers]
