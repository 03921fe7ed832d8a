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

from utt_ros.evaluation.association.encounters import crowd_encounters, cut_encounters
from utt_ros.settings import WindowSettings

WINDOW = WindowSettings()
SUBJECTS = ('anna', 'bert')


def cut(sequence, in_view_at=lambda _: SUBJECTS):
    return list(cut_encounters(sequence(in_view_at), WINDOW))


def test_no_label_is_left_in_the_candidates(sequence) -> None:
    for encounter in cut(sequence):
        candidates = encounter.candidates
        assert not any(name in track for track in candidates.track_ids for name in SUBJECTS)
        assert candidates.phones == SUBJECTS


def test_owners_are_the_phones_of_the_tracks(sequence) -> None:
    encounter = cut(sequence)[-1]
    left = int(np.argmin(encounter.candidates.boxes[:, -1, 0]))
    assert encounter.candidates.phones[encounter.owners[left]] == 'bert'
    assert sorted(encounter.owners.tolist()) == [0, 1]


def test_a_track_that_was_lost_for_long_gets_a_new_id(sequence) -> None:
    encounters = cut(sequence, lambda tick: SUBJECTS if not 20 <= tick < 35 else ('anna',))
    before, after = (encounters[index].candidates.track_ids for index in (1, -1))
    assert len(set(before) & set(after)) == 1  # only that of anna


def test_a_track_that_was_missed_for_a_moment_keeps_its_id(sequence) -> None:
    encounters = cut(sequence, lambda tick: SUBJECTS if tick % 5 else ('anna',))
    assert len({track for encounter in encounters
                for track in encounter.candidates.track_ids}) == 2


def test_one_phone_alone_makes_no_encounter_by_default(sequence) -> None:
    alone = sequence(lambda _: ('anna',), ticks=30, subjects=('anna',))
    assert not list(cut_encounters(alone, WINDOW))
    assert list(cut_encounters(alone, WINDOW, min_phones=1))


def test_a_fixed_window_keeps_the_tracks_of_its_age(sequence) -> None:
    last = cut(sequence, lambda tick: SUBJECTS if tick >= 40 else ('anna',))[-1]
    assert len(last.owners) == 2
    assert len(last.last(10).owners) == 2
    fixed = last.last(50)
    assert [fixed.candidates.phones[row] for row in fixed.owners] == ['anna']
    assert fixed.candidates.boxes_mask.shape == (1, 50)


def test_a_crowd_has_phones_of_people_from_other_sequences(sequence) -> None:
    encounters = [encounter for name in ('one', 'two')
                  for encounter in cut_encounters(sequence(name=name), WINDOW)]
    crowds = list(crowd_encounters(encounters, 5, np.random.default_rng(0)))
    assert all(crowd.candidates.ftm.shape[0] == len(crowd.candidates.phones) == 5
               for crowd in crowds)
    assert all(np.array_equal(crowd.owners, encounter.owners)
               for crowd, encounter in zip(crowds, encounters, strict=True))
