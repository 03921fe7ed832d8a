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

"""`utt evaluate` from recordings to report."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from utt_ros.errors import SettingsError
from utt_ros.evaluation import runner
from utt_ros.evaluation.process_pool import run_in_processes
from utt_ros.evaluation.report.seed_statistics import seed_statistics, select_cells
from utt_ros.evaluation.results import Row, UnitResult, read_results
from utt_ros.evaluation.runner import run_evaluation
from utt_ros.evaluation.unit_worker import EvaluationRequest, FinishedUnit, UnitName
from utt_ros.models.settings import ModelSettings
from utt_ros.training.training_recipe import Recipe

ONE_PROCESS = partial(run_in_processes, jobs=1)


@dataclass
class Progress:
    """Records the progress of a run."""

    begin: int = -1
    total: int = 0
    keys: tuple[str, ...] = ()

    def __call__(self, done: FinishedUnit | None, count: int, total: int) -> None:
        self.total = total
        if done is None:
            self.begin = count
        else:
            self.keys += (done.key,)


@pytest.fixture(scope='module')
def request_(sessions: Path, tmp_path_factory: pytest.TempPathFactory) -> EvaluationRequest:
    """Evaluate the operations once, with small models."""
    small = ModelSettings(width=8, heads=2, feedforward=8)
    recipe = Recipe(model=small, rounds=1, local_steps=1, batch=4)
    request = EvaluationRequest((sessions,), tmp_path_factory.mktemp('out'), ('operations',),
                      save_predictions=True, recipe=recipe)
    assert run_evaluation(request, ONE_PROCESS, Progress()) == []
    return request


def test_predictions_give_the_errors_of_the_rows(request_: EvaluationRequest) -> None:
    rows = json.loads((request_.out / 'results.json').read_bytes())['rows']
    checked = 0
    for path in (request_.out / 'predictions').glob('operations-utt-*.npz'):
        with np.load(path, allow_pickle=False) as file:
            predicted = {name: file[name] for name in file.files}
        error = np.where(predicted['mask'], predicted['prediction'] - predicted['target'], 0.0)
        spread = np.where(predicted['mask'], predicted['target'] - predicted['train_mean'], 0.0)
        expected = np.mean((error.astype(float)**2).sum((0, 1)) / (spread**2).sum((0, 1)))
        row = next(row for row in rows if row['method'] == 'utt' and row['metric'] == 'nmse_var'
                   and all(row[name] == str(predicted[field]) for name, field in (
                       ('operation', 'operation'), ('sources', 'sources'),
                       ('target', 'target_modality'))))
        assert row['value'] == pytest.approx(expected, rel=1e-4)
        assert row['n_windows'] == len(predicted['stamp']) == len(predicted['sequence'])
        checked += 1
    assert checked == 15  # six transfers, three merges, three splits of two


def test_all_methods_are_evaluated_on_the_same_windows(request_: EvaluationRequest) -> None:
    table = seed_statistics(read_results(request_.out))
    further = {'ridge', 'ridge_past', 'ridge_both', 'utt_belief'}  # a split is its transfers
    for operation, sources, target, others in (
            ('merge', 'camera+imu', 'ftm', further), ('split', 'ftm', 'imu', set())):
        cells = select_cells(
            table, operation=operation, sources=sources, target=target, metric='nmse_var')
        assert set(cells['method']) == others | {
            'utt', 'utt_past', 'direct', 'direct_reconstruct', 'specific', 'mean', 'last_value'}
        assert cells['n_windows'].nunique() == 1


def test_the_mean_of_the_training_data_has_an_error_of_one(request_: EvaluationRequest) -> None:
    cells = select_cells(
        seed_statistics(read_results(request_.out)), method='mean', metric='nmse_var')
    assert len(cells)
    assert cells['mean'].to_numpy() == pytest.approx(1.0)


def test_resumed_run_runs_only_missing_units(request_: EvaluationRequest) -> None:
    (request_.out / 'units/operations-floors.json').unlink()
    progress = Progress()
    assert run_evaluation(request_, ONE_PROCESS, progress) == []
    assert progress.keys == ('operations-floors',)
    assert progress.begin == progress.total - 1


def test_results_include_the_rows_of_earlier_calls(request_: EvaluationRequest) -> None:
    units = request_.out / 'units'
    content = json.loads((units / 'operations-floors.json').read_bytes())
    row = content['rows'][0] | {'suite': 'tasks', 'seed': 1}
    (units / 'tasks-some.json').write_text(json.dumps(content | {'rows': [row]}))
    assert run_evaluation(request_, ONE_PROCESS, Progress()) == []
    (units / 'tasks-some.json').unlink()
    rows = read_results(request_.out)
    about = rows.attrs['about']
    assert (rows['suite'] == 'tasks').sum() == 1
    assert (about['suites'], about['seeds']) == (['operations', 'tasks'], 2)


def test_results_of_another_split_are_not_mixed_in(request_: EvaluationRequest) -> None:
    with pytest.raises(SettingsError, match='another split'):
        run_evaluation(replace(request_, split='val'), ONE_PROCESS, Progress())


def test_failing_unit_is_reported_and_others_are_stored(
    request_: EvaluationRequest, tmp_path: Path,
) -> None:
    row = Row('tasks', 'utt', 'o', 'a', 'b', 'gating', 0, 'nmse_var', 0.5, np.int64(7))  # type: ignore[arg-type]

    def execute(_: EvaluationRequest, units: Sequence[UnitName]) -> Iterator[FinishedUnit]:
        (_, bad), (_, good), (_, unwritable), *_ = units
        yield FinishedUnit(bad, 1.0, 'TypeError: of a suite')
        yield FinishedUnit(good, 1.0, '', UnitResult((row,)))
        (tmp_path / runner.UNITS / f'{unwritable}.json').mkdir()
        yield FinishedUnit(unwritable, 1.0, '', UnitResult((row,)))

    copytree(request_.out / 'cache', tmp_path / 'cache')
    request = replace(request_, out=tmp_path, save_predictions=False)
    progress = Progress()
    bad, unwritable = run_evaluation(request, execute, progress)
    assert bad == f'{progress.keys[0]}: TypeError: of a suite'
    assert unwritable.startswith(f'{progress.keys[2]}: IsADirectoryError')
    stored = json.loads((tmp_path / runner.UNITS / f'{progress.keys[1]}.json').read_bytes())
    assert stored['rows'][0]['n_windows'] == 7
