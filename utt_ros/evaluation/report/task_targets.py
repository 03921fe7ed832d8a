"""The figures that were set as goals for downstream tasks, beside what was reached."""

from utt_ros.evaluation.report.goals import Goal
from utt_ros.evaluation.report.results_table import Table

CAMERA_M = {'median_m': 0.15, 'p90_m': 0.45}
GONE_M = {'median_m': 1.2, 'p90_m': 3.5}
BELOW_CONSTANT_VELOCITY = 0.8
COVERAGE = (0.85, 0.95)


def task_goals(table: Table) -> list[Goal]:
    """Goals of the tasks suite."""
    found = [
        Goal(f'{text}, 2-D error, {metric}', _utt(table, 'position', target, metric), limit)
        for target, text, limits in (('camera', 'camera present', CAMERA_M),
                                     ('camera_gone', 'camera gone > 0.5 s', GONE_M))
        for metric, limit in limits.items()]
    found += [
        Goal(f'ADE {horizon} / constant velocity on Kalman-filtered observations',
             _utt(table, 'trajectory', horizon, 'ade_m') / table.one(
                 suite='tasks', method='kalman_camera', operation='trajectory', target=horizon,
                 metric='ade_m').mean, BELOW_CONSTANT_VELOCITY)
        for horizon in ('1s', '3s')]
    for target in ('camera', 'camera_gone'):
        covered = _utt(table, 'interval', target, 'coverage_90')
        text = f'{target}: share of the truth inside 90 % ellipses'
        found += [Goal(text, covered, COVERAGE[0], at_most=False),
                  Goal(text, covered, COVERAGE[1])]
    return found


def _utt(table: Table, operation: str, target: str, metric: str) -> float:
    return table.one(
        suite='tasks', method='utt', operation=operation, target=target, metric=metric).mean
