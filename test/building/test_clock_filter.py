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

"""The offset of a clock is that of the request with the shortest round trip."""

import pytest

from utt_ros.building.clock_filter import NEWEST_REQUESTS, ClockFilter, ClockOffset

AHEAD_NS = 250_000_000


def ask(clock: ClockFilter, at_ns: int, there_ns: int, back_ns: int) -> bool:
    """Ask a clock that is AHEAD_NS ahead; the others are the delays of the two ways."""
    received_ns = at_ns + there_ns + AHEAD_NS
    return clock.add(at_ns, received_ns, received_ns, at_ns + there_ns + back_ns)


def test_nothing_is_known_before_the_first_answer() -> None:
    assert ClockFilter().offset is None


@pytest.mark.parametrize(('there_ns', 'back_ns'), [
    (0, 0), (50_000_000, 50_000_000), (100_000_000, 0), (0, 300_000_000)])
def test_the_true_offset_is_within_the_bound(there_ns: int, back_ns: int) -> None:
    clock = ClockFilter()
    assert ask(clock, 10**18, there_ns, back_ns)
    assert clock.offset is not None
    assert abs(clock.offset.offset_s - 0.25) <= clock.offset.bound_s + 1e-9
    assert clock.offset.bound_s == pytest.approx((there_ns + back_ns) / 2e9)


def test_a_delayed_answer_does_not_replace_a_prompt_one_until_that_is_old() -> None:
    clock = ClockFilter()
    ask(clock, 0, 1_000_000, 1_000_000)
    for turn in range(NEWEST_REQUESTS - 1):
        ask(clock, turn * 10**9, 400_000_000, 0)
        assert clock.offset is not None
        assert clock.offset.bound_s == pytest.approx(0.001)
    ask(clock, 10**10, 400_000_000, 0)
    assert clock.offset.bound_s == pytest.approx(0.2)


def test_time_that_the_other_host_needed_is_no_delay() -> None:
    clock = ClockFilter()
    clock.add(0, AHEAD_NS + 5, AHEAD_NS + 1_000_005, 1_000_010)
    assert clock.offset == ClockOffset(0.25, 5e-9)


@pytest.mark.parametrize('times', [(100, 50, 40, 200), (100, 0, 0, 90), (0, 0, 500, 100)])
def test_impossible_times_begin_anew(times: tuple[int, int, int, int]) -> None:
    clock = ClockFilter()
    ask(clock, 0, 10, 10)
    assert not clock.add(*times)
    assert clock.offset is None


def test_an_offset_exceeds_a_limit_only_beyond_its_bound() -> None:
    assert ClockOffset(-0.3, 0.1).exceeds(0.19)
    assert not ClockOffset(-0.3, 0.1).exceeds(0.21)
