"""Start processes, forward what they say, start them again, stop them all; leave none behind."""

import os
import selectors
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

from utt_ros.errors import UttError
from utt_ros.orchestration.child import ChildProcess
from utt_ros.orchestration.output import PrefixedOutput
from utt_ros.orchestration.spec import ProcessSpec

POLL_SEC = 0.05
INTERRUPT_SEC = 10.0  # from SIGINT to SIGTERM
TERMINATE_SEC = 2.0  # from SIGTERM to SIGKILL
EXIT_SETTINGS_REFUSED = 2  # exit code of a node; starting it again would not help
DEFAULT_ENVIRONMENT = {
    'OMP_NUM_THREADS': '1',
    'PYTHONUNBUFFERED': '1',
    'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
}


class RestartBackoff:
    """When to start a process again: later each time, and not at all when it dies too often."""

    def __init__(self, first_sec: float = 0.5, limit: int = 5, window_sec: float = 60.0) -> None:
        self._first_sec = first_sec
        self._limit = limit
        self._window_sec = window_sec
        self._deaths: deque[float] = deque()

    def delay(self, now_s: float) -> float | None:
        """Return the seconds to wait after a death at `now_s`; None when the limit is reached."""
        self._deaths.append(now_s)
        while now_s - self._deaths[0] > self._window_sec:
            self._deaths.popleft()
        if len(self._deaths) >= self._limit:
            return None
        return float(self._first_sec * 2 ** (len(self._deaths) - 1))

    def __str__(self) -> str:
        return f'{self._limit} times in {self._window_sec:g} s'


