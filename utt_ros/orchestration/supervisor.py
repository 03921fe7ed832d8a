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

"""Supervision of child processes: start, output, restart, stop; none is left behind."""

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

SUPERVISOR_POLL_SEC = 0.05
INTERRUPT_SEC = 10.0  # from SIGINT to SIGTERM
TERMINATE_SEC = 2.0  # from SIGTERM to SIGKILL
EXIT_SETTINGS_REFUSED = 2  # exit code of a node; a restart would not help
DEFAULT_ENVIRONMENT = {
    'OMP_NUM_THREADS': '1',
    'PYTHONUNBUFFERED': '1',
    'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
}


class RestartBackoff:
    """Exponential back-off of restarts, with a limit of deaths per window."""

    def __init__(self, first_sec: float = 0.5, limit: int = 5, window_sec: float = 60.0) -> None:
        self._first_sec = first_sec
        self._limit = limit
        self._window_sec = window_sec
        self._deaths: deque[float] = deque()

    def delay(self, now_s: float) -> float | None:
        """Return the delay [s] after a death at `now_s`; None when the limit is reached."""
        self._deaths.append(now_s)
        while now_s - self._deaths[0] > self._window_sec:
            self._deaths.popleft()
        if len(self._deaths) >= self._limit:
            return None
        return float(self._first_sec * 2 ** (len(self._deaths) - 1))

    def __str__(self) -> str:
        return f'{self._limit} times in {self._window_sec:g} s'


class Supervisor:
    """Supervisor of processes inside a `with` block; leaving it stops them all.

    One thread starts, monitors and stops them; `wait` and `alive` may be called from any thread.
    The run is over when an essential process has ended finally, or when all essential processes
    without respawn have ended with exit code 0.
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
        duplicates = sorted({name for name in names if names.count(name) > 1})
        if duplicates:
            raise UttError(f'two processes are named {duplicates[0]!r}')
        self._specs = {spec.name: spec for spec in specs}
        self._output = PrefixedOutput(names, output, log_dir)
        self._environment = child_environment(colour=self._output.colour)
        self._stop_sec = stop_sec
        self._children: dict[str, ChildProcess] = {}
        self._due: dict[str, float] = {}  # name -> time of the restart, time.monotonic
        self._waiting = {spec.name: spec for spec in specs if spec.after in names}
        self._backoffs = {spec.name: RestartBackoff() for spec in specs}
        self._tasks = {spec.name for spec in specs if spec.essential and not spec.respawn}
        self._selector = selectors.DefaultSelector()
        self._stop = threading.Event()
        self._kill = threading.Event()
        self._started = threading.Event()
        self._over = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name='supervisor')
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
        """Return the names of processes that run or wait for their start."""
        return tuple(sorted({*dict(self._children), *dict(self._due), *dict(self._waiting)}))

    def pids(self) -> dict[str, int]:
        """Return process ids by name."""
        return {name: child.pid for name, child in dict(self._children).items()}

    def wait(self, timeout_sec: float | None = None) -> bool:
        """Wait until the run is over; return whether it is. `failure` holds the reason."""
        return self._over.wait(timeout_sec)

    def end(self) -> None:
        """End the run: `wait` returns. Safe in a signal handler."""
        self._over.set()

    def stop(self) -> None:
        """Stop all processes; a second Ctrl-C during the wait kills them."""
        self._stop.set()
        try:
            self._ended.wait()  # an interrupted join() marks the thread as ended
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
                self._poll()
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

    def _poll(self) -> None:
        """Forward new output, then handle ended processes."""
        for key, _ in self._selector.select(SUPERVISOR_POLL_SEC):
            self._forward(key.data)
        for child in list(self._children.values()):
            if child.has_ended():
                self._reap(child)

    def _forward(self, child: ChildProcess) -> bool:
        lines = child.read_lines()
        for line in lines or ():
            if not self._output.write(child.spec.name, line):
                self._over.set()
        if child.closed and lines is not None:
            self._selector.unregister(child.output)
        return lines is not None

    def _reap(self, child: ChildProcess) -> None:
        spec, code = child.spec, child.reap()
        while self._forward(child):
            pass
        if not child.closed:
            self._selector.unregister(child.output)
        child.output.close()
        if not self._stop.is_set():
            self._handle_exit(spec, code)
        del self._children[spec.name]

    def _handle_exit(self, spec: ProcessSpec, code: int) -> None:
        """Restart, start dependants or end the run after a process was not stopped but ended."""
        how = describe_exit(code)
        if spec.respawn and code != EXIT_SETTINGS_REFUSED:
            delay_sec = self._backoffs[spec.name].delay(time.monotonic())
            if delay_sec is not None:
                self._due[spec.name] = time.monotonic() + delay_sec
                self._output.note(f'{spec.name} {how}; restarting it in {delay_sec:g} s')
                return
            how += f'; it ended {self._backoffs[spec.name]} and is not restarted'
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
                self._poll()

    def _kill_all(self) -> None:
        for name, child in list(self._children.items()):
            self._output.note(f'{name} (process {child.pid}) did not stop and is killed')
            child.signal(signal.SIGKILL)
            self._reap(child)


def child_environment(*, colour: bool, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of child processes: `base` (default: our own) over the defaults."""
    given = dict(os.environ if base is None else base)
    colours = {'RCUTILS_COLORIZED_OUTPUT': '1' if colour else '0'}
    return {**DEFAULT_ENVIRONMENT, **colours, **given}


def describe_exit(code: int) -> str:
    """Describe the end of a process by its exit code (-N for signal N)."""
    if code >= 0:
        return f'ended with exit code {code}'
    try:
        return f'was ended by {signal.Signals(-code).name}'
    except ValueError:
        return f'was ended by signal {-code}'
