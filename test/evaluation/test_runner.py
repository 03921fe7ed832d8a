"""`utt evaluate` from recordings to report."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import SettingsError
from utt_ros.evaluation import runner
from utt_ros.evaluation.report.html_report import write_report
from utt_ros.evaluation.report.results_table import read_results
from utt_ros.evaluation.results import Row, Unit, UnitResult
from utt_ros.evaluation.runner import EvaluationRequest, FinishedUnit, run
from utt_ros.models.settings import ModelSettings
from utt_ros.training.training_recipe import Recipe


@dataclass
class Told:
    """What a run says of its progress."""

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
    request = EvaluationRequest(sessions, tmp_path_factory.mktemp('out'), ('operations',),
                      save_predictions=True, recipe=recipe)
    assert run(request, 1, Told()) == []
    return request


def test_predictions_give_the_errors_of_the_rows(request_: EvaluationRequest) -> None:
    rows = json.loads((request_.out / 'results.json').read_bytes())['rows']
    checked = 0
    for path in (request_.out / 'predictions').glob('operations-utt-*.npz'):
        with np.load(path, allow_pickle=False) as file:
            made = {name: file[name] for name in file.files}
        error = np.where(made['mask'], made['prediction'] - made['target'], 0.0)
        spread = np.where(made['mask'], made['target'] - made['train_mean'], 0.0)
        expected = np.mean((error.astype(float)**2).sum((0, 1)) / (spread**2).sum((0, 1)))
        row = next(row for row in rows if row['method'] == 'utt' and row['metric'] == 'nmse_var'
                   and all(row[name] == str(made[field]) for name, field in (
                       ('operation', 'operation'), ('sources', 'sources'),
                       ('target', 'target_modality'))))
        assert row['value'] == pytest.approx(expected, rel=1e-4)
        assert row['n_windows'] == len(made['stamp']) == len(made['sequence'])
        checked += 1
    assert checked == 15  # six transfers, three merges, three splits of two


def test_all_methods_are_judged_on_the_same_windows(request_: EvaluationRequest) -> None:
    table, _ = read_results(request_.out)
    for operation, sources, target in (('merge', 'camera+imu', 'ftm'), ('split', 'ftm', 'imu')):
        cells = table.find(operation=operation, sources=sources, target=target, metric='nmse_var')
        assert {key[1] for key in cells} == {
            'utt', 'utt_past', 'direct', 'direct_reconstruct', 'specific', 'mean', 'last_value'}
        assert len({cell.n_windows for cell in cells.values()}) == 1


def test_the_mean_of_the_training_data_has_an_error_of_one(request_: EvaluationRequest) -> None:
    table, _ = read_results(request_.out)
    cells = table.find(method='mean', metric='nmse_var')
    assert cells
    assert all(cell.mean == pytest.approx(1.0) for cell in cells.values())


def test_a_run_that_was_stopped_does_only_what_is_missing(request_: EvaluationRequest) -> None:
    (request_.out / 'units/operations-floors.json').unlink()
    told = Told()
    assert run(request_, 1, told) == []
    assert told.keys == ('operations-floors',)
    assert told.begin == told.total - 1


def test_results_hold_what_earlier_calls_found_in_other_suites(request_: EvaluationRequest) -> None:
    units = request_.out / 'units'
    content = json.loads((units / 'operations-floors.json').read_bytes())
    row = content['rows'][0] | {'suite': 'tasks', 'seed': 1}
    (units / 'tasks-some.json').write_text(json.dumps(content | {'rows': [row]}))
    assert run(request_, 1, Told()) == []
    (units / 'tasks-some.json').unlink()
    table, about = read_results(request_.out)
    assert len(table.find(suite='tasks')) == 1
    assert (about['suites'], about['seeds']) == (['operations', 'tasks'], 2)


def test_results_of_another_split_are_not_mixed_in(request_: EvaluationRequest) -> None:
    with pytest.raises(SettingsError, match='another split'):
        run(replace(request_, split='val'), 1, Told())


def test_the_report_needs_no_other_file(request_: EvaluationRequest) -> None:
    page = write_report(request_.out).read_text(encoding='utf-8')
    assert 'data:image/png;base64,' in page
    assert 'Table I' in page
    assert 'src="http' not in page
    assert 'href=' not in page


def test_a_unit_that_fails_in_any_way_is_told_and_the_others_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> UnitResult:
        raise TypeError('of a suite')

    row = Row('tasks', 'utt', 'o', 'a', 'b', 'gating', 0, 'nmse_var', 0.5, np.int64(7))  # type: ignore[arg-type]
    request = EvaluationRequest(tmp_path, tmp_path)
    (tmp_path / runner.UNITS).mkdir()
    known = {'good': Unit('good', lambda: UnitResult((row,))), 'bad': Unit('bad', fail)}
    monkeypatch.setattr(runner, '_state', {'request': request, 'units': {'tasks': known}})
    assert runner._run_unit('tasks', 'bad').error == 'TypeError: of a suite'
    assert runner._run_unit('tasks', 'good').error == ''
    kept = json.loads((tmp_path / runner.UNITS / 'good.json').read_bytes())
    assert kept['rows'][0]['n_windows'] == 7
