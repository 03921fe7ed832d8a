from collections.abc import Callable, Iterator
from threading import Event, Thread
from typing import Any

import pytest

from utt_ros.drivers.reader import Pump, PumpSettings
from utt_ros.drivers.source import Source
from utt_ros.errors import SourceError

FAST = PumpSettings(first_wait=0.01, longest_wait=0.01)


class Script(Source[int]):
    """Delivers what it was given, a list per read; exceptions are raised. At the end it waits."""

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
def run() -> Iterator[Callable[..., Pump]]:
    made: list[tuple[Script, Pump]] = []

    def start(script: Script, settings: PumpSettings = FAST, wake: Any = lambda: None) -> Pump:
        made.append((script, Pump(script, settings, wake)))
        made[-1][1].start()
        return made[-1][1]

    yield start
    for script, pump in made:
        script.hold.set()
        assert pump.stop()


def test_a_lost_source_is_opened_again_and_nothing_that_came_is_lost(
        run: Callable[..., Pump], wait_until: Callable[..., None]) -> None:
    script = Script([1, 2], SourceError('gone'), [3], KeyError('a fault'), [4])
    pump, got = run(script), []
    wait_until(lambda: got.extend(pump.take()) or len(got) == 4)
    assert got == [1, 2, 3, 4]
    status = pump.status()
    assert (status.state, status.samples, status.reopened) == ('open', 4, 2)
    assert (script.opened, script.closed) == (3, 2)


def test_the_oldest_are_dropped_and_counted_when_nobody_takes(
        run: Callable[..., Pump], wait_until: Callable[..., None]) -> None:
    pump = run(Script([1, 2, 3], [4]), PumpSettings(queue=2))
    wait_until(lambda: pump.status().samples == 4)
    assert pump.take() == [3, 4]
    assert pump.status().dropped == 2


def test_what_twenty_phones_push_at_once_finds_room(
        run: Callable[..., Pump], wait_until: Callable[..., None]) -> None:
    pushed = list(range(20 * 2 * 100))  # of a second: inertial and magnetic, at 100 Hz
    pump = run(Script(pushed), PumpSettings())
    wait_until(lambda: pump.status().samples)
    assert pump.take() == pushed


def test_a_source_that_fails_to_close_is_opened_again_all_the_same(
        run: Callable[..., Pump], wait_until: Callable[..., None]) -> None:
    script = Script(SourceError('gone'), close=OSError('it is gone'))
    pump = run(script)
    wait_until(lambda: script.opened == 2)
    assert pump.stop()
    assert pump.status().state == 'closed'
    assert pump.status().trouble == 'OSError: it is gone'


def test_a_start_that_was_interrupted_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_thread: Thread) -> None:
        raise KeyboardInterrupt

    pump = Pump(Script(), FAST, lambda: None)
    monkeypatch.setattr(Thread, 'start', interrupt)
    with pytest.raises(KeyboardInterrupt):
        pump.start()
    assert pump.stop()


def test_a_thread_that_does_not_end_is_never_joined_by_a_second_one(
        run: Callable[..., Pump], wait_until: Callable[..., None]) -> None:
    script = Script()
    script.hold.clear()
    pump = run(script)
    wait_until(script.held.is_set)
    assert not pump.stop(0.01)
    pump.start()
    assert not pump.stop(0.01)
    assert script.opened == 1
    script.hold.set()
    assert pump.stop()
    assert script.closed == 1
    pump.start()
    wait_until(lambda: script.opened == 2)
