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

"""The whole benchmark, small: two phones, our nodes without training, the naive pipeline."""

import json
from pathlib import Path

import pytest

from utt_ros.cli.main import main
from utt_ros.evaluation.benchmarks.live_rig import ProcessSample, process_usage

KEYS = {
    'latency_ms', 'position_ms', 'trajectory_ms', 'newest_input_ms', 'predictions_per_s', 'ticks',
    'predicted', 'missing', 'sent', 'lost', 'usage', 'cpu_percent_per_phone', 'rss_mb_per_phone',
    'windows_per_s', 'lateness_ms', 'load',
}


def test_package_and_naive_pipeline_are_measured_in_one_run(
    ros_domain: int, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / 'live.json'
    code = main([
        'bench', 'live', '--phones', '2', '--seconds', '3', '--warm-up', '0',
        '--only', 'serving', 'naive', '--domain', str(ros_domain), '--json', str(out)])
    assert code == 0
    measured = json.loads(out.read_text())
    assert set(measured['scenarios']) == {'serving', 'naive'}
    for scenario in measured['scenarios'].values():
        assert set(scenario) >= KEYS
        assert scenario['predicted'] > 0
        assert 0 < scenario['newest_input_ms']['p50'] <= scenario['latency_ms']['p50']
        for name in ('position_ms', 'trajectory_ms'):
            assert 0 < scenario[name]['p50'] <= scenario['latency_ms']['p50']
        assert scenario['cpu_percent_per_phone'] > 0
    ours, naive = measured['scenarios']['serving'], measured['scenarios']['naive']
    assert ours['lost'] is not None
    assert naive['lost'] is None
    assert ours['predicted'] > naive['predicted']
    assert 20 <= ours['ticks'] <= 40
    assert ours['sent']['imu'] > ours['sent']['mag'] > ours['sent']['camera']
    printed = capsys.readouterr()
    assert 'predictions missing' in printed.out
    assert any(line.startswith(('pass', 'FAIL')) for line in printed.out.splitlines())


def test_usage_is_the_difference_of_two_samples() -> None:
    begin = ProcessSample(0, {'sync': 5.0, 'twin': 1.0}, {'sync': 10, 'twin': 20}, 0.5)
    end = ProcessSample(
        2 * 10**9, {'sync': 5.5, 'twin': 1.1}, {'sync': 30_000_000, 'twin': 20}, 0.7)
    used = process_usage(begin, end)
    assert used['sync'].cpu_percent == pytest.approx(25.0)
    assert used['twin'].cpu_percent == pytest.approx(5.0)
    assert used['sync'].rss_mb == 30.0
