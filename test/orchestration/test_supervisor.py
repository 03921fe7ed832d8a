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

"""Real processes: what a supervisor must do when they talk, die, hang, or when it dies itself."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import pytest

from utt_ros.errors import UttError
from utt_ros.orchestration import restarts
from utt_ros.orchestration.restarts import RestartBackoff, RetryBackoff
from utt_ros.orchestration.spec import ProcessSpec
from utt_ros.orchestration.supervisor import Supervisor

pytestmark = pytest.mark.slow

FOREVER = """
import signal
print('ready', flush=True)
while True:
    signal.pause()
"""
DEAF = f"""
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
{FOREVER}
"""
WAIT_SEC = 30.0

Wait = Callable[..., None]


def process(
    name: str, code: str, *, respawn: bool = False, essential: bool = False,
) -> ProcessSpec:
    return ProcessSpec(name, (sys.executable, '-I', '-S', '-c', code), respawn, essential)


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    with io.StringIO() as stream:
        yield stream


def test_output_is_forwarded_line_by_line_with_the_name_in_front(said: io.StringIO) -> None:
    code = r'import sys; print("one\ntwo"); print("three", end="", file=sys.stderr)'
    talks = process('area/sync', code, essential=True)
    with Supervisor([talks], output=said) as running:
        assert running.wait(WAIT_SEC)
    assert '[area/sync] one\n[area/sync] two\n[area/sync] three\n' in said.getvalue()


def test_output_longer_than_a_pipe_arrives_whole(said: io.StringIO) -> None:
    talks = process('a', 'for i in range(30000): print("line", i)', essential=True)
    with Supervisor([talks], output=said) as running:
        assert running.wait(WAIT_SEC)
    lines = [line for line in said.getvalue().splitlines() if line.startswith('[a]')]
    assert lines == [f'[a] line {i}' for i in range(30000)]


def test_output_goes_to_a_file_per_process(tmp_path: Path) -> None:
    talks = process('area/sync', 'print("to the file")', essential=True)
    with Supervisor([talks], output=None, log_dir=tmp_path / 'log') as running:
        assert running.wait(WAIT_SEC)
    assert (tmp_path / 'log' / 'area_sync.log').read_text() == 'to the file\n'


def test_run_is_over_when_every_task_has_ended_well(said: io.StringIO) -> None:
    specs = [
        process('player', 'pass', essential=True),
        process('other_player', 'pass', essential=True),
        process('twin', FOREVER, respawn=True, essential=True),
    ]
    with Supervisor(specs, output=said) as running:
        assert running.wait(WAIT_SEC)
        assert running.failure is None
        assert running.alive() == ('twin',)
    assert running.alive() == ()


def test_process_that_comes_after_another_starts_at_its_end(said: io.StringIO) -> None:
    specs = [
        replace(process('player', 'print("go")', essential=True), after='ready'),
        process('ready', 'import sys; sys.stdin.read(); print("set"); sys.exit(1)'),
    ]
    with Supervisor(specs, output=said) as running:
        assert running.wait(WAIT_SEC)
        assert running.failure is None
    lines = [line for line in said.getvalue().splitlines() if not line.startswith('utt:')]
    assert lines == ['[ready]  set', '[player] go']


def test_process_that_waits_for_another_counts_as_alive_until_the_stop(
    said: io.StringIO, wait_until: Wait,
) -> None:
    specs = [replace(process('player', 'print("go")'), after='ready'), process('ready', FOREVER)]
    with Supervisor(specs, output=said) as running:
        wait_until(lambda: 'ready' in said.getvalue())
        assert running.alive() == ('player', 'ready')
    assert running.alive() == ()
    assert 'go' not in said.getvalue()


def test_process_whose_predecessor_is_not_supervised_starts_at_once(said: io.StringIO) -> None:
    player = replace(process('player', 'print("go")', essential=True), after='ready')
    with Supervisor([player], output=said) as running:
        assert running.wait(WAIT_SEC)
    assert '[player] go' in said.getvalue()


def test_death_of_an_essential_process_ends_the_run_and_is_named(said: io.StringIO) -> None:
    specs = [process('player', 'raise SystemExit(7)', essential=True), process('twin', FOREVER)]
    with Supervisor(specs, output=said) as running:
        assert running.wait(WAIT_SEC)
        assert running.failure == 'player ended with exit code 7'


def test_death_of_an_inessential_process_is_reported_and_the_run_goes_on(
    said: io.StringIO, wait_until: Wait,
) -> None:
    specs = [process('rviz', 'raise SystemExit(7)'), process('twin', FOREVER)]
    with Supervisor(specs, output=said) as running:
        wait_until(lambda: 'rviz ended with exit code 7' in said.getvalue())
        assert running.alive() == ('twin',)
        assert not running.wait(0)


def test_process_that_dies_is_reported_and_restarted(
    said: io.StringIO, wait_until: Wait,
) -> None:
    twin = process('area/twin', FOREVER, respawn=True, essential=True)
    with Supervisor([twin], output=said) as running:
        first = running.pids()['area/twin']
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: running.pids().get('area/twin', first) != first)
        assert 'area/twin was ended by SIGKILL; restarting it in 0.1 s' in said.getvalue()
        assert running.failure is None


@pytest.fixture
def _quick_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = partial(RestartBackoff, first_sec=0.01, limit=3)
    monkeypatch.setattr(restarts, 'RestartBackoff', quick)
    monkeypatch.setattr(restarts, 'RetryBackoff', partial(RetryBackoff, first_sec=0.3))


def area_process(name: str, code: str) -> ProcessSpec:
    area, _, _ = name.partition('/')
    return replace(process(name, code, respawn=True, essential=True), area=area)


@pytest.mark.usefixtures('_quick_restarts')
def test_area_whose_process_keeps_dying_is_stopped_and_retried_while_others_go_on(
    said: io.StringIO, wait_until: Wait,
) -> None:
    specs = [
        area_process('hall/sync', 'raise SystemExit(7)'), area_process('hall/twin', FOREVER),
        area_process('stairs/twin', FOREVER),
        process('utt/aggregator', FOREVER, respawn=True, essential=True)]
    others = {'stairs/twin', 'utt/aggregator'}
    with Supervisor(specs, output=said) as running:
        before = running.pids()
        wait_until(lambda: 'hall is stopped and started again in 0.6 s' in said.getvalue())
        after = running.pids()
        assert {name: after[name] for name in others} == {name: before[name] for name in others}
        assert after.get('hall/twin') != before['hall/twin']
        assert not running.wait(0)
    assert running.failure == 'hall/sync ended with exit code 7; it ended 3 times in 60 s'


@pytest.mark.usefixtures('_quick_restarts')
def test_area_that_recovers_leaves_no_failure(
    said: io.StringIO, tmp_path: Path, wait_until: Wait,
) -> None:
    mended = str(tmp_path / 'mended')
    code = f'import os, sys\nos.path.exists({mended!r}) or sys.exit(7)\n{FOREVER}'
    with Supervisor([area_process('hall/sync', code)], output=said) as running:
        wait_until(running.trouble)
        (tmp_path / 'mended').touch()
        wait_until(lambda: 'ready' in said.getvalue())
        assert running.trouble() is None
    assert running.failure is None


def test_area_that_refuses_its_settings_ends_alone(said: io.StringIO, wait_until: Wait) -> None:
    specs = [area_process('hall/sync', 'raise SystemExit(2)'), area_process('hall/twin', FOREVER),
             area_process('stairs/sync', FOREVER)]
    with Supervisor(specs, output=said) as running:
        wait_until(lambda: running.alive() == ('stairs/sync',))
        assert not running.wait(0)
    assert running.failure == 'hall/sync ended with exit code 2'


def test_driver_of_several_areas_ends_alone_and_is_told(
    said: io.StringIO, wait_until: Wait,
) -> None:
    driver = replace(area_process('hall/imu', 'raise SystemExit(2)'), area='hall/imu')
    specs = [driver, area_process('hall/sync', FOREVER), area_process('stairs/sync', FOREVER)]
    with Supervisor(specs, output=said) as running:
        wait_until(lambda: 'hall/imu is stopped' in said.getvalue())
        assert running.alive() == ('hall/sync', 'stairs/sync')
        assert not running.wait(0.0)
    assert running.failure == 'hall/imu ended with exit code 2'


def test_driver_of_several_areas_outlives_none_of_them(said: io.StringIO) -> None:
    driver = replace(area_process('hall/imu', FOREVER), area='hall/imu')
    specs = [driver, *(area_process(f'{area}/sync', 'raise SystemExit(2)')
                       for area in ('hall', 'stairs'))]
    with Supervisor(specs, output=said) as running:
        assert running.wait(30.0)


def test_run_is_over_when_every_area_has_refused_its_settings(said: io.StringIO) -> None:
    specs = [area_process(f'{area}/sync', 'raise SystemExit(2)') for area in ('hall', 'stairs')]
    with Supervisor(specs, output=said) as running:
        assert running.wait(WAIT_SEC)
    assert running.failure is not None
    assert 'stairs/sync ended with exit code 2' in running.failure


BEATS = """
import signal, time
from utt_ros.orchestration.heartbeat import Heartbeat
signal.signal(signal.SIGUSR2, signal.SIG_IGN)
heartbeat = Heartbeat()
begin_s = time.monotonic()
while True:
    heartbeat.beat()
    if time.monotonic() > begin_s + 1.5:
        print('beats', flush=True)
        begin_s = float('inf')
    time.sleep(0.1)
