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

"""A node as a real process: how it starts, and how signals end it."""

import errno
import io
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from utt_ros.bridge.node.process import is_transient
from utt_ros.errors import SettingsError
from utt_ros.orchestration.spec import ProcessSpec
from utt_ros.orchestration.supervisor import Supervisor

NODE = """
import sys
from rclpy.node import Node
from utt_ros.bridge.node.process import run_node
from utt_ros.errors import SettingsError, UttError

def make():
    if 'refuse' in sys.argv:
        raise SettingsError('no such luck')
    if 'starve' in sys.argv:
        raise OSError(28, 'No space left on device')
    node = Node('quiet')
    node.create_timer(0.05, tick)
    return node

def tick():
    print('spinning', flush=True)
    if 'fail' in sys.argv:
        raise UttError('out of luck')

sys.exit(run_node(make, []))
"""
WAIT_SEC = 30.0


@pytest.mark.usefixtures('ros_domain')
@pytest.mark.parametrize('numbers', [
    (signal.SIGINT,), (signal.SIGTERM,), (signal.SIGINT, signal.SIGINT),
])
def test_signal_ends_a_node_cleanly_even_when_it_comes_twice(
    numbers: tuple[signal.Signals, ...],
) -> None:
    command = [sys.executable, '-c', NODE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == 'spinning\n'
        for number in numbers:
            process.send_signal(number)
        assert process.wait(WAIT_SEC) == 0


@pytest.mark.usefixtures('ros_domain')
@pytest.mark.parametrize(('how', 'code', 'reason'), [
    ('refuse', 2, 'no such luck'), ('starve', 1, 'No space left'), ('fail', 1, 'out of luck'),
])
def test_refused_settings_end_a_node_with_2_and_a_later_error_with_1(
    how: str, code: int, reason: str,
) -> None:
    done = subprocess.run(
        [sys.executable, '-c', NODE, how], capture_output=True, text=True, timeout=WAIT_SEC,
        check=False,
    )
    assert done.returncode == code
    assert reason in done.stderr


@pytest.mark.parametrize(('number', 'expected'), [
    (errno.ENOSPC, True), (errno.ENOMEM, True), (errno.EAGAIN, True), (errno.EMFILE, True),
    (errno.ENOENT, False), (errno.EACCES, False)])
def test_only_what_the_machine_lacks_is_worth_a_later_start(number: int, expected: bool) -> None:
    refused = SettingsError('keys cannot be kept')
    refused.__cause__ = OSError(number, 'why')
    assert is_transient(refused) is is_transient(refused.__cause__) is expected
    assert not is_transient(SettingsError('lag is 7.5'))


@pytest.mark.usefixtures('ros_domain')
def test_signal_that_is_repeated_until_the_end_changes_nothing() -> None:
    command = [sys.executable, '-c', NODE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == 'spinning\n'
        deadline_s = time.monotonic() + WAIT_SEC
        while process.poll() is None and time.monotonic() < deadline_s:
            process.send_signal(signal.SIGINT)
    assert process.returncode == 0


@pytest.mark.usefixtures('ros_domain')
def test_node_that_does_not_come_to_its_end_is_ended_by_the_kernel() -> None:
    code = NODE.replace('run_node(make, [])', 'run_node(make, [], max_stop_sec=0.3)').replace(
        "node = Node('quiet')",
        "node = Node('quiet'); node.destroy_node = lambda: threading.Event().wait()",
    ).replace('import sys', 'import sys, threading')
    with subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b'spinning\n'
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SEC) == -signal.SIGALRM


HANGS = NODE.replace("print('spinning', flush=True)", """
    global ticks
    ticks += 1
    print('spinning', flush=True)
    if ticks > 40:
        signal.pause()
""").replace('import sys', 'import signal, sys\nticks = 0')


@pytest.mark.usefixtures('ros_domain')
def test_node_whose_callback_hangs_is_traced_killed_and_restarted(
    wait_until: Callable[..., None],
) -> None:
    node = ProcessSpec('hall/twin', (sys.executable, '-c', HANGS), respawn=True, essential=True)
    with io.StringIO() as said, Supervisor([node], output=said, hang_sec=3.0) as running:
        wait_until(lambda: 'restarting it' in said.getvalue(), 3 * WAIT_SEC)
        assert 'hangs: no heartbeat for 3 s; it is killed' in said.getvalue()
        assert 'in tick' in said.getvalue()
        assert running.trouble() is None


STUCK = """
import sys, threading
from utt_ros.bridge.node.process import abandon_threads
free = threading.Event()
threading.Thread(target=free.wait, daemon=sys.argv[1] == 'daemon').start()
abandon_threads(3)
print('goes on')
"""


@pytest.mark.parametrize(('kind', 'code', 'said'), [('thread', 3, ''), ('daemon', 0, 'goes on')])
def test_process_ends_at_once_although_a_thread_runs(kind: str, code: int, said: str) -> None:
    done = subprocess.run([sys.executable, '-c', STUCK, kind], capture_output=True, text=True,
                          timeout=WAIT_SEC, check=False)
    assert (done.returncode, done.stdout.strip()) == (code, said)
