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

import subprocess
import sys

import pytest

from utt_ros.errors import ModelError
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings
from utt_ros.twin import graph_trial_child
from utt_ros.twin.graph_layout import LIVE_OUTPUTS
from utt_ros.twin.graph_trial_child import try_graph
from utt_ros.twin.onnx_model import MAX_BATCH, OnnxGraph

WINDOW = WindowSettings(ticks=8, horizon=4, imu_rows=2)


@pytest.fixture
def counts(monkeypatch):
    """Record the numbers of subjects of evaluations."""
    found = []
    run = OnnxGraph.run

    def record(graph, count, inputs):
        found.append(count)
        return run(graph, count, inputs)

    monkeypatch.setattr(OnnxGraph, 'run', record)
    return found


def test_a_new_form_is_tried_for_every_number_of_subjects_and_new_weights_for_few(
    make_graph, counts,
):
    first = try_graph(make_graph(1.0, WINDOW), WINDOW, LIVE_OUTPUTS, None)
    assert set(counts) == set(range(1, MAX_BATCH + 1))
    counts.clear()
    try_graph(make_graph(2.0, WINDOW), WINDOW, LIVE_OUTPUTS, first)
    assert set(counts) == {1, 2}


def test_a_graph_that_reads_several_access_points_is_tried_with_those_of_the_area(monkeypatch):
    model = ModelSettings(width=8, heads=2, feedforward=8, access_points_read='all')
    given, run = [], OnnxGraph.run

    def record(graph, count, inputs):
        given.append(inputs['further_ftm_mask'].shape[2])
        return run(graph, count, inputs)

    monkeypatch.setattr(OnnxGraph, 'run', record)
    try_graph(export_onnx(UnifiedTwin(model, WINDOW), 4), WINDOW, LIVE_OUTPUTS, None, 4)
    assert set(given) == {3}


def test_an_evaluation_above_the_limit_is_refused(make_graph, monkeypatch):
    monkeypatch.setattr(graph_trial_child, 'MAX_EVALUATION_SEC', 0.0)
    with pytest.raises(ModelError, match='computes for'):
        try_graph(make_graph(1.0, WINDOW), WINDOW, LIVE_OUTPUTS, None)


def test_a_confined_process_writes_no_file_and_takes_no_memory_without_limit(tmp_path):
    script = (
        'from pathlib import Path\nfrom utt_ros.twin.graph_trial_child import confine\n'
        'import numpy as np, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nconfine()\n'
        'for work in (lambda: Path("a").write_bytes(b"a"), lambda: np.ones(2**31)):\n'
        '    try:\n        work()\n    except (OSError, MemoryError) as err:\n'
        '        print(type(err).__name__)\n')
    done = subprocess.run(
        [sys.executable, '-c', script], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        check=True)
    assert done.stdout.split()[0] == 'OSError'
    assert 'MemoryError' in done.stdout.split()[1]


def test_computing_time_is_limited_below_a_hard_limit_that_stays():
    script = (
        'import resource\nfrom utt_ros.twin.graph_trial_child import _limit_cpu\n'
        'resource.setrlimit(resource.RLIMIT_CPU, (500, 500))\n_limit_cpu()\n'
        'print(*resource.getrlimit(resource.RLIMIT_CPU))\n')
    done = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True, timeout=60, check=True)
    soft, hard = map(int, done.stdout.split())
    assert 0 < soft < hard == 500
