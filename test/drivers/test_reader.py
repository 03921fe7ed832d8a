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

from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import pytest

from utt_ros.drivers.reader import ReaderSettings, SourceReader
from utt_ros.drivers.source import Source
from utt_ros.errors import SourceError

FAST = ReaderSettings(first_wait=0.01, longest_wait=0.01)


class Script(Source[int]):
    """Deliver one list per read, or raise an exception; wait at the end."""

    def __init__(self, *steps: list[int] | Exception, close: Exception | None = None) -> None:
        super().__init__()
        self.steps, self.trouble = list(steps), close
        self.opened = self.closed = 0
        self.hold, self.held = Event(), Event()
        self.hold.set()

    def open(self) -> None:
        self.opened += 1

    def read(self, timeout_s: float) -> list[int]:
        if not self.hold.is_set():
            self.held.set()
            self.hold.wait()
        if not self.steps:
            Event().wait(min(timeout_s, 0.01))
            return []
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def close(self) -> None:
        self.closed += 1
        if self.trouble is not None:
            raise self.trouble


@pytest.fixture
def run() -> Iterator[Callable[..., SourceReader]]:
    readers: list[tuple[Script, SourceReader]] = []

    def start(
        script: Script, settings: ReaderSettings = FAST, wake: Any = lambda: None,
    ) -> SourceReader:
        readers.append((script, SourceReader(script, settings, wake)))
        readers[-1][1].start()
        return readers[-1][1]

    yield start
    for script, reader in readers:
        script.hold.set()
        assert reader.stop()


def test_a_lost_source_is_reopened_without_loss_of_earlier_samples(
        run: Callable[..., SourceReader], wait_until: Callable[..., None]) -> None:
    script = Script([1, 2], SourceError('gone'), [3], KeyError('a fault'), [4])
    reader, got = run(script), []
    wait_until(lambda: got.extend(reader.take()) or len(got) == 4)
    assert got == [1, 2, 3, 4]
    status = reader.status()
    assert (status.state, status.samples, status.reopened) == ('open', 4, 2)
    assert (script.opened, script.closed) == (3, 2)


def test_the_oldest_samples_are_dropped_and_counted_when_none_are_taken(
        run: Callable[..., SourceReader], wait_until: Callable[..., None]) -> None:
    reader = run(Script([1, 2, 3], [4]), ReaderSettings(queue=2))
    wait_until(lambda: reader.status().samples == 4)
    assert reader.take() == [3, 4]
    assert reader.status().dropped == 2


def test_the_queue_holds_simultaneous_pushes_of_twenty_phones(
        run: Callable[..., SourceReader], wait_until: Callable[..., None]) -> None:
    pushed = list(range(20 * 2 * 100))  # of a second: inertial and magnetic, at 100 Hz
    reader = run(Script(pushed), ReaderSettings())
    wait_until(lambda: reader.status().samples)
    assert reader.take() == pushed


def test_a_source_that_fails_to_close_is_reopened(
        run: Callable[..., SourceReader], wait_until: Callable[..., None]) -> None:
    script = Script(SourceError('gone'), close=OSError('it is gone'))
    reader = run(script)
    wait_until(lambda: script.opened == 2)
    assert reader.stop()
    assert reader.status().state == 'closed'
    assert reader.status().error == 'OSError: it is gone'


def test_a_start_that_was_interrupted_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_thread: Thread) -> None:
        raise KeyboardInterrupt

    reader = SourceReader(Script(), FAST, lambda: None)
    monkeypatch.setattr(Thread, 'start', interrupt)
    with pytest.raises(KeyboardInterrupt):
        reader.start()
    assert reader.stop()


def test_a_thread_that_does_not_end_is_never_joined_by_a_second_one(
        run: Callable[..., SourceReader], wait_until: Callable[..., None]) -> None:
    script = Script()
    script.hold.clear()
    reader = run(script)
    wait_until(script.held.is_set)
    assert not reader.stop(0.01)
    reader.start()
    assert not reader.stop(0.01)
    assert script.opened == 1
    script.hold.set()
    assert reader.stop()
    assert script.closed == 1
    reader.start()
    wait_until(lambda: script.opened == 2)
