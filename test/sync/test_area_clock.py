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

import pytest

from utt_ros.sync.area_clock import CAMERA_SOURCE, AreaClock, StampVerdict

SECOND = 1_000_000_000
NOW = 1_700_000_000 * SECOND
DAYS = 3 * 86400 * SECOND


@pytest.fixture
def clock():
    return AreaClock(SECOND)


def play(clock, begin_ns, seconds, *sources, rate_hz=10):
    """Feed stamps of all sources in turn; return the last verdict of each."""
    verdicts = {}
    for k in range(int(seconds * rate_hz)):
        for source in sources:
            verdicts[source] = clock.judge(source, begin_ns + k * SECOND // rate_hz)
    return verdicts


def test_the_time_is_the_newest_stamp(clock):
    for stamp in (NOW, NOW + 5, NOW + 3):
        assert clock.judge('a', stamp) is StampVerdict.AGREES
    assert clock.now_ns == NOW + 5


@pytest.mark.parametrize('off_ns', [DAYS, -DAYS])
def test_a_phone_days_off_does_not_move_the_time_and_is_accepted_once_it_agrees(clock, off_ns):
    play(clock, NOW, 1, CAMERA_SOURCE, 'a')
    for k in range(50):
        stamp = NOW + SECOND + k * SECOND // 10
        assert clock.judge('b', stamp + off_ns) is StampVerdict.OFF
        assert clock.judge(CAMERA_SOURCE, stamp) is StampVerdict.AGREES
    assert clock.judge('b', clock.now_ns) is StampVerdict.AGREES


def test_a_phone_days_ahead_that_came_first_is_outvoted_by_the_camera(clock):
    play(clock, NOW + DAYS, 1, 'wrong')
    assert clock.judge(CAMERA_SOURCE, NOW) is StampVerdict.OFF
    assert clock.judge(CAMERA_SOURCE, NOW + SECOND // 10) is StampVerdict.BACK
    assert clock.judge('wrong', NOW + DAYS + SECOND) is StampVerdict.OFF
    assert clock.now_ns == NOW + SECOND // 10


def test_a_phone_days_ahead_that_came_first_is_outvoted_by_two_phones(clock):
    play(clock, NOW + DAYS, 1, 'wrong')
    verdicts = [clock.judge(name, NOW + k) for k in range(2) for name in ('a', 'b')]
    assert verdicts == [StampVerdict.OFF, StampVerdict.OFF, StampVerdict.OFF, StampVerdict.BACK]


def test_a_camera_that_is_off_is_outvoted_by_two_phones(clock):
    play(clock, NOW, 1, CAMERA_SOURCE, 'a', 'b')
    for k in range(30):
        stamp = NOW + SECOND + k * SECOND // 10
        assert clock.judge(CAMERA_SOURCE, stamp - 5 * SECOND) is StampVerdict.OFF
        assert {clock.judge(name, stamp) for name in ('a', 'b')} == {StampVerdict.AGREES}


def test_one_wrong_stamp_of_the_camera_does_not_move_the_time(clock):
    play(clock, NOW, 1, CAMERA_SOURCE)
    assert clock.judge(CAMERA_SOURCE, 1) is StampVerdict.OFF
    assert clock.judge(CAMERA_SOURCE, NOW + SECOND) is StampVerdict.AGREES


def test_a_restarted_bag_moves_the_time_back(clock):
    play(clock, NOW, 20, CAMERA_SOURCE, 'a', 'b', rate_hz=100)
    verdicts = [clock.judge(name, NOW + k * SECOND // 100)
                for k in range(5) for name in ('a', 'b', CAMERA_SOURCE)]
    assert verdicts.count(StampVerdict.BACK) == 1
    assert verdicts.index(StampVerdict.BACK) <= 4
    assert set(verdicts[6:]) == {StampVerdict.AGREES}


def test_all_streams_resume_after_a_long_silence(clock):
    play(clock, NOW, 2, CAMERA_SOURCE, 'a', 'b')
    later = NOW + 3600 * SECOND
    verdicts = play(clock, later, 1, CAMERA_SOURCE, 'a', 'b')
    assert set(verdicts.values()) == {StampVerdict.AGREES}
    assert clock.now_ns == later + 9 * SECOND // 10


def test_the_time_follows_the_only_remaining_stream(clock):
    play(clock, NOW, 2, CAMERA_SOURCE, 'a', 'b')
    verdicts = [clock.judge('a', NOW - 60 * SECOND + k * SECOND // 100) for k in range(150)]
    assert verdicts.index(StampVerdict.BACK) == 101  # after the tolerance, one second
    assert set(verdicts[102:]) == {StampVerdict.AGREES}


def test_a_burst_of_delayed_messages_does_not_move_the_time(clock):
    play(clock, NOW, 5, CAMERA_SOURCE, 'a', 'b')
    play(clock, NOW + 5 * SECOND, 5, CAMERA_SOURCE)
    verdicts = [clock.judge(name, NOW + 5 * SECOND + k * SECOND // 100)
                for k in range(500) for name in ('a', 'b')]
    assert StampVerdict.BACK not in verdicts
    assert verdicts[-1] is StampVerdict.AGREES


def test_a_removed_stream_has_no_vote(clock):
    play(clock, NOW, 1, 'a', 'b')
    clock.forget('b')
    verdicts = [clock.judge('a', NOW - DAYS + k) for k in range(2)]
    assert verdicts == [StampVerdict.OFF, StampVerdict.BACK]
