"""A node as a real process: how it starts, and how signals end it."""

import signal
import subprocess
import sys

import pytest

NODE = """
import sys
from rclpy.node import Node
from utt_ros.bridge.process import run_node
from utt_ros.errors import SettingsError

def make():
    if 'refuse' in sys.argv:
        raise SettingsError('no such luck')
    node = Node('quiet')
    node.create_timer(0.05, lambda: print('spinning', flush=True))
    return node

sys.exit(run_node(make, []))
"""
WAIT_SEC = 20.0


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
def test_node_whose_settings_are_refused_ends_with_exit_code_2() -> None:
    done = subprocess.run(
        [sys.executable, '-c', NODE, 'refuse'], capture_output=True, text=True, timeout=WAIT_SEC,
        check=False,
    )
    assert done.returncode == 2
    assert 'no such luck' in done.stderr
