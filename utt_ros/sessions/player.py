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

"""Timing of a replay; no ROS: messages and clock are published through functions."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from heapq import merge
from operator import itemgetter
from pathlib import Path
from queue import Full, Queue
from time import monotonic_ns, time

from utt_ros.errors import SessionError
from utt_ros.sessions.bag_io import LoggedMessage, open_bag
from utt_ros.settings import check, setting
from utt_ros.types import NS_PER_S

STATIC_FRAMES_TOPIC = '/tf_static'
CHUNK_MESSAGES = 256  # handed over at once by the reading thread
MAX_CHUNKS = 8  # in the queue
QUEUE_POLL_SEC = 0.1


@dataclass(frozen=True, slots=True)
class PlaySettings:
    """Settings of a replay."""

    rate: float = setting(1.0, 'speed of the replay, 1: real time', low=0.001, high=1000.0)
    start_offset: float = setting(0.0, 'time into each bag at which it starts [s]', low=0.0)
    duration: float = setting(0.0, 'length of each bag that is played; 0: all [s]', low=0.0)
    loop: bool = setting(False, 'repeat the bags until stopped')
    together: bool = setting(
        False, 'play all bags at once, as they were recorded at the same time')
    begin: float = setting(
        0.0, 'time of this host at which the replay begins [s since 1970]; 0: at once',
        low=0.0, high=4e9)
    clock_rate: float = setting(
        40.0, 'rate at which the clock is published; 0: never [Hz]', low=0.0, high=1000.0)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class ReplayPosition:
    """Progress of a replay."""

    bag: str
    elapsed_s: float
    length_s: float
    paused: bool


class Player:
    """Publishes the messages of bags, one bag after the other or all at once, each at its time.

    `run` needs a thread of its own; the other methods may be called from any thread.
    """

    def __init__(
        self,
        bags: Sequence[Path],
        settings: PlaySettings,
        topics: Collection[str],
        publish: Callable[[str, bytes], None],
        publish_clock: Callable[[int], None],
    ) -> None:
        self._bags = bags
        self._settings = settings
        self._topics = topics
        self._publish = publish
        self._publish_clock = publish_clock
        self._wake = threading.Event()
        self._stopped = False
        self._pause = False  # requested
        self._is_paused = False
        self._span = ('', 0, 0)
        self._bag_ns = 0  # time of the bag at `_wall_ns`
        self._wall_ns = 0
        self._clock_due_ns = 0
        self._shown_ns = 0

    @property
    def position(self) -> ReplayPosition:
        name, start_ns, end_ns = self._span
        at_s = max(self._shown_ns - start_ns, 0) / NS_PER_S
        return ReplayPosition(name, at_s, (end_ns - start_ns) / NS_PER_S, self._is_paused)

    def pause(self, paused: bool) -> None:
        """Pause or resume."""
        self._pause = paused
        self._wake.set()

    def stop(self) -> None:
        """End `run` as soon as possible."""
        self._stopped = True
        self._wake.set()

    def run(self) -> None:
        """Play until the end or until stopped. Raises SessionError for a broken bag."""
        together = self._settings.together
        groups = [self._bags] if together else [[path] for path in self._bags]
        self._await_begin()
        while True:
            for paths in groups:
                self._play(paths)
                if self._stopped:
                    return
            if not self._settings.loop:
                return

    def _await_begin(self) -> None:
        while not self._stopped and (left_s := self._settings.begin - time()) > 0.0:
            if self._wake.wait(left_s):
                self._wake.clear()

    def _play(self, paths: Sequence[Path]) -> None:
        offset_ns = round(self._settings.start_offset * NS_PER_S)
        begin_ns, first_ns, end_ns = _joint_span(paths, self._topics, offset_ns)
        start_ns = begin_ns if self._settings.begin else first_ns
        if self._settings.duration:
            end_ns = min(end_ns, start_ns + round(self._settings.duration * NS_PER_S))
        self._span = (paths[0].name, start_ns, end_ns)
        with _Prefetch(paths, self._topics, begin_ns, end_ns) as messages:
            self._shown_ns = self._bag_ns = start_ns
            self._wall_ns = self._clock_due_ns = monotonic_ns()
            for log_ns, topic, data in messages:
                if not self._wait(max(log_ns, start_ns)):
                    return
                self._publish(topic, data)
            self._wait(end_ns)

    def _wait(self, log_ns: int) -> bool:
        """Wait until bag time `log_ns`, publishing the clock; return false when stopped."""
        while not self._stopped:
            now_ns = monotonic_ns()
            self._apply_pause(now_ns)
            if now_ns >= self._clock_due_ns:
                self._publish_time(now_ns, log_ns)
            wake_ns = self._clock_due_ns
            if not self._is_paused:
                due_ns = self._wall_ns + round((log_ns - self._bag_ns) / self._settings.rate)
                if now_ns >= due_ns:
                    return True
                wake_ns = min(wake_ns, due_ns)
            if self._wake.wait((wake_ns - now_ns) / NS_PER_S):
                self._wake.clear()
        return False

    def _apply_pause(self, now_ns: int) -> None:
        """Stop the bag time, or let it continue from where it stopped."""
        if self._pause == self._is_paused:
            return
        if self._pause:
            self._bag_ns = self._bag_time(now_ns)
        self._wall_ns = now_ns
        self._is_paused = self._pause

    def _bag_time(self, now_ns: int) -> int:
        if self._is_paused:
            return self._bag_ns
        return self._bag_ns + round((now_ns - self._wall_ns) * self._settings.rate)

    def _publish_time(self, now_ns: int, log_ns: int) -> None:
        """Publish the bag time, which never exceeds the time of the next message."""
        self._shown_ns = min(self._bag_time(now_ns), log_ns)
        rate = self._settings.clock_rate
        if rate:
            self._publish_clock(self._shown_ns)
        self._clock_due_ns = now_ns + round(NS_PER_S / rate if rate else QUEUE_POLL_SEC * NS_PER_S)


def _joint_span(
    paths: Sequence[Path], topics: Collection[str], offset_ns: int,
) -> tuple[int, int, int]:
    """Return begin, first message of `topics` and end of bags [ns].

    The begin is `offset_ns` after that of the first bag; empty bags have none. Static frames are
    no first message: they are recorded before anything else.
    """
    awaited = {topic for topic in topics if topic != STATIC_FRAMES_TOPIC}
    with ExitStack() as opened:
        bags = [opened.enter_context(open_bag(path)) for path in paths]
        filled = [bag for bag in bags if bag.end_ns] or bags
        begin_ns = min(bag.start_ns for bag in filled) + offset_ns
        end_ns = max(bag.end_ns for bag in filled)
        firsts = [next(bag.messages(awaited, begin_ns, end_ns), None) for bag in filled]
    return begin_ns, min((first[0] for first in firsts if first), default=begin_ns), end_ns


class _Prefetch:
    """Reads bags in order of time, in a thread, a bounded number of messages ahead."""

    def __init__(
        self, paths: Sequence[Path], topics: Collection[str], start_ns: int, stop_ns: int
    ) -> None:
        self._paths = paths
        self._topics = topics
        self._span = (start_ns, stop_ns)
        self._chunks: Queue[list[LoggedMessage] | SessionError] = Queue(MAX_CHUNKS)
        self._closed = False
        self._thread = threading.Thread(target=self._read, name='prefetch', daemon=True)

    def __enter__(self) -> Iterator[LoggedMessage]:
        self._thread.start()
        return self._messages(self._chunks.get())  # start only once a chunk is read

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._thread.join()

    def _messages(self, chunk: list[LoggedMessage] | SessionError) -> Iterator[LoggedMessage]:
        """Yield all messages. Raises SessionError when the bag is broken."""
        while chunk:
            if isinstance(chunk, SessionError):
                raise chunk
            yield from chunk
            chunk = self._chunks.get()

    def _read(self) -> None:
        chunk: list[LoggedMessage] = []
        try:
            with ExitStack() as opened:
                bags = [opened.enter_context(open_bag(path)) for path in self._paths]
                for message in merge(
                        *(bag.messages(self._topics, *self._span) for bag in bags),
                        key=itemgetter(0)):
                    chunk.append(message)
                    if len(chunk) == CHUNK_MESSAGES:
                        self._hand_over(chunk)
                        chunk = []
                    if self._closed:
                        return
        except SessionError as err:
            self._hand_over(err)
            return
        if chunk:
            self._hand_over(chunk)
        self._hand_over([])

    def _hand_over(self, chunk: list[LoggedMessage] | SessionError) -> None:
        while not self._closed:
            try:
                self._chunks.put(chunk, timeout=QUEUE_POLL_SEC)
            except Full:
                continue
            return
