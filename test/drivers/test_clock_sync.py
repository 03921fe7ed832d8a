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

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utt_ros.drivers.clock_sync import MAX_STREAMS, WINDOW_S, PeerClock, StreamClocks
from utt_ros.types import NS_PER_S

BEGIN_NS = 1_790_000_000 * NS_PER_S
DAY_NS = 86_400 * NS_PER_S
MS = 1_000_000
MIN_DELAY_NS = 2 * MS  # delay that cannot be seen


def stamps(
    rng: np.random.Generator, offset_ns: int, ppm: float, seconds: int, begin_ns: int = BEGIN_NS,
    jitter_ms: float = 15.0, rate: int = 100,
) -> Iterator[tuple[int, int, int]]:
    """Host's time, peer's stamp and arrival of samples with exponential delays."""
    for index in range(seconds * rate):
        passed_ns = index * NS_PER_S // rate
        host_ns = begin_ns + passed_ns
        peer_ns = host_ns + offset_ns + round(ppm * 1e-6 * passed_ns)
        yield host_ns, peer_ns, host_ns + MIN_DELAY_NS + round(rng.exponential(jitter_ms) * MS)


@pytest.mark.parametrize('ppm', [100.0, -100.0, 0.0])
def test_a_clock_3_days_off_with_drift_is_mapped_within_2_ms(
    rng: np.random.Generator, ppm: float,
) -> None:
    clock = PeerClock()
    errors = []
    for host_ns, peer_ns, arrival_ns in stamps(rng, -3 * DAY_NS, ppm, 180):
        assert clock.observe(peer_ns, arrival_ns)
        errors.append((clock.to_host(peer_ns) - host_ns - MIN_DELAY_NS) / MS)
    assert np.abs(errors[6000:]).max() < 2.0
    assert np.abs(errors[500:]).max() < 5.0  # before the drift can be known
    status = clock.status()
    assert status['drift_ppm'] == pytest.approx(-ppm, abs=40.0)
    assert status['offset_s'] == pytest.approx(3 * 86_400 - ppm * 1e-6 * 180, abs=0.01)
    assert 0.0 <= status['spread_s'] < 0.005
    assert clock.jumps == 0


def test_bursts_of_long_delays_do_not_move_the_clock(rng: np.random.Generator) -> None:
    clock = PeerClock()
    for index, (host_ns, peer_ns, arrival_ns) in enumerate(stamps(rng, 5 * NS_PER_S, 50.0, 90)):
        held_ns = 800 * MS if (index // 500) % 3 == 2 else 0  # 5 s of every 15 s
        assert clock.observe(peer_ns, arrival_ns + held_ns)
        if index > 6000:
            assert abs(clock.to_host(peer_ns) - host_ns - MIN_DELAY_NS) < 5 * MS


@pytest.mark.parametrize('jump_s', [-300_000, -60, 60, 300_000])
def test_a_peer_that_restarts_is_followed_after_two_seconds(
    rng: np.random.Generator, jump_s: int,
) -> None:
    clock = PeerClock()
    for _, peer_ns, arrival_ns in stamps(rng, 0, 0.0, 30):
        clock.observe(peer_ns, arrival_ns)
    answers = []
    for host_ns, peer_ns, arrival_ns in stamps(
            rng, jump_s * NS_PER_S, 0.0, 10, BEGIN_NS + 40 * NS_PER_S):
        answers.append(clock.observe(peer_ns, arrival_ns))
        if answers[-1]:
            # the first one after a jump carries its own delay
            assert abs(clock.to_host(peer_ns) - host_ns) < 200 * MS
    assert clock.jumps == 1
    assert 195 <= answers.index(True) <= 230
    assert all(answers[answers.index(True):])


def test_single_wild_stamps_are_refused_and_change_nothing(rng: np.random.Generator) -> None:
    clock = PeerClock()
    samples = list(stamps(rng, 0, 0.0, 30))
    for index, (_, peer_ns, arrival_ns) in enumerate(samples):
        if index and index % 10 == 0:
            wild_ns = int(rng.integers(-2**63, 2**63 - 1))
            assert not clock.observe(wild_ns, arrival_ns)
        assert clock.observe(peer_ns, arrival_ns)
    assert clock.jumps == 0
    assert abs(clock.to_host(samples[-1][1]) - samples[-1][0] - MIN_DELAY_NS) < 2 * MS


def test_a_backlog_that_arrives_at_once_is_refused_and_changes_nothing(
    rng: np.random.Generator,
) -> None:
    clock = PeerClock()
    samples = list(stamps(rng, 0, 0.0, 20))
    for _, peer_ns, arrival_ns in samples[:1000]:
        clock.observe(peer_ns, arrival_ns)
    released_ns = samples[-1][0] + MIN_DELAY_NS
    answers = [clock.observe(peer_ns, released_ns) for _, peer_ns, _ in samples[1000:]]
    assert answers.count(True) == pytest.approx(200, abs=5)  # those of the last two seconds
    assert abs(clock.to_host(samples[-1][1]) - samples[-1][0] - MIN_DELAY_NS) < 2 * MS


def test_a_clock_that_is_set_back_a_little_is_followed_within_a_window(
    rng: np.random.Generator,
) -> None:
    clock = PeerClock()
    for _, peer_ns, arrival_ns in stamps(rng, 0, 0.0, 30):
        clock.observe(peer_ns, arrival_ns)
    samples = list(stamps(rng, -300 * MS, 0.0, WINDOW_S + 1, BEGIN_NS + 30 * NS_PER_S))
    for _, peer_ns, arrival_ns in samples:
        assert clock.observe(peer_ns, arrival_ns)
    assert abs(clock.to_host(samples[-1][1]) - samples[-1][0] - MIN_DELAY_NS) < 2 * MS


def test_a_clock_restarts_after_a_silence_longer_than_its_window() -> None:
    clock = PeerClock()
    clock.observe(0, BEGIN_NS)
    assert clock.observe(7, BEGIN_NS + DAY_NS)
    assert clock.to_host(7) == BEGIN_NS + DAY_NS
    assert clock.jumps == 1


def test_memory_is_bounded(rng: np.random.Generator) -> None:
    clock = PeerClock()
    for _, peer_ns, arrival_ns in stamps(rng, 0, 100.0, 3600, rate=4):
        clock.observe(peer_ns, arrival_ns)
    assert len(clock._bins) <= WINDOW_S


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(-2**63, 2**63 - 1), st.integers(0, 2**62)), min_size=1))
def test_no_sequence_of_stamps_raises_an_error(seen: list[tuple[int, int]]) -> None:
    clock = PeerClock()
    for peer_ns, arrival_ns in seen:
        clock.observe(peer_ns, arrival_ns)
        assert isinstance(clock.to_host(peer_ns), int)
        assert set(clock.status()) == {'offset_s', 'drift_ppm', 'spread_s'}


