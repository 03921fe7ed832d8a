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

"""Who walks over from another area begins with what that area believes."""

from dataclasses import replace

import numpy as np

from utt_ros.settings import AreaSettings
from utt_ros.twin.neighbour_beliefs import NeighbourBeliefs
from utt_ros.twin.particle_filter import ParticleFilter
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.subject_belief import AreaBeliefs, transform_belief

AREA = AreaSettings(area='hall')


def neighbours_of(former, people, seen_ticks=60):
    """Beliefs of an area whose camera saw all, and the filter of it."""
    seeing = ParticleFilter(former)
    people.walk(seeing, seen_ticks)
    stamp_ns = people.tick().stamp_ns - round(1e8)
    people.sequence -= 1
    pose = former.pose_in_map
    return AreaBeliefs(former.area, stamp_ns, {
        name: transform_belief(belief, pose)
        for name, belief in seeing.sure_beliefs(stamp_ns).items()})


def test_who_comes_from_another_area_begins_with_its_belief(world):
    turned = (3.0, -2.0, 2.0)  # the same place in the map, so that both see the same people
    former, here = (AreaSettings(area=name, map_pose=turned) for name in ('hall', 'stairs'))
    people = world(subjects=12, seed=3)
    people.compass_error[:] = 0.35
    beliefs = neighbours_of(former, people)
    assert len(beliefs.subjects) == 12
    neighbours = NeighbourBeliefs(here, ParticleFilterSettings(), 5.0)
    neighbours.add(beliefs)
    informed, alone = ParticleFilter(here, None, neighbours), ParticleFilter(here)
    errors = []
    for _ in range(30):
        batch, prior = people.tick(camera=False), people.prior()
        found, other = informed.step(batch, prior), alone.step(batch, prior)
        errors.append((people.distance(found), people.distance(other)))
    assert neighbours.taken == 12
    with_belief, without = np.median(errors, axis=(0, 2))
    assert with_belief < 1.0 < 3.0 < without
    assert np.median(np.abs(found.compass_error - 0.35)) < 0.2
    assert np.median(np.abs(other.compass_error - 0.35)) > 0.25


def test_a_belief_that_contradicts_the_first_range_is_not_taken(world):
    people = world(subjects=1)
    people.position[:] = 6.0, 0.0
    beliefs = neighbours_of(AREA, people, 20)
    elsewhere = NeighbourBeliefs(
        AreaSettings(area='stairs', map_pose=(60.0, 0.0, 0.0)), ParticleFilterSettings(), 5.0)
    elsewhere.add(beliefs)
    informed = ParticleFilter(AreaSettings(area='stairs'), None, elsewhere)
    alone = ParticleFilter(AreaSettings(area='stairs'))
    batch = people.tick(camera=False)
    while not batch.ftm_mask.any():
        batch = people.tick(camera=False)
    np.testing.assert_array_equal(
        informed.step(batch).position, alone.step(batch).position)
    assert (elsewhere.taken, elsewhere.contradicted) == (0, 1)


def test_who_is_sure_keeps_the_own_belief(world):
    people = world(subjects=4)
    beliefs = neighbours_of(AREA, people, 20)
    neighbours = NeighbourBeliefs(AreaSettings(area='stairs'), ParticleFilterSettings(), 5.0)
    informed, alone = (ParticleFilter(AREA, None, each) for each in (neighbours, None))
    for number in range(20):
        batch, prior = people.tick(), people.prior()
        found, other = informed.step(batch, prior), alone.step(batch, prior)
        if number == 5:
            neighbours.add(beliefs)
    np.testing.assert_array_equal(found.position, other.position)
    assert len(neighbours) == 4


def test_the_ring_of_a_first_range_is_left_for_a_sure_belief_of_another_area(world):
    people = world(subjects=6, seed=5)
    neighbours = NeighbourBeliefs(AreaSettings(area='stairs'), ParticleFilterSettings(), 5.0)
    late = ParticleFilter(AREA, None, neighbours)
    seeing = ParticleFilter(AREA)
    for _ in range(20):
        batch, prior = people.tick(), people.prior()
        seeing.step(batch, prior)
        blind = replace(batch, camera_mask=np.zeros(6, bool))
        before = late.step(blind, prior)
    assert np.median(people.distance(before)) > 3.0
    neighbours.add(AreaBeliefs('hall', batch.stamp_ns, seeing.sure_beliefs(batch.stamp_ns)))
    after = people.walk(late, 5, camera=False)
    assert np.median(people.distance(after)) < 1.0


def test_rings_are_not_handed_over(world):
    people, tracker = world(subjects=8, seed=2), ParticleFilter(AREA)
    people.position[:] = 8.0, 0.0
    assert people.walk(tracker, 1, camera=False).known.all()
    assert not tracker.sure_beliefs(people.tick().stamp_ns - round(1e8))
