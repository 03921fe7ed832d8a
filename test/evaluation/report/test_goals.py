"""Goals beside what was reached."""

from math import isnan, nan

import pytest

from utt_ros.evaluation.report.goals import Goal, gates_win, goals, least_ratio, worst
from utt_ros.evaluation.report.results_table import Table


def row(**given: object) -> dict[str, object]:
    return {'suite': 'operations', 'method': 'utt', 'operation': 'merge', 'sources': 'ftm+imu',
            'target': 'camera', 'fusor': 'gating', 'seed': 0, 'metric': 'nmse_var', 'value': 1.0,
            'n_windows': 5, **given}


def fusors(**values: float | list[float]) -> Table:
    return Table(
        row(suite='fusors', fusor=name, seed=seed, value=value)
        for name, found in values.items()
        for seed, value in enumerate(found if isinstance(found, list) else [found]))


def test_a_cell_is_mean_and_deviation_over_seeds() -> None:
    cell = Table([row(value=1.0), row(seed=1, value=3.0)]).one(metric='nmse_var')
    assert (cell.mean, cell.std, cell.seeds) == (2.0, 1.0, 2)
    assert str(cell) == '2 ± 1'


def test_a_value_that_could_not_be_measured_stays_unknown() -> None:
    assert isnan(Table([row(value=None)]).one(metric='nmse_var').mean)


def test_ratios_weigh_every_target_the_same() -> None:
    table = Table([
        row(value=0.2), row(target='ftm', sources='camera', value=0.3),
        row(target='ftm', sources='imu', value=0.5),
        row(method='direct', value=0.4), row(method='direct', target='ftm', value=0.8)])
    found = next(goal for goal in goals(table) if goal.text.startswith('merge, utt / direct'))
    assert found.value == pytest.approx(0.3 / 0.6)
    assert found.verdict == 'reached'


def test_a_goal_without_rows_is_not_measured() -> None:
    assert {goal.verdict for goal in goals(Table([]))} == {'not measured'}


def test_a_goal_can_be_a_least_value() -> None:
    assert Goal('', 0.7, 0.8, at_most=False).verdict == 'missed'
    assert Goal('', nan, 0.8).verdict == 'not measured'


def test_a_gate_wins_within_one_deviation_of_the_best() -> None:
    assert gates_win(fusors(gating=0.6, gating_sum=0.5, max=0.5)) == 1.0
    assert gates_win(fusors(gating=[0.52, 0.5], max=[0.44, 0.56])) == 1.0
    assert gates_win(fusors(gating=0.6, max=0.5)) == 0.0


def test_the_worst_configuration_counts() -> None:
    table = Table(row(suite='federation', method='utt_single', sources=name, metric='time_s',
                      value=value) for name, value in (('a', 2.0), ('b', 5.0)))
    assert worst(table, 'utt_single', 'merge', 'time_s') == 5.0


def test_channels_that_nobody_can_tell_limit_the_ratio() -> None:
    table = Table([
        row(metric='nmse_var_depth_m', value=0.1), row(metric='nmse_var_width_px', value=1.1),
        row(method='direct', metric='nmse_var_depth_m', value=0.3),
        row(method='direct', metric='nmse_var_width_px', value=1.0),
        row(method='direct', value=0.65),
        row(method='direct_reconstruct', metric='nmse_var_width_px', value=0.1)])
    assert least_ratio(table, 'merge') == pytest.approx((0.0 + 1.0) / 2 / 0.65)