class Supervisor:
    """Supervisor that run inside a `with` block; leaving it stops them all.

    One thread starts, watches and stops them, so `wait` and `alive` may be called from anywhere.
    The run is over when an essential process has ended for good, or when every essential process
    that is not started again has ended with exit code 0.
    """

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        *,
        output: TextIO | None = sys.stderr,
        log_dir: Path | None = None,
        stop_sec: float = INTERRUPT_SEC,
    ) -> None:
        names = [spec.name for spec in specs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UttError(f'two processes are named {twice[0]!r}')
        self._specs = {spec.name: spec for spec in specs}
        self._output = PrefixedOutput(names, output, log_dir)
        self._environment = child_environment(colour=self._output.colour)
        self._stop_sec = stop_sec
        self._children: dict[str, ChildProcess] = {}
        self._due: dict[str, float] = {}  # name -> when to start again, time.monotonic
        self._waiting = {spec.name: spec for spec in specs if spec.after in names}
        self._backoffs = {spec.name: RestartBackoff() for spec in specs}
        self._tasks = {spec.name for spec in specs if spec.essential and not spec.respawn}
        self._selector = selectors.DefaultSelector()
        self._stop = threading.Event()
        self._kill = threading.Event()
        self._started = threading.Event()
        self._over = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name='processes')
        self.failure: str | None = None

    def __enter__(self) -> 'Supervisor':  # noqa: PYI034 - Self came with Python 3.11
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def alive(self) -> tuple[str, ...]:
        """Names of the processes that run or wait to be started."""
        return tuple(sorted({*dict(self._children), *dict(self._due), *dict(self._waiting)}))

    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        return {name: child.pid for name, child in dict(self._children).items()}

    def wait(self, timeout_sec: float | None = None) -> bool:
        """Wait until the run is over; return whether it is. `failure` says what went wrong."""
        return self._over.wait(timeout_sec)

    def end(self) -> None:
        """Call the run over: `wait` returns. Safe in a signal handler."""
        self._over.set()

    def stop(self) -> None:
        """Stop every process; a second Ctrl-C while waiting kills them at once."""
        self._stop.set()
        try:
            self._ended.wait()  # a join() that is interrupted takes the thread for ended
        except KeyboardInterrupt:
            self._kill.set()
            self._ended.wait()
        self._thread.join()

    def _supervise(self) -> None:
        try:
            for name, spec in self._specs.items():
                if name not in self._waiting:
                    self._start(spec)
            self._started.set()
            while not self._stop.is_set():
                self._turn()
                self._start_due()
            self._due.clear()
            self._waiting.clear()
            self._stop_all()
        except BaseException as err:
            self.failure = self.failure or f'{type(err).__name__}: {err}'
            raise
        finally:
            self._kill_all()
            self._output.close()
            self._selector.close()
            self._started.set()
            self._over.set()
            self._ended.set()

    def _start(self, spec: ProcessSpec) -> None:
        child = ChildProcess(spec, self._environment)
        self._children[spec.name] = child
        self._selector.register(child.output, selectors.EVENT_READ, child)

    def _start_due(self) -> None:
        now_s = time.monotonic()
        for name, due_s in list(self._due.items()):
            if due_s <= now_s:
                self._start(self._specs[name])
                del self._due[name]

    def _turn(self) -> None:
        """Forward what was said, then look who has ended."""
        for key, _ in self._selector.select(POLL_SEC):
            self._forward(key.data)
        for child in list(self._children.values()):
            if child.ended():
                self._bury(child)

    def _forward(self, child: ChildProcess) -> bool:
        lines = child.read_lines()
        for line in lines or ():
            if not self._output.write(child.spec.name, line):
                self._over.set()
        if child.closed and lines is not None:
            self._selector.unregister(child.output)
        return lines is not None

    def _bury(self, child: ChildProcess) -> None:
        spec, code = child.spec, child.reap()
        while self._forward(child):
            pass
        if not child.closed:
            self._selector.unregister(child.output)
        child.output.close()
        if not self._stop.is_set():
            self._judge(spec, code)
        del self._children[spec.name]

    def _judge(self, spec: ProcessSpec, code: int) -> None:
        """Decide what the end of a process that nobody stopped means."""
        how = describe_exit(code)
        if spec.respawn and code != EXIT_SETTINGS_REFUSED:
            delay_sec = self._backoffs[spec.name].delay(time.monotonic())
            if delay_sec is not None:
                self._due[spec.name] = time.monotonic() + delay_sec
                self._output.note(f'{spec.name} {how}; starting it again in {delay_sec:g} s')
                return
            how += f'; it ended {self._backoffs[spec.name]} and is given up'
        self._output.note(f'{spec.name} {how}')
        self._tasks.discard(spec.name)
        for name in [name for name, other in self._waiting.items() if other.after == spec.name]:
            self._start(self._waiting[name])
            del self._waiting[name]
        if spec.essential and (code != 0 or spec.respawn):
            self.failure = self.failure or f'{spec.name} {how}'
            self._over.set()
        elif spec.essential and not self._tasks:
            self._over.set()

    def _stop_all(self) -> None:
        for number, wait_sec in ((signal.SIGINT, self._stop_sec), (signal.SIGTERM, TERMINATE_SEC)):
            for child in self._children.values():
                child.signal(number)
            deadline_s = time.monotonic() + wait_sec
            while self._children and time.monotonic() < deadline_s and not self._kill.is_set():
                self._turn()

    def _kill_all(self) -> None:
        for name, child in list(self._children.items()):
            self._output.note(f'{name} (process {child.pid}) did not stop and is killed')
            child.signal(signal.SIGKILL)
            self._bury(child)


def child_environment(*, colour: bool, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Environment of started nodes: `base` (default: ours) wins over the defaults above."""
    given = dict(os.environ if base is None else base)
    colours = {'RCUTILS_COLORIZED_OUTPUT': '1' if colour else '0'}
    return {**DEFAULT_ENVIRONMENT, **colours, **given}


def describe_exit(code: int) -> str:
    """Say how a process ended, from its exit code (-N for signal N)."""
    if code >= 0:
        return f'ended with exit code {code}'
    try:
        return f'was ended by {signal.Signals(-code).name}'
    except ValueError:
        return f'was ended by signal {-code}'
