"""The suites that compare fusors, plans, servers and costs."""

from pathlib import Path

import pytest

from utt_ros.evaluation.federated import strategies
from utt_ros.evaluation.federated.communication_cost import LINK_BPS
from utt_ros.evaluation.results import Row
from utt_ros.evaluation.suites import SUITES, suite_units
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.fusors import FUSORS
from utt_ros.training.recordings import Recordings
from utt_ros.training.training_recipe import Recipe


@pytest.fixture
def study(data: Recordings, recipe: Recipe, tmp_path: Path) -> Study:
    """Compare small models on simulated walks."""
    return Study(data, tmp_path, (0,), recipe=recipe)


def run(study: Study, suite: str, key: str) -> tuple[Row, ...]:
    return next(unit for unit in suite_units(suite, study) if unit.key == key).run().rows


@pytest.mark.parametrize('suite', SUITES)
def test_units_have_names_of_their_own_that_are_safe_for_files(study: Study, suite: str) -> None:
    keys = [unit.key for unit in suite_units(suite, study)]
    assert keys
    assert len(set(keys)) == len(keys)
    assert not [key for key in keys if '/' in key or not key.startswith(suite)]


def test_every_fusor_is_compared(study: Study) -> None:
    assert {unit.key for unit in suite_units('fusors', study)} == {
        f'fusors-{name}-seed0' for name in FUSORS.names()}
    rows = run(study, 'fusors', 'fusors-max-seed0')
    assert {row.fusor for row in rows} == {'max'}
    assert {row.operation for row in rows} == {'transfer', 'merge', 'split'}


@pytest.mark.parametrize('name', ['windows', 'gated', 'fedadagrad', 'fedadam', 'fedyogi'])
def test_every_server_trains(study: Study, name: str) -> None:
    rows = run(study, 'federation', f'federation-server-{name}-seed0')
    assert {row.method for row in rows} == {f'server_{name}'}


@pytest.mark.parametrize('way', strategies.STRATEGIES)
def test_every_way_of_a_federation_maps_all_areas(
    study: Study, way: str, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strategies, 'STRATEGY_ROUNDS', 4)
    rows = run(study, 'federation', f'federation-way-{way}-seed0')
    assert {row.method for row in rows} == {f'way_{way}'}
    assert {row.operation for row in rows} == {'transfer', 'merge', 'split', 'unified'}
    simulated_s = next(row.value for row in rows if row.metric == 'simulated_s')
    fastest_s = strategies.STRATEGY_ROUNDS
    assert fastest_s < simulated_s < 2.1 * strategies.MAX_SLOWDOWN * fastest_s


def test_costs_count_time_bytes_and_errors_of_all_twins(study: Study) -> None:
    timed = run(study, 'federation', 'federation-time-merge-seed0')
    direct = run(study, 'federation', 'federation-time-direct-seed0')
    assert {row.method for row in timed} == {'utt_single', 'centralised_single'}
    for rows in (timed, direct):
        found = {row.metric: row.value for row in rows}
        assert found['link_bps'] == LINK_BPS
        assert all(found[name] > 0.0 for name in ('time_s', 'compute_s', 'bytes', 'nmse_var'))
    of = {row.operation: row.value for row in direct if row.metric == 'time_s'}
    assert set(of) == {'merge', 'split'}
    assert len(set(of.values())) == 1
