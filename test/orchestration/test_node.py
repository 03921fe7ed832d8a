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

"""Starting a node: what a Ctrl-C does before it listens for one, and after."""

import signal
import subprocess
import sys

import pytest

LOADING = """
import signal, sys, types
from utt_ros.orchestration import node

def pause():
    print('ready', flush=True)
    signal.pause()

def load(name):
    if sys.argv[1:] == ['while_loading']:
        pause()
    return types.SimpleNamespace(main=pause)

node.import_module = load
sys.exit(node.main())
"""


@pytest.mark.parametrize('when', ['while_loading', 'later'])
def test_interrupt_before_a_node_listens_for_one_leaves_no_traceback(when: str) -> None:
    command = [sys.executable, '-c', LOADING, 'sync', when]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == 'ready\n'
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert said == ''


def test_node_gets_its_arguments_without_its_name() -> None:
    done = subprocess.run(
        [sys.executable, '-m', 'utt_ros.orchestration.node', 'player', '--help'],
        capture_output=True, text=True, timeout=30, check=False,
    )
    assert done.returncode == 0
    assert '--start-offset' in done.stdout
