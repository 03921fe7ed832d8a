"""The guard ends a child with its parent, and reports a command that cannot be started."""

import os
import subprocess
import sys

from utt_ros.orchestration.child import GUARD
from utt_ros.orchestration.parent_guard import NOT_FOUND


def guard(parent: int, *command: str) -> 'subprocess.CompletedProcess[str]':
    return subprocess.run(
        [sys.executable, '-I', '-S', str(GUARD), str(parent), *command], capture_output=True,
        text=True, check=False, timeout=30)


def test_command_replaces_the_guard_with_its_interrupt_handler_restored():
    code = 'import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)'
    assert guard(os.getpid(), sys.executable, '-c', code).stdout == 'True\n'


def test_command_that_cannot_be_started_is_named():
    done = guard(os.getpid(), '/nowhere/node')
    assert done.returncode == NOT_FOUND
    assert done.stderr.startswith('cannot start /nowhere/node: ')


def test_guard_whose_parent_is_another_process_ends():
    done = guard(1, sys.executable, '-c', 'print("started")')
    assert (done.returncode, done.stdout) == (1, '')
    assert 'parent process has ended' in done.stderr
