"""How `utt run` ends: the signals that it gets, and the exit code that it gives."""

import signal
import subprocess
import sys
import time

import pytest

WATCH = """
import sys
from utt_ros.cli.run import run_supervised
from utt_ros.orchestration.supervisor import Supervisor
from utt_ros.orchestration.spec import ProcessSpec
command = (sys.executable, '-I', '-S', '-c', sys.argv[1])
sys.exit(run_supervised(Supervisor([ProcessSpec('hall/twin', command, essential=True)])))
"""
POLITE = """
import signal, sys
signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
print('ready', flush=True)
signal.pause()
"""
DEAF = """
import os, signal
signal.signal(signal.SIGINT, lambda *_: os.write(1, b'not yet\\n'))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready', flush=True)
while True:
    signal.pause()
"""
WAIT_SEC = 30.0


def watched(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, '-c', WATCH, code], stderr=subprocess.PIPE, text=True)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.readline()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_interrupt_and_termination_are_an_end_like_any_other(number: signal.Signals) -> None:
    with watched(POLITE) as process:
        assert line(process) == '[hall/twin] ready\n'
        process.send_signal(number)
        assert process.wait(WAIT_SEC) == 0
        assert line(process) == ''


def test_second_interrupt_kills_at_once() -> None:
    with watched(DEAF) as process:
        assert line(process) == '[hall/twin] ready\n'
        process.send_signal(signal.SIGINT)
        assert line(process) == '[hall/twin] not yet\n'
        begin_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_SEC) == 0
        assert time.monotonic() - begin_s < 5.0
        assert 'did not stop and is killed' in line(process)


def test_death_of_what_matters_is_told_by_the_exit_code() -> None:
    with watched('raise SystemExit(7)') as process:
        assert process.wait(WAIT_SEC) == 1
        assert process.stderr is not None
        assert process.stderr.read().splitlines()[-1] == (
            'utt run: stopped because hall/twin ended with exit code 7')
