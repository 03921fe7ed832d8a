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

"""The suite that compares plans, servers, strategies and costs."""

from collections.abc import Callable

import pytest

from utt_ros.evaluation.federated import strategies
from utt_ros.evaluation.federated.communication_cost import LINK_BPS
from utt_ros.evaluation.results import Row

RunUnit = Callable[[str, str], tuple[Row, ...]]


@pytest.mark.parametrize('name', ['windows', 'gated', 'fedadagrad', 'fedadam', 'fedyogi'])
def test_every_server_optimiser_trains(run_unit: RunUnit, name: str) -> None:
    rows = run_unit('federation', f'federation-server-{name}-seed0')
    assert {row.method for row in rows} == {f'server_{name}'}


@pytest.mark.parametrize('name', strategies.STRATEGIES)
def test_every_strategy_maps_all_areas(
    run_unit: RunUnit, name: str, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(strategies, 'STRATEGY_ROUNDS', 4)
    rows = run_unit('federation', f'federation-way-{name}-seed0')
    assert {row.method for row in rows} == {f'way_{name}'}
    assert {row.operation for row in rows} == {'transfer', 'merge', 'split', 'unified'}
    simulated_s = next(row.value for row in rows if row.metric == 'simulated_s')
    fastest_s = strategies.STRATEGY_ROUNDS
    assert fastest_s < simulated_s < 2.1 * strategies.MAX_SLOWDOWN * fastest_s


def test_costs_include_time_bytes_and_errors_of_all_twins(run_unit: RunUnit) -> None:
    timed = run_unit('federation', 'federation-time-merge-seed0')
    direct = run_unit('federation', 'federation-time-direct-seed0')
    assert {row.method for row in timed} == {'utt_single', 'centralised_single'}
    for rows in (timed, direct):
        values = {row.metric: row.value for row in rows}
        assert values['link_bps'] == LINK_BPS
        assert all(values[name] > 0.0 for name in ('time_s', 'compute_s', 'bytes', 'nmse_var'))
    times = {row.operation: row.value for row in direct if row.metric == 'time_s'}
    assert set(times) == {'merge', 'split'}
    assert len(set(times.values())) == 1
