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

from utt_ros.sync.association_types import Tracks
from utt_ros.sync.tick_scheduler import MAX_PENDING_FRAMES, MIN_SPACING, TickScheduler

PERIOD, LAG, TIMEOUT = 100, 20, 500


def frame(stamp_ns: int) -> Tracks:
    return Tracks(stamp_ns, np.zeros((0, 5), np.float32), (), (), np.zeros(0, np.float32))


@pytest.fixture
def ticks() -> TickScheduler:
    return TickScheduler(PERIOD, LAG, TIMEOUT)


def test_frames_are_ticks_in_order_of_stamps(ticks: TickScheduler) -> None:
    assert [ticks.add_frame(frame(stamp)) for stamp in (300, 400, 200)] == [
        None, None, 'reordered']
    for stamp in (200, 300, 400):
        assert ticks.next(0) == (stamp, True)
        assert ticks.take_frame().stamp_ns == stamp
    assert ticks.next(0) is None


def test_frames_that_are_duplicate_late_or_too_many_are_refused(ticks: TickScheduler) -> None:
    for stamp in range(1000, 1000 + MAX_PENDING_FRAMES):
        assert ticks.add_frame(frame(stamp)) is None
    assert ticks.add_frame(frame(1001)) == 'duplicate'
    assert ticks.add_frame(frame(5000)) == 'overflow'
    ticks.take_frame()
    assert ticks.add_frame(frame(1000)) == 'duplicate'
    assert ticks.add_frame(frame(999)) == 'late'


def test_a_frame_that_follows_a_tick_too_closely_is_no_tick(ticks: TickScheduler) -> None:
    for stamp in (200, 269, 270):
        ticks.add_frame(frame(stamp))
    assert [ticks.take_frame() is not None for _ in range(3)] == [True, False, True]
    assert ticks.last_ns == 270


@pytest.mark.parametrize('timeout_ns', [TIMEOUT, None])
def test_a_lag_with_which_frames_overtake_each_other_holds_ticks_back(
    timeout_ns: int | None,
) -> None:
    lag_ns = round(MIN_SPACING * PERIOD) + 1
    ticks = TickScheduler(PERIOD, lag_ns, timeout_ns)
    if timeout_ns:
        ticks.add_frame(frame(300))
        assert ticks.next(300 + lag_ns - 1) is None
        ticks.add_frame(frame(200))
        assert ticks.next(200 + lag_ns) == (200, True)
    else:
        ticks.start(100)
        assert ticks.next(200 + lag_ns - 1) is None
        assert ticks.next(200 + lag_ns) == (200, False)


def test_without_a_camera_virtual_ticks_lie_on_multiples_of_the_period() -> None:
    ticks = TickScheduler(PERIOD, LAG, None)
    assert ticks.next(10**6) is None  # nothing was measured
    ticks.start(133)
    assert ticks.next(199) is None
    assert ticks.next(200) == (200, False)
    ticks.take_virtual()
    assert ticks.next(300) == (300, False)


def test_virtual_ticks_replace_a_silent_camera_after_the_timeout(ticks: TickScheduler) -> None:
    ticks.start(0)
    ticks.add_frame(frame(130))
    ticks.take_frame()
    assert ticks.next(700 + LAG - 1) is None  # a frame may still replace the tick
    assert ticks.next(700 + LAG) == (700, False)
    ticks.add_frame(frame(690))
    assert ticks.next(700 + LAG) == (690, True)


def test_skipped_virtual_ticks_continue_at_the_given_stamp(ticks: TickScheduler) -> None:
    ticks.start(0)
    ticks.skip(1234)
    assert ticks.next(10**6) == (1300, False)