def test_stamps_of_a_stream_only_increase_and_others_are_counted_by_key() -> None:
    counters: Counter[str] = Counter()
    clocks = StreamClocks(counters)
    assert clocks.observe('anna', 10 * NS_PER_S, BEGIN_NS)
    assert clocks.stamp('anna', 'accel', 10 * NS_PER_S) == BEGIN_NS
    assert clocks.stamp('anna', 'mag', 10 * NS_PER_S) == BEGIN_NS  # another stream
    assert clocks.stamp('anna', 'accel', 10 * NS_PER_S) is None
    assert clocks.stamp('anna', 'accel', 9 * NS_PER_S) is None
    assert counters == {'duplicate': 1, 'backward': 1}
    assert clocks.admit('board', '', 5) == 5
    assert clocks.admit('board', '', 5) is None
    assert counters == {'duplicate': 2, 'backward': 1}


def test_a_later_stamp_that_a_shorter_delay_maps_to_the_same_instant_is_backward() -> None:
    counters: Counter[str] = Counter()
    clocks = StreamClocks(counters)
    for peer_ns in (10 * NS_PER_S, 10 * NS_PER_S + MS):  # two lines of one arrival
        assert clocks.observe('anna', peer_ns, BEGIN_NS)
        clocks.stamp('anna', 'accel', peer_ns)
    assert counters == {'backward': 1}


def test_a_host_clock_set_back_by_steps_is_noticed_once() -> None:
    counters: Counter[str] = Counter()
    clocks = StreamClocks(counters)
    assert clocks.admit('anna', '', BEGIN_NS) is not None
    assert not clocks.check_host(BEGIN_NS)
    assert not clocks.check_host(BEGIN_NS - 700 * MS)
    assert clocks.admit('anna', '', BEGIN_NS - 700 * MS) is None
    assert clocks.check_host(BEGIN_NS - 1400 * MS)
    assert clocks.admit('anna', '', BEGIN_NS - 1400 * MS) is not None
    assert not clocks.check_host(BEGIN_NS - 1390 * MS)
    assert counters == {'backward': 1, 'host_set_back': 1}


def test_restarts_of_a_device_are_counted() -> None:
    clocks = StreamClocks(Counter())
    assert clocks.jumps('anna') == 0
    clocks.observe('anna', DAY_NS, BEGIN_NS)
    for step in range(30):
        clocks.observe('anna', step * 100 * MS, BEGIN_NS + step * 100 * MS)
    assert clocks.jumps('anna') == 1
    assert set(clocks.status()) == {'anna.offset_s', 'anna.drift_ppm', 'anna.spread_s'}


def test_the_number_of_streams_is_bounded() -> None:
    counters: Counter[str] = Counter()
    clocks = StreamClocks(counters)
    admitted = [clocks.admit('anna', str(number), 5) for number in range(MAX_STREAMS + 1)]
    assert admitted[-2:] == [5, None]
    assert counters == {'too_many_streams': 1}
    assert clocks.admit('ben', '0', 5) == 5
    assert clocks.admit('anna', '0', 6) == 6
