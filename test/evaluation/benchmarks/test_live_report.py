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

"""The table and the JSON from canned results."""

import json
from dataclasses import replace

import pytest

from utt_ros.evaluation.benchmarks import live_report
from utt_ros.evaluation.benchmarks.latency import LiveResult, Usage

NAN = float('nan')


def quantiles(*values: float) -> dict[str, float]:
    return dict(zip(('p50', 'p90', 'p99', 'max'), values, strict=True))


OURS = LiveResult(
    title='utt, training', phones=20, seconds=20.0, latency_ms=quantiles(2.0, 3.0, 4.0, 9.0),
    position_ms=quantiles(1.0, 1.5, 2.0, 4.0), trajectory_ms=quantiles(1.5, 2.0, 3.0, 5.0),
    newest_input_ms=quantiles(2.0, 3.0, 4.0, 9.0), predictions_per_s=200.0, ticks=200,
    predicted=4000, sent={'imu': 40000, 'camera': 200}, lost=0,
    usage={'sync': Usage(30.0, 80.0), 'twin': Usage(10.0, 120.0), 'trainer': Usage(90.0, 400.0)},
    counted=('sync', 'twin'), windows_per_s=150.0, lateness_ms=quantiles(0.1, 0.2, 0.3, 1.0),
    load=(1.0, 2.0))
NAIVE = replace(
    OURS, title='naive', latency_ms=quantiles(60.0, 90.0, 130.0, 150.0), predicted=1200,
    newest_input_ms=quantiles(7.0, 10.0, 60.0, 120.0), lost=None, windows_per_s=0.0,
    usage={'naive': Usage(100.0, 318.0)}, counted=('naive',))
RESULTS = {'training': OURS, 'naive': NAIVE}


def met(results: dict[str, LiveResult]) -> dict[str, bool]:
    return {target.name: target.met for target in live_report.live_targets(results)}


def test_figures_per_phone_exclude_training() -> None:
    found = live_report.results_as_json(RESULTS)['scenarios']['training']
    assert found['cpu_percent'] == 40.0
    assert found['cpu_percent_per_phone'] == 2.0
    assert found['rss_mb_per_phone'] == 10.0


def test_targets_compare_with_both_readings_of_the_naive_latency() -> None:
    values = {target.name: target.value for target in live_report.live_targets(RESULTS)}
    assert values['p99 while training / p99 of naive'] == pytest.approx(4 / 130)
    assert values['p99 while training / p99 of naive from its newest input'] == (
        pytest.approx(4 / 60))
    assert all(met(RESULTS).values())


def test_a_slow_pipeline_fails_its_targets() -> None:
    slow = replace(OURS, latency_ms=quantiles(5.0, 9.0, 13.0, 20.0))
    found = met({'training': slow, 'naive': NAIVE})
    assert not found['p99 while training [ms]']
    assert not found['p99 while training / p99 of naive from its newest input']
    assert found['p99 while training / p99 of naive']


def test_one_lost_message_or_prediction_fails() -> None:
    found = met({'training': replace(OURS, lost=1, predicted=3999)})
    assert not found['messages lost, utt, training']
    assert not found['predictions missing, utt, training']


def test_missing_figure_does_not_pass() -> None:
    silent = replace(OURS, latency_ms=quantiles(NAN, NAN, NAN, NAN), predicted=0, lost=None)
    found = met({'training': silent})
    assert not found['p99 while training [ms]']
    assert not found['messages lost, utt, training']


def test_nan_becomes_null_in_json() -> None:
    unknown = {'training': replace(OURS, latency_ms={'p99': NAN})}
    text = json.dumps(live_report.results_as_json(unknown))
    assert 'NaN' not in text
    assert json.loads(text)['scenarios']['training']['latency_ms']['p99'] is None


def test_table_has_a_column_per_scenario_and_a_verdict_per_target() -> None:
    lines = live_report.results_table(RESULTS).splitlines()
    assert lines[0].split('  ')[-1].strip() == 'naive'
    assert any('4000' in line and '0 of 4000' in line for line in lines)
    assert any('naive: CPU' in line and '100.0, 318' in line and ' - ' in line for line in lines)
    assert 'pass  p99 while training [ms]: 4 (at most 10)' in lines
    assert len([line for line in lines if line.startswith(('pass', 'FAIL'))]) == 6
