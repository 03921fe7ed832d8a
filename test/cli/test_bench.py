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

"""Command line of `utt bench`; its rig is measured in test_live_rig."""

import json
import os
from pathlib import Path
from typing import Any, TextIO

import pytest

from utt_ros.cli import bench
from utt_ros.cli.main import main
from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks.latency import LiveResult, Usage
from utt_ros.evaluation.benchmarks.live_rig import Scenario, Timing
from utt_ros.models.model_card import save_model
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings

QUANTILES = {'p50': 2.0, 'p90': 3.0, 'p99': 4.0, 'max': 9.0}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    twin = UnifiedTwin(ModelSettings(width=8, heads=2, feedforward=8), WindowSettings())
    save_model(tmp_path / 'model.safetensors', twin, 'nothing', {}, {})
    return tmp_path / 'model.safetensors'


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Replace the run of a scenario, and collect its arguments."""
    calls: list[tuple[Any, ...]] = []

    def run(
        scenario: Scenario, phones: int, timing: Timing, folder: Path, output: TextIO,
    ) -> LiveResult:
        calls.append((scenario.title, phones, timing, folder))
        return LiveResult(
            title=scenario.title, phones=phones, seconds=timing.seconds, latency_ms=QUANTILES,
            position_ms=QUANTILES, trajectory_ms=QUANTILES, newest_input_ms=QUANTILES,
            predictions_per_s=30.0, ticks=20, predicted=60, sent={}, lost=0,
            usage={'twin': Usage(10.0, 120.0)}, counted=('twin',), windows_per_s=0.0,
            lateness_ms=QUANTILES, load=(1.0, 1.0))

    monkeypatch.setattr(bench, 'run_scenario', run)
    monkeypatch.setenv('ROS_DOMAIN_ID', '0')
    return calls


def test_live_measures_the_chosen_pipelines_and_writes_them_as_json(
    runs: list[tuple[Any, ...]], tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(['bench', 'live', '--only', 'naive', 'serving', '--phones', '3', '--seconds', '2',
                 '--warm-up', '0.5', '--domain', '42', '--json', str(tmp_path / 'live.json'),
                 '--logs', str(tmp_path / 'logs')]) == 0
    assert [folder.name for *_, folder in runs] == ['naive', 'serving']
    assert {folder.parent for *_, folder in runs} == {tmp_path / 'logs'}
    assert {(phones, timing) for _, phones, timing, _ in runs} == {(3, Timing(0.5, 2.0))}
    assert os.environ['ROS_DOMAIN_ID'] == '42'
    measured = json.loads((tmp_path / 'live.json').read_bytes())
    assert list(measured['scenarios']) == ['naive', 'serving']
    assert all(target['met'] for target in measured['targets'])
    table = capsys.readouterr().out
    assert all(title in table for title, *_ in runs)


def test_live_measures_every_pipeline_by_default(runs: list[tuple[Any, ...]]) -> None:
    assert main(['bench', 'live']) == 0
    assert tuple(folder.name for *_, folder in runs) == bench.SCENARIOS
    assert not runs[0][3].parent.exists()  # a temporary folder


def test_failed_process_of_the_rig_is_an_error_without_results(
    runs: list[tuple[Any, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: Any) -> LiveResult:
        raise UttError('naive: a process ended early')

    monkeypatch.setattr(bench, 'run_scenario', fail)
    assert main(['bench', 'live', '--json', str(tmp_path / 'live.json')]) == 2
    assert 'utt bench: naive: a process ended early' in capsys.readouterr().err
    assert not (tmp_path / 'live.json').exists()


def test_train_compares_throughput_with_the_naive_loop(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['bench', 'train', '--steps', '1', '--repeats', '1']) == 0
    words = capsys.readouterr().out.split()
    ours, naive, ratio = float(words[1]), float(words[8]), float(words[10])
    assert ratio == pytest.approx(ours / naive, rel=0.2)


def test_association_prints_a_row_per_method_and_the_cost_of_a_match(
    tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(['simulate', '--out', str(tmp_path / 'sessions'), '--areas', '1',
                 '--minutes', '0.7']) == 0
    assert main(['bench', 'association', '--data', str(tmp_path / 'sessions'),
                 '--model', str(model), '--only', 'labels', 'twin']) == 0
    lines = capsys.readouterr().out.strip().splitlines()[-5:]
    assert [line.split('|')[1].strip() for line in lines[2:4]] == ['`labels`', '`twin`']
    assert lines[4].startswith('twin: a match of 20 tracks and 20 phones ')
    assert lines[2].split('|')[6].strip() == '1.000'


def test_scorers_are_not_fitted_to_too_few_recordings(
    sessions: Path, tmp_path: Path, model: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(['bench', 'fit-association', '--data', str(sessions), '--model', str(model),
                 '--out', str(tmp_path / 'scorers.json')]) == 2
    assert 'fewer than two sequences with two phones in view' in capsys.readouterr().err
    assert not (tmp_path / 'scorers.json').exists()


@pytest.mark.parametrize(('words', 'error'), [
    ([], 'BENCH'),
    (['live', '--phones', '0'], 'it must be within 1..100'),
    (['live', '--seconds', '0.5'], 'it must be within 1.0..3600.0'),
    (['live', '--warm-up', '-1'], 'it must be within 0.0..600.0'),
    (['live', '--only', 'fastest'], "invalid choice: 'fastest'"),
    (['train', '--steps', '1.5'], "invalid int value: '1.5'"),
    (['train', '--repeats', '1001'], 'it must be within 1..1000')])
def test_wrong_arguments_are_refused_with_their_limits(
    words: list[str], error: str, capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match='2'):
        main(['bench', *words])
    assert error in capsys.readouterr().err
