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

from utt_ros.evaluation.association.label_removal import (
    TrackRenamer,
    remove_batch_labels,
    remove_first_phone,
    remove_session_labels,
)
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session


@pytest.fixture(scope='module')
def session():
    return simulate_session(plan_sessions(1, 0.5, seed=24)[0])


def test_a_person_keeps_the_track_id_through_short_gaps_only() -> None:
    renamer = TrackRenamer()
    ids = [renamer.rename('anna', round(seconds * 1e9)) for seconds in (10.0, 10.9, 11.9, 13.0)]
    assert ids[0] == ids[1] == ids[2] != ids[3]
    assert renamer.owners == {ids[0]: 'anna', ids[3]: 'anna'}


def test_a_stamp_that_goes_back_starts_a_new_track() -> None:
    renamer = TrackRenamer()
    assert renamer.rename('anna', 10**10) != renamer.rename('anna', 10**10 - 1)


def test_boxes_of_a_batch_come_from_left_to_right_without_labels(sequence) -> None:
    renamer = TrackRenamer()
    tracks, phones = remove_batch_labels(sequence().batches[0], renamer)
    assert tracks.subjects == ('', '')
    assert tracks.boxes[:, 0].tolist() == [300.0, 900.0]
    assert [renamer.owners[track] for track in tracks.track_ids] == ['bert', 'anna']
    assert phones.names == ('anna', 'bert')


def test_no_label_is_left_in_a_session_and_tracks_have_their_owners(session) -> None:
    unlabelled, owners = remove_session_labels(session)
    assert set(unlabelled.frames.subjects) == {''}
    assert [owners[track] for track in unlabelled.frames.track_ids] == list(
        session.frames.subjects)
    np.testing.assert_array_equal(unlabelled.frames.boxes, session.frames.boxes)


def test_the_first_phone_is_removed_and_the_others_stay(session) -> None:
    reduced, name = remove_first_phone(session)
    assert sorted([name, *reduced.phones]) == sorted(session.phones)
    assert name == min(session.phones)