"""


def test_process_that_hangs_is_killed_and_restarted(said: io.StringIO, wait_until: Wait) -> None:
    twin = ProcessSpec('hall/twin', (sys.executable, '-c', BEATS), respawn=True, essential=True)
    with Supervisor([twin], output=said, hang_sec=3.0) as running:
        pid = running.pids()['hall/twin']
        wait_until(lambda: 'beats' in said.getvalue())
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: said.getvalue().count('] beats') == 2, timeout_sec=3 * WAIT_SEC)
    text = f'hall/twin (process {pid}) hangs: no heartbeat for 3 s; it is killed'
    assert text in said.getvalue()
    assert 'hall/twin was ended by SIGKILL; restarting it in 0.1 s' in said.getvalue()
    assert running.failure is None


def test_process_that_refuses_its_settings_is_not_restarted(said: io.StringIO) -> None:
    twin = process('twin', 'raise SystemExit(2)', respawn=True, essential=True)
    with Supervisor([twin], output=said) as running:
        assert running.wait(WAIT_SEC)
        assert running.failure == 'twin ended with exit code 2'


def test_process_that_is_not_installed_ends_the_run(said: io.StringIO) -> None:
    missing = ProcessSpec('a', ('no-such-program',), essential=True)
    with Supervisor([missing], output=said) as running:
        assert running.wait(WAIT_SEC)
        assert running.failure == 'a ended with exit code 127'
    assert 'cannot start no-such-program: No such file or directory' in said.getvalue()


def test_process_that_ignores_signals_is_killed_after_the_deadline(
    said: io.StringIO, wait_until: Wait,
) -> None:
    with Supervisor([process('area/twin', DEAF)], output=said, stop_sec=0.2) as running:
        wait_until(lambda: 'ready' in said.getvalue())
        pid = running.pids()['area/twin']
    assert f'area/twin (process {pid}) did not stop and is killed' in said.getvalue()
    assert not psutil.pid_exists(pid)


def test_stop_is_an_interrupt_that_a_process_may_handle(
    said: io.StringIO, wait_until: Wait,
) -> None:
    polite = f'try:\n  exec({FOREVER!r})\nexcept KeyboardInterrupt:\n  print("bye")'
    with Supervisor([process('a', polite)], output=said):
        wait_until(lambda: 'ready' in said.getvalue())
    assert said.getvalue() == '[a] ready\nutt: stopping a\n[a] bye\n'


def test_descendants_of_a_process_end_with_it(said: io.StringIO, wait_until: Wait) -> None:
    start = f'subprocess.Popen([sys.executable, "-I", "-S", "-c", {DEAF!r}])'
    parent = process('a', f'import subprocess, sys\nprint({start}.pid)', essential=True)
    with Supervisor([parent], output=said) as running:
        assert running.wait(WAIT_SEC)
    grandchild = int(said.getvalue().split()[1])
    wait_until(lambda: not psutil.pid_exists(grandchild))


def test_reader_that_goes_away_ends_the_run() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, 'w')
    with Supervisor([process('a', 'print(1)\n' + FOREVER)], output=stream) as running:
        assert running.wait(WAIT_SEC)
    with suppress(BrokenPipeError):  # what was not written is flushed once more
        stream.close()


def test_two_processes_of_one_name_are_refused() -> None:
    with pytest.raises(UttError, match="two processes are named 'a/sync'"):
        Supervisor([process('a/sync', 'pass'), process('a/sync', 'pass')])


SUPERVISOR = """
import sys
from utt_ros.orchestration.supervisor import Supervisor
from utt_ros.orchestration.spec import ProcessSpec
command = (sys.executable, '-I', '-S', '-c', sys.argv[1])
with Supervisor([ProcessSpec('a', command)], output=sys.stdout) as running:
    print(running.pids()['a'], flush=True)
    running.wait()
"""


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGTERM])
def test_processes_die_with_their_supervisor(number: signal.Signals, wait_until: Wait) -> None:
    command = [sys.executable, '-c', SUPERVISOR, DEAF]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        assert 'ready' in supervisor.stdout.readline()
        supervisor.send_signal(number)
        supervisor.wait(WAIT_SEC)
    wait_until(lambda: not psutil.pid_exists(pid))
