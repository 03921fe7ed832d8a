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

import os
import signal
import subprocess
import sys

import psutil
import pytest

from utt_ros.errors import ModelError
from utt_ros.evaluation.benchmarks.hostile_graphs import (
    ATTACKS_BY_COST,
    RAW_ATTACKS,
    hostile_graph,
)
from utt_ros.settings import WindowSettings
from utt_ros.twin.graph_trial import TRIAL_NICENESS, GraphTrial

WINDOW = WindowSettings(ticks=8, horizon=4, imu_rows=2)
PATIENT_SEC = 200.0  # computing time limits trials, however little of it others leave to a child


@pytest.fixture(scope='module')
def trial():
    made = GraphTrial(WINDOW, timeout_sec=PATIENT_SEC)
    yield made
    made.close()


def child(trial) -> psutil.Process:
    return psutil.Process(trial._process.pid)


def test_a_good_graph_passes_with_new_weights_too(trial, make_graph):
    for speed in (1.0, 2.0):
        trial.check(make_graph(speed, WINDOW))


@pytest.mark.parametrize('kind', [*RAW_ATTACKS, *ATTACKS_BY_COST])
def test_a_hostile_graph_is_refused_and_the_next_one_tried(trial, make_graph, kind):
    with pytest.raises(ModelError) as refusal:
        trial.check(hostile_graph(kind, make_graph(shape=WINDOW)))
    assert 10 < len(str(refusal.value)) <= 400
    trial.check(make_graph(shape=WINDOW))


def test_a_graph_that_computes_too_long_is_refused_by_its_time(trial, make_graph):
    with pytest.raises(ModelError, match=r'ended its trial|computes for'):
        trial.check(hostile_graph('slow products', make_graph(shape=WINDOW)))


def test_a_trial_that_does_not_end_is_ended(make_graph):
    trial = GraphTrial(WINDOW, timeout_sec=0.01)
    stuck = child(trial)
    with pytest.raises(ModelError, match=r'did not end within 0.01 s'):
        trial.check(make_graph(shape=WINDOW))
    assert not stuck.is_running()
    trial.close()


def test_a_child_that_died_between_trials_is_replaced(trial, make_graph):
    trial._process.send_signal(signal.SIGKILL)
    trial._process.wait()
    trial.check(make_graph(shape=WINDOW))


def test_the_child_ends_with_the_trial(make_graph):
    trial = GraphTrial(WINDOW)
    process = child(trial)
    trial.close()
    assert not process.is_running()
    with pytest.raises(ModelError):
        trial.check(make_graph(shape=WINDOW))


FORKED = """
import os, sys
from pathlib import Path
from utt_ros.errors import ModelError
from utt_ros.settings import WindowSettings
from utt_ros.twin.graph_trial import GraphTrial
from utt_ros.twin.graph_trial_child import fork_trial

kept = open(sys.argv[1])
process, link = fork_trial()
trial = GraphTrial(WindowSettings(ticks=8, horizon=4, imu_rows=2), child=(process, link))
trial.check(Path(sys.argv[1]).read_bytes())
print(os.getpriority(os.PRIO_PROCESS, process.pid) - os.getpriority(os.PRIO_PROCESS, 0))
print(sorted(os.listdir(f'/proc/{process.pid}/fd')))
try:
    trial.check(b'none')
except ModelError as err:
    print(err)
process.kill()
process.wait()
trial.check(Path(sys.argv[1]).read_bytes())
print(trial._process.pid != process.pid)
trial.close()
"""


def test_a_process_that_was_forked_tries_graphs_and_is_replaced(make_graph, tmp_path):
    (tmp_path / 'graph').write_bytes(make_graph(shape=WINDOW))
    done = subprocess.run(
        [sys.executable, '-c', FORKED, str(tmp_path / 'graph')], capture_output=True, text=True,
        timeout=120, check=True)
    niceness, descriptors, refusal, *replaced = done.stdout.splitlines()
    assert int(niceness) == min(TRIAL_NICENESS, 19 - os.nice(0))
    assert descriptors == "['0', '1', '2', '3']"
    assert 'graph' in refusal
    assert replaced == ['True']


def test_a_trial_gives_way_to_the_ticks_of_its_twin(trial, make_graph):
    trial.check(make_graph(shape=WINDOW))
    assert child(trial).nice() == min(os.nice(0) + TRIAL_NICENESS, 19)
