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

"""Table and JSON of the results of `utt bench live`."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from math import isfinite, nan
from typing import Any

from utt_ros.evaluation.benchmarks.latency import LiveResult
from utt_ros.text_table import align_columns

MAX_P99_MS = 10.0
AIM_P99_MS = 5.0
MAX_SHARE_OF_NAIVE = 0.2


@dataclass(frozen=True, slots=True)
class LiveTarget:
    """A figure and its maximum."""

    name: str
    value: float
    limit: float

    @property
    def met(self) -> bool:
        """Return whether the figure is within its limit; a missing one is not."""
        return self.value <= self.limit

    def __str__(self) -> str:
        verdict = 'pass' if self.met else 'FAIL'
        return f'{verdict}  {self.name}: {self.value:.3g} (at most {self.limit:g})'


def live_targets(results: Mapping[str, LiveResult]) -> list[LiveTarget]:
    """Return the targets of the measured scenarios."""
    ours, plain = results.get('training'), results.get('serving')
    listed = []
    if ours:
        p99 = ours.latency_ms['p99']
        listed += [
            LiveTarget('p99 while training [ms]', p99, MAX_P99_MS),
            LiveTarget('p99 while training [ms], aim', p99, AIM_P99_MS)]
        for key in ('naive', 'naive_training'):
            if naive := results.get(key):
                listed += [
                    LiveTarget(f'p99 while training / p99 of {naive.title}',
                           p99 / naive.latency_ms['p99'], MAX_SHARE_OF_NAIVE),
                    LiveTarget(f'p99 while training / p99 of {naive.title} from its newest input',
                           p99 / naive.newest_input_ms['p99'], MAX_SHARE_OF_NAIVE)]
    for result in filter(None, (ours, plain)):
        listed += [
            LiveTarget(f'messages lost, {result.title}', number(result.lost), 0),
            LiveTarget(f'predictions missing, {result.title}', result.missing, 0)]
    return listed


def number(value: float | None) -> float:
    """Return a figure, or NaN for None."""
    return nan if value is None else value


def results_as_json(results: Mapping[str, LiveResult]) -> dict[str, Any]:
    """Convert results to JSON values; NaN becomes null."""
    scenarios = {
        key: {**asdict(result), 'missing': result.missing, 'cpu_percent': result.cpu_percent,
              'cpu_percent_per_phone': result.cpu_percent / result.phones,
              'rss_mb': result.rss_mb, 'rss_mb_per_phone': result.rss_mb / result.phones}
        for key, result in results.items()}
    judged = [{**asdict(target), 'met': target.met} for target in live_targets(results)]
    return {'scenarios': _plain(scenarios), 'targets': _plain(judged)}


def results_table(results: Mapping[str, LiveResult]) -> str:
    """Format a column per scenario, then the targets."""
    shown = list(results.values())
    head = ['', *(result.title for result in shown)]
    rows = [[name, *(make(result) for result in shown)] for name, make in ROWS]
    processes = sorted({name for result in shown for name in result.usage})
    rows += [
        [f'  {name}: CPU [%], RSS [MB]', *(_usage(result, name) for result in shown)]
        for name in processes]
    return '\n'.join([*align_columns(head, rows, indent=''), '', *map(str, live_targets(results))])


def _usage(result: LiveResult, process: str) -> str:
    used = result.usage.get(process)
    return f'{used.cpu_percent:.1f}, {used.rss_mb:.0f}' if used else '-'


def _quantiles(values: Mapping[str, float]) -> str:
    return ' / '.join(f'{value:.1f}' if isfinite(value) else '-' for value in values.values())


def _loss(result: LiveResult) -> str:
    return '-' if result.lost is None else f'{result.lost} of {sum(result.sent.values())}'


ROWS: list[tuple[str, Callable[[LiveResult], str]]] = [
    ('frame to prediction [ms], p50 / p90 / p99 / max', lambda r: _quantiles(r.latency_ms)),
    ('  frame to position [ms]', lambda r: _quantiles(r.position_ms)),
    ('  frame to trajectory [ms]', lambda r: _quantiles(r.trajectory_ms)),
    ('  from the newest input joined [ms]', lambda r: _quantiles(r.newest_input_ms)),
    ('predictions per second', lambda r: f'{r.predictions_per_s:.1f}'),
    ('predictions missing', lambda r: f'{r.missing} of {r.ticks * r.phones}'),
    ('messages lost on the way in', _loss),
    ('CPU of the pipeline [% of a core], per phone',
     lambda r: f'{r.cpu_percent:.1f}, {r.cpu_percent / r.phones:.2f}'),
    ('RSS of the pipeline [MB], per phone',
     lambda r: f'{r.rss_mb:.0f}, {r.rss_mb / r.phones:.1f}'),
    ('training [windows/s]', lambda r: f'{r.windows_per_s:.0f}' if r.windows_per_s else '-'),
    ('load generator late by [ms]', lambda r: _quantiles(r.lateness_ms)),
    ('machine load before, after', lambda r: f'{r.load[0]:.1f}, {r.load[1]:.1f}'),
]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value
