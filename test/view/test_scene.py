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

"""Messages of a building become people on floors, with trails and futures."""

import numpy as np
import pytest

from utt_ros.types import NS_PER_S
from utt_ros.view.area_layout import SPACING_M
from utt_ros.view.scene import MAX_FUTURE_AGE_NS, TRUTH_SOURCE

POSITION, FUTURE = '/hall/twins/ann/position', '/hall/twins/ann/trajectory'


def test_person_stands_where_the_twin_says_in_the_frame_of_the_building(scene, tell, say):
    tell('/hall/twin_status', 'status',
         say.status(0.0, {'ann': 'camera+ftm'}, pose=(10.0, 20.0, 0.0, np.pi / 2)))
    tell(POSITION, 'position', say.position(0.0, 3.0, 1.0))
    tell(FUTURE, 'future', say.future(0.0, [(4.0, 1.0)]))
    (person,) = scene.people()
    assert (person.name, person.title, person.sources, person.root, person.is_seen) == (
        'ann', 'ann', 'camera+ftm', '/hall', True)
    assert person.position == pytest.approx([9.0, 23.0, 0.0])
    assert person.future == pytest.approx(np.array([[9.0, 24.0]]))
    assert person.trail == pytest.approx(np.array([[9.0, 23.0]]))
    assert not scene.refused


def test_futures_and_people_age(scene, tell, say):
    tell('/hall/twin_status', 'status', say.status(0.0, {'ann': 'imu'}))
    tell(POSITION, 'position', say.position(0.0, 3.0, 1.0))
    tell(FUTURE, 'future', say.future(0.0, [(4.0, 1.0)]))
    scene.now_ns += MAX_FUTURE_AGE_NS + 1
    tell(POSITION, 'position', say.position(2.0, 3.0, 1.0))
    (person,) = scene.people()
    assert len(person.future) == 0
    assert not person.is_seen
    scene.now_ns += 60 * NS_PER_S
    assert scene.people() == []


def test_two_areas_of_one_building_locate_a_person_once(scene, tell, say):
    for root, pose in (('/hall', (0.0, 0.0, 0.0, 0.0)), ('/yard', (2.0, 0.0, 0.0, 0.0))):
        tell(f'{root}/twin_status', 'status',
             say.status(0.0, {'ann': 'camera'}, root[1:], pose))
    tell(POSITION, 'position', say.position(0.0, 5.0, 0.0))
    tell('/yard/twins/ann/position', 'position', say.position(0.0, 3.0, 0.0))
    (person,) = scene.people()
    assert person.position == pytest.approx([5.0, 0.0, 0.0])


def test_people_of_areas_at_one_place_are_not_one_person(scene, tell, say):
    for area in ('hall', 'yard'):
        tell(f'/{area}/twin_status', 'status', say.status(0.0, {'ann': 'camera'}, area))
    for area in ('hall', 'yard'):
        tell(f'/{area}/twins/ann/position', 'position', say.position(0.0, 5.0, 0.0))
    first, second = scene.people()
    assert (first.title, second.title) == ('ann (hall)', 'ann (yard)')
    assert second.position[0] - first.position[0] == SPACING_M


def test_truth_is_drawn_beside_a_twin_and_as_the_person_without_one(scene, tell, say):
    tell('/hall/truth/ann/odom', 'truth', say.truth(0.0, 4.0, 1.0))
    (person,) = scene.people()
    assert (person.name, person.sources) == ('ann', TRUTH_SOURCE)
    assert len(scene.truths()) == 0
    tell('/hall/twin_status', 'status', say.status(0.0, {}))
    tell('/hall/truth/ann/odom', 'truth', say.truth(0.1, 4.0, 2.0))
    assert scene.truths().tolist() == [[4.0, 2.0, 0.0]]


def test_shapes_and_floor_change_the_version(scene, tell, say):
    tell('/hall/twin_status', 'status', say.status(0.0, {}))
    before = scene.version
    tell('/hall/markers', 'outline', say.outline(0.0, ('ann',)))
    assert scene.areas['/hall'].outline.view.shape == (5, 2)
    assert scene.version == before + 1
    tell('/hall/markers', 'outline', say.outline(0.5, ('ann',)))
    assert scene.version == before + 1
    tell('/map', 'floor', say.floor(4, 6))
    assert (scene.floor.width_m, scene.version) == (3.0, before + 2)


def test_what_cannot_be_read_is_counted_and_named(scene, tell, say):
    tell(POSITION, 'position', b'none')
    tell(POSITION, 'position', say.position(0.0, np.nan, 1.0))
    assert scene.refused == 2
    assert scene.refusal.startswith(POSITION)
    assert scene.people() == []


def test_a_jump_in_time_forgets_what_moved_and_keeps_the_areas(scene, tell, say):
    tell('/hall/twin_status', 'status', say.status(0.0, {'ann': 'imu'}))
    tell(POSITION, 'position', say.position(0.0, 3.0, 1.0))
    scene.forget_motion()
    assert scene.people() == []
    assert set(scene.areas) == {'/hall'}
