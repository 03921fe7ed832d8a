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

from utt_ros.association.candidates import CandidateHistory
from utt_ros.settings import WindowSettings
from utt_ros.sync.association_types import PhoneSamples, Tracks

WINDOW = WindowSettings()
T0_NS = 10**18


def frame(tick, ids, depth=5.0):
    boxes = np.tile(np.float32([640.0, 360.0, depth, 40.0, 100.0]), (len(ids), 1))
    return Tracks(T0_NS + tick * 10**8, boxes, ('',) * len(ids), tuple(ids),
                  np.ones(len(ids), np.float32))


def samples(*names):
    count = len(names)
    return PhoneSamples(
        names, np.full((count, 2), 7.0, np.float32), np.zeros(count, np.float32),
        np.ones(count, bool), np.ones((count, WINDOW.imu_rows, 9), np.float32),
        np.ones((count, WINDOW.imu_rows), bool))


def history(ticks, ids_at, phones=('a',)):
    collected = CandidateHistory(20, WINDOW)
    for tick in range(ticks):
        collected.push(frame(tick, ids_at(tick)), samples(*phones))
    return collected


def test_tracks_and_phones_of_the_same_name_stay_apart() -> None:
    candidates = history(5, lambda _: ('a',)).candidates()
    assert (candidates.track_ids, candidates.phones) == (('a',), ('a',))
    assert candidates.boxes[0, -1, 2] == 5.0
    assert candidates.ftm[0, -1, 0] == 7.0


def test_a_track_leaves_when_it_was_not_seen_for_long() -> None:
    collected = history(10, lambda tick: ('1', '2') if tick < 6 else ('1',))
    assert collected.candidates(unseen_s=0.5).track_ids == ('1', '2')
    assert collected.candidates(unseen_s=0.35).track_ids == ('1',)


def test_ages_are_counted_from_the_first_box() -> None:
    candidates = history(10, lambda tick: ('1', '2') if tick > 5 else ('1',)).candidates()
    assert candidates.first_seen.tolist() == [10, 16]
    assert candidates.ages_s.round(6).tolist() == [0.9, 0.3]


def test_boxes_of_unknown_depth_are_left_out() -> None:
    collected = CandidateHistory(20, WINDOW)
    collected.push(frame(0, ('1',), depth=np.nan), samples('a'))
    assert collected.candidates().track_ids == ()


def test_selections_keep_the_other_side_whole(walkers) -> None:
    candidates = walkers()
    one_track, one_phone = candidates.select_tracks([1]), candidates.select_phones([1])
    assert (one_track.track_ids, one_track.phones) == (('8',), ('a', 'b'))
    assert (one_phone.track_ids, one_phone.phones) == (('7', '8'), ('b',))
    np.testing.assert_array_equal(one_phone.imu[0], candidates.imu[1])
    np.testing.assert_array_equal(one_track.boxes[0], candidates.boxes[1])


def test_the_last_ticks_keep_all_rows_of_imu(walkers) -> None:
    candidates = walkers().last(12)
    assert candidates.boxes.shape[1] == candidates.ftm.shape[1] == 12
    assert candidates.imu.shape[1] == 12 * candidates.imu_rows == 60
