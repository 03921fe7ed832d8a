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

"""Rows of subjects that come and go."""

import numpy as np

from utt_ros.twin.subject_slots import SubjectSlots, subject_generator


def assign(slots, world, sequence, who=slice(None), epoch=0):
    world.sequence, world.epoch = sequence, epoch
    rows, elapsed, new = slots.assign(world.tick(who=who))
    return rows.tolist(), elapsed.tolist(), [name for name, _ in new]


def test_a_subject_keeps_its_row_through_a_short_absence(world):
    slots, people = SubjectSlots(2, max_gap_s=1.0), world(subjects=2)
    assert assign(slots, people, 0) == ([0, 1], [0.0, 0.0], ['s00', 's01'])
    assert assign(slots, people, 1, slice(1, 2))[0] == [1]
    rows, elapsed, new = assign(slots, people, 9)
    assert (rows, new) == ([0, 1], [])
    np.testing.assert_allclose(elapsed, [0.9, 0.8], rtol=1e-6)


def test_the_row_of_a_subject_that_was_away_for_too_long_is_free_again(world):
    slots, people = SubjectSlots(1, max_gap_s=1.0), world(subjects=2)
    assign(slots, people, 0, slice(0, 1))
    assert assign(slots, people, 5, slice(1, 2)) == ([-1], [0.5], [])
    assert assign(slots, people, 11, slice(1, 2)) == ([0], [0.0], ['s01'])
    assert slots.refused == 1


def test_a_new_epoch_and_a_stamp_that_goes_back_free_all_rows(world):
    slots, people = SubjectSlots(2, max_gap_s=10.0), world(subjects=2)
    assign(slots, people, 5)
    assert assign(slots, people, 4)[2] == ['s00', 's01']
    assert assign(slots, people, 6, epoch=1)[2] == ['s00', 's01']


def test_random_numbers_depend_on_name_and_epoch_alone():
    first, again = (subject_generator('ann', 1).random(3) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != subject_generator('bob', 1).random(3)).all()
    assert (first != subject_generator('ann', 2).random(3)).all()
