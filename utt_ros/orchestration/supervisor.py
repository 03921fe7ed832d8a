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

import selectors
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TextIO

from utt_ros.errors import UttError
from utt_ros.orchestration.child import (
    HUNG,
    INTERRUPT_SEC,
    ChildProcess,
    child_environment,
    polite_ending,
)
from utt_ros.orchestration.fork_client import FORK_SERVER, ForkServer, can_fork, fork_server_specs
from utt_ros.orchestration.heartbeat import HANG_SEC
from utt_ros.orchestration.output import PrefixedOutput, RunListener
from utt_ros.orchestration.restarts import Consequence, RestartPolicy, describe_exit
from utt_ros.orchestration.shared_memory import remove_dead_segments
from utt_ros.orchestration.spec import ProcessSpec

SUPERVISOR_POLL_SEC = 0.05
MAX_IMPORT_SEC = 10.0  # for the fork server's imports, before nodes are started without it


class Supervisor:
    """Supervisor of processes inside a `with` block; leaving it stops them all.

    One thread starts, monitors and stops them; `wait` and `alive` may be called from any thread.
    A unit of processes (an area) that keeps failing is stopped and started again later, while the
    others go on. The run is over when all essential processes without respawn have ended, when
    all areas have ended for good, or an essential process outside of areas has.
    """

    def __init__(
        self,
        specs: Sequence[ProcessSpec],
        *,
        output: TextIO | None = sys.stderr,
        log_dir: Path | None = None,
        stop_sec: float = INTERRUPT_SEC,
        hang_sec: float = HANG_SEC,
        listener: RunListener | None = None,
    ) -> None:
        """`hang_sec`: silence of a heartbeat after which a process is killed; 0: never."""
        names = [spec.name for spec in specs]
        duplicates = sorted({name for name in names if names.count(name) > 1})
        if duplicates:
            raise UttError(f'two processes are named {duplicates[0]!r}')
        specs = [*fork_server_specs(specs), *specs]
        self._specs = {spec.name: spec for spec in specs}
        self._output = PrefixedOutput(self._specs, output, log_dir, listener)
        self._environment = child_environment(colour=self._output.colour)
        self._polite = polite_ending(stop_sec)
        self._hang_sec = hang_sec
        self._children: dict[str, ChildProcess] = {}
        self._due: dict[str, float] = {}  # name -> time of the restart, time.monotonic
        self._waits_for_imports = FORK_SERVER in self._specs
        self._waiting = {spec.name: spec for spec in specs if spec.after in names}
        self._policy = RestartPolicy({spec.name: spec.unit for spec in specs if spec.respawn})
        self._tasks = {spec.name for spec in specs if spec.essential and not spec.respawn}
        self._selector = selectors.DefaultSelector()
        self._stop = threading.Event()
        self._kill = threading.Event()
        self._started = threading.Event()
        self._over = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name='supervisor')
        self.failure: str | None = None  # the first one

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
        names = {*dict(self._children), *dict(self._due), *dict(self._waiting)}
        return tuple(sorted(names - {FORK_SERVER}))

    def pids(self) -> dict[str, int]:
        """Return process ids by name."""
        return {name: child.pid for name, child in dict(self._children).items()}

    def trouble(self) -> str | None:
        """Return the failure, or why areas and other essential processes are stopped now."""
        essential = {spec.unit for spec in self._specs.values() if spec.essential}
        down = [reason for unit, reason in dict(self._policy.down).items() if unit in essential]
        return self.failure or '; '.join(down) or None

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
            remove_dead_segments()
            for spec in [spec for name, spec in self._specs.items() if name not in self._waiting]:
                if self._waits_for_imports and can_fork(spec):
                    self._due[spec.name] = time.monotonic() + MAX_IMPORT_SEC
                else:
                    self._start(spec)
            self._started.set()
            while not self._stop.is_set():
                self._poll()
                self._start_due()
            self.failure = self.trouble()
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
        if spec.name == FORK_SERVER:
            child: ChildProcess = ForkServer(spec, self._environment)
        else:
            server = self._fork_server()
            child = ChildProcess(spec, self._environment, self._hang_sec,
                                 fork=server.fork if server else None)
            self._output.note(spec.name, 'started', f'{spec.name} is started')
        self._children[spec.name] = child
        self._selector.register(child.output, selectors.EVENT_READ, child)
        self._policy.started(spec.name)

    def _fork_server(self) -> ForkServer | None:
        server = self._children.get(FORK_SERVER)
        return server if isinstance(server, ForkServer) else None

    def _start_due(self) -> None:
        now_s = time.monotonic()
        if self._waits_for_imports:
            server = self._fork_server()
            if server is None or server.is_ready():
                self._waits_for_imports = False
                self._due = dict.fromkeys(self._due, now_s)
        for name, due_s in list(self._due.items()):
            if due_s <= now_s and name not in self._children:
                del self._due[name]
                self._start(self._specs[name])

    def _poll(self) -> None:
        """Forward new output, then handle ended processes."""
        for key, _ in self._selector.select(SUPERVISOR_POLL_SEC):
            self._forward(key.data)
        now_s = time.monotonic()
        for child in list(self._children.values()):
            if child.has_ended():
                self._reap(child)
            else:
                self._watch(child, now_s)

    def _watch(self, child: ChildProcess, now_s: float) -> None:
        """Continue to end a process, or begin where it hangs."""
        if child.is_ending:
            if child.escalate(now_s) == signal.SIGKILL and child.is_stopped:
                self._note_kill(child)
        elif child.heartbeat.is_hung(now_s):
            self._output.note(child.spec.name, 'hung', f'{child} hangs: no heartbeat for '
                              f'{self._hang_sec:g} s; it is killed')
            child.begin_end(HUNG, now_s)

    def _stop_child(self, child: ChildProcess) -> None:
        """Begin to stop a process; its end has no consequence."""
        if not child.is_stopped:
            child.is_stopped = True
            child.begin_end(self._polite, time.monotonic())

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
        del self._children[spec.name]
        if code < 0:
            remove_dead_segments()
        if not self._stop.is_set() and not child.is_stopped:
            self._handle_exit(spec, code)

    def _handle_exit(self, spec: ProcessSpec, code: int) -> None:
        """Restart, start dependants or end the run after a process was not stopped but ended."""
        now_s = time.monotonic()
        if spec.respawn:
            consequence = self._policy.exit(spec.name, code, now_s)
            self._output.note(spec.name, consequence.kind, consequence.text)
            self._follow(spec.name, consequence, now_s)
        else:
            self._output.note(spec.name, 'failed' if code else 'done',
                              f'{spec.name} {describe_exit(code) if code else "is done"}')
            if spec.essential and code:
                self.failure = self.failure or f'{spec.name} {describe_exit(code)}'
        self._tasks.discard(spec.name)
        for name in [name for name, other in self._waiting.items() if other.after == spec.name]:
            self._start(self._waiting[name])
            del self._waiting[name]
        if self._is_over(spec):
            self.failure = self.trouble()
            self._over.set()

    def _follow(self, name: str, consequence: Consequence, now_s: float) -> None:
        """Restart a process, or stop its unit."""
        if consequence.restart_sec is not None:
            self._due[name] = now_s + consequence.restart_sec
        for other in consequence.stop:
            self._due.pop(other, None)
            if consequence.retry_sec is not None:
                self._due[other] = now_s + consequence.retry_sec
            if other in self._children:
                self._stop_child(self._children[other])

    def _is_over(self, ended: ProcessSpec) -> bool:
        """Check for the end of the run after the end of a process."""
        if not ended.essential:
            return False
        if not ended.respawn:
            return not self._tasks
        areas = {spec.area for spec in self._specs.values() if spec.area not in {'', spec.name}}
        return ended.unit in self._policy.ended and (
            not ended.area or areas <= self._policy.ended)

    def _stop_all(self) -> None:
        names = [name for name in self._children if name != FORK_SERVER]
        if names:
            self._output.note('', 'stopping', f'stopping {", ".join(names)}')
        for child in self._children.values():
            self._stop_child(child)
        while self._children and not self._kill.is_set():
            self._poll()

    def _kill_all(self) -> None:
        for child in list(self._children.values()):
            self._note_kill(child)
            child.signal(signal.SIGKILL)
            self._reap(child)

    def _note_kill(self, child: ChildProcess) -> None:
        self._output.note(child.spec.name, 'killed', f'{child} did not stop and is killed')
