"""Goals of the downstream tasks, from rows."""

from math import isnan
from typing import Any

from utt_ros.evaluation.report.results_table import Table
from utt_ros.evaluation.report.task_targets import task_goals


def row(method: str, operation: str, target: str, metric: str, value: float) -> dict[str, Any]:
    return {'suite': 'tasks', 'method': method, 'operation': operation, 'sources': 'camera',
            'target': target, 'fusor': 'none', 'seed': 0, 'metric': metric, 'value': value,
            'n_windows': 10}


def test_goals_say_what_was_reached_missed_and_not_measured() -> None:
    table = Table([
        row('utt', 'position', 'camera', 'median_m', 0.1),
        row('utt', 'position', 'camera', 'p90_m', 0.5),
        row('utt', 'trajectory', '1s', 'ade_m', 0.3),
        row('kalman_camera', 'trajectory', '1s', 'ade_m', 0.5),
        row('utt', 'interval', 'camera', 'coverage_90', 0.97)])
    found = {goal.text: goal for goal in task_goals(table)}
    verdicts = [goal.verdict for goal in task_goals(table)]
    assert verdicts[:4] == ['reached', 'missed', 'not measured', 'not measured']
    (path, later) = (goal for text, goal in found.items() if text.startswith('ADE'))
    assert path.value == 0.6
    assert path.verdict == 'reached'
    assert isnan(later.value)
    assert verdicts[6:8] == ['reached', 'missed']  # too wide
