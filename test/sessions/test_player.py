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

"""Replays run in real time, since their lateness is tested."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from utt_ros.errors import SessionError, SettingsError
from utt_ros.sessions.message_types import typestore
from utt_ros.sessions.player import CHUNK_MESSAGES, MAX_CHUNKS, Player, PlaySettings

MS = 1_000_000
START_NS = 1_700_000_000_000_000_000


class Played:
    """What a player published, and when."""

    def __init__(self, bags: list[Path], on_message: Callable[..., Any] | None = None,
                 **settings: Any) -> None:
        self.messages: list[tuple[int, str, bytes]] = []
        self.clock: list[tuple[int, int]] = []
        self._on_message = on_message
        self.player = Player(
            bags, PlaySettings(**settings), {'/a', '/b', '/tf_static'},
            self._publish, self._publish_clock)

    def _publish(self, topic: str, data: bytes) -> None:
        self.messages.append((time.monotonic_ns(), topic, data))
        if self._on_message:
            self._on_message(self)

    def _publish_clock(self, now_ns: int) -> None:
        self.clock.append((time.monotonic_ns(), now_ns))

    def run(self) -> 'Played':
        self.player.run()
        return self

    def numbers(self) -> list[int]:
        return [int(data) for _, _, data in self.messages]

    def elapsed_ms(self) -> np.ndarray:
        times = np.array([at for at, _, _ in self.messages])
        return (times - times[0]) / MS


@pytest.fixture
def make_bag(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str, stamps_ms: list[float], begin_ns: int = START_NS,
             storage: StoragePlugin = StoragePlugin.MCAP) -> Path:
        with Writer(tmp_path / name, version=9, storage_plugin=storage) as writer:
            topics = [writer.add_connection(topic, 'std_msgs/msg/String', typestore=typestore())
                      for topic in ('/a', '/b', '/c')]
            for number, at_ms in enumerate(stamps_ms):
                writer.write(topics[number % 2], begin_ns + round(at_ms * MS), b'%d' % number)
            if stamps_ms:
                writer.write(topics[2], begin_ns, b'not wanted')
        return tmp_path / name

    return make


def test_messages_are_published_at_their_times(make_bag: Callable[..., Path]) -> None:
    due_ms = np.cumsum(np.random.default_rng(1).uniform(0, 8, 100))
    played = Played([make_bag('bag', [0.0, *due_ms])]).run()
    assert played.numbers() == list(range(101))
    assert {topic for _, topic, _ in played.messages} == {'/a', '/b'}
    late_ms = played.elapsed_ms() - [0.0, *due_ms]
    assert np.median(late_ms - late_ms.min()) < 100.0  # at once they would be 200 ms early


def test_rate_scales_time(make_bag: Callable[..., Path]) -> None:
    played = Played([make_bag('bag', list(range(0, 1000, 10)))], rate=5.0).run()
    assert 100 < played.elapsed_ms()[-1] < 900  # 198 when nothing else runs


def test_clock_ticks_and_never_runs_ahead_of_the_messages(make_bag: Callable[..., Path]) -> None:
    bag = make_bag('bag', [0, 100, 200, 300, 400])
    seen: list[tuple[int, int]] = []
    played = Played([bag], lambda self: seen.append((len(self.messages) - 1, self.clock[-1][1])))
    played.run()
    times = np.array([now_ns for _, now_ns in played.clock])
    assert times[0] == START_NS
    assert (np.diff(times) >= 0).all()
    assert len(times) >= 6  # 40 Hz for 0.4 s, and few where others keep the processor busy
    assert all(now_ns <= START_NS + 100 * number * MS for number, now_ns in seen)


def test_part_of_a_bag_is_played(make_bag: Callable[..., Path]) -> None:
    bag = make_bag('bag', list(range(0, 1000, 10)))
    played = Played([bag], start_offset=0.5, duration=0.1).run()
    assert played.numbers() == list(range(50, 60))


def test_static_frames_are_played_before_the_first_message_without_a_wait(tmp_path: Path) -> None:
    with Writer(tmp_path / 'bag', version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for topic, at_s in (('/tf_static', 0), ('/a', 3600)):
            added = writer.add_connection(topic, 'std_msgs/msg/String', typestore=typestore())
            writer.write(added, START_NS + at_s * 1000 * MS, b'0')
    played = Played([tmp_path / 'bag']).run()
    assert [topic for _, topic, _ in played.messages] == ['/tf_static', '/a']
    assert played.clock[0][1] == START_NS + 3600 * 1000 * MS


@pytest.mark.parametrize(('offset_s', 'number'), [(0.0, 0), (500.0, 0), (3600.5, 2)])
def test_a_replay_begins_at_its_first_message_whatever_else_was_recorded_before(
    make_bag: Callable[..., Path], offset_s: float, number: int,
) -> None:
    hour_ms = 3_600_000
    bag = make_bag('bag', [hour_ms, hour_ms + 300, hour_ms + 600, hour_ms + 610])
    played = Played([bag], start_offset=offset_s).run()
    assert played.numbers() == list(range(number, 4))
    assert played.clock[0][1] == START_NS + (hour_ms + 300 * number) * MS


def test_bags_follow_each_other_and_again_when_looping(make_bag: Callable[..., Path]) -> None:
    bags = [make_bag('one', [0, 1, 2]), make_bag('two', [0, 1], START_NS - 10**12)]

    def stop(self: Played) -> None:
        if len(self.messages) == 12:
            self.player.stop()

    played = Played(bags, stop, loop=True).run()
    assert played.numbers() == [0, 1, 2, 0, 1] * 2 + [0, 1]
    assert Played(bags).run().numbers() == [0, 1, 2, 0, 1]


def test_pause_holds_messages_and_time_and_resuming_goes_on(
    make_bag: Callable[..., Path], wait_until: Callable[..., None],
) -> None:
    def pause(self: Played) -> None:
        if len(self.messages) == 20:
            self.player.pause(True)

    played = Played([make_bag('bag', list(range(0, 200, 2)))], pause)
    thread = threading.Thread(target=played.run, daemon=True)
    thread.start()
    wait_until(lambda: played.player.position.paused)
    ticks = len(played.clock)
    wait_until(lambda: len(played.clock) >= ticks + 4)
    assert len(played.messages) == 20
    assert len({now_ns for _, now_ns in played.clock[-3:]}) == 1
    played.player.pause(False)
    thread.join(60.0)
    assert played.numbers() == list(range(100))
    gap_ms = np.diff(played.elapsed_ms()).max()
    assert gap_ms > 60


def test_stop_ends_a_replay_that_waits(
    make_bag: Callable[..., Path], wait_until: Callable[..., None],
) -> None:
    played = Played([make_bag('bag', [0, 1e6])])
    thread = threading.Thread(target=played.run, daemon=True)
    thread.start()
    wait_until(lambda: played.messages)
    played.player.stop()
    thread.join(60.0)
    assert not thread.is_alive()


def test_reading_ahead_is_bounded_and_complete(make_bag: Callable[..., Path]) -> None:
    count = 2 * CHUNK_MESSAGES * MAX_CHUNKS + 17
    bag = make_bag('bag', [0.001 * k for k in range(count)])
    assert Played([bag], clock_rate=0.0).run().numbers() == list(range(count))
    before = set(threading.enumerate())
    stopped = Played([bag], lambda self: self.player.stop())
    stopped.run()
    assert len(stopped.messages) == 1
    assert set(threading.enumerate()) <= before


def test_position_reports_bag_elapsed_time_and_length(make_bag: Callable[..., Path]) -> None:
    played = Played([make_bag('bag', [0, 100, 200])]).run()
    position = played.player.position
    assert position.bag == 'bag'
    assert position.length_s == pytest.approx(0.2, abs=1e-6)
    assert 0.1 < position.elapsed_s <= 0.2 + 1e-6


def test_bag_that_breaks_off_is_an_error_in_the_playing_thread(
    make_bag: Callable[..., Path]
) -> None:
    times_ms = [0.001 * k for k in range(20_000)]
    bag = make_bag('bag', times_ms, storage=StoragePlugin.SQLITE3)
    file = next(bag.glob('*.db3'))
    data = bytearray(file.read_bytes())
    data[len(data) // 2:len(data) * 3 // 4] = b'\xff' * (len(data) // 4)
    file.write_bytes(bytes(data))
    played = Played([bag])
    with pytest.raises(SessionError, match=str(bag)):
        played.run()


def test_empty_bag_is_played_at_once(make_bag: Callable[..., Path]) -> None:
    assert Played([make_bag('bag', [])]).run().messages == []


@pytest.mark.parametrize('wrong', [{'rate': 0.0}, {'start_offset': -1.0}, {'duration': np.inf}])
def test_settings_out_of_their_limits_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        PlaySettings(**wrong)


def test_bags_of_the_same_time_are_played_together(make_bag: Callable[..., Path]) -> None:
    early = make_bag('early', [0, 20, 40])
    late = make_bag('late', [0, 10, 20, 30], START_NS + 5 * MS)
    played = Played([late, early, make_bag('empty', [])], together=True).run()
    assert played.numbers() == [0, 0, 1, 1, 2, 3, 2]
    assert played.clock[0][1] == START_NS
    assert played.player.position.length_s == pytest.approx(0.04, abs=1e-6)
    assert played.elapsed_ms()[-1] > 35


def test_replay_begins_at_a_time_of_the_host(make_bag: Callable[..., Path]) -> None:
    begin_s = time.time() + 0.3
    began_s: list[float] = []
    Played([make_bag('bag', [0, 1])], lambda _: began_s.append(time.time()), begin=begin_s).run()
    assert began_s[0] >= begin_s
    walk = make_bag('walk', [300, 310])  # players of other hosts have topics of their own
    began_s.clear()
    Played([walk], lambda _: began_s.append(time.time()), begin=begin_s).run()
    assert began_s[0] - begin_s >= 0.29
    waiting = Played([make_bag('later', [0, 1])], begin=begin_s + 3600)
    thread = threading.Thread(target=waiting.run, daemon=True)
    thread.start()
    waiting.player.stop()
    thread.join(60.0)
    assert not thread.is_alive()
    assert not waiting.messages
