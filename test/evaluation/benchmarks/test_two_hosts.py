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

"""Two areas on two hosts learn together and hand over who walks; what crosses is counted."""

from pathlib import Path

import pytest

from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks.two_hosts import (
    HostsResult,
    run_two_hosts,
    write_hosts,
)
from utt_ros.federation.keys import AGGREGATOR, KeyFolder
from utt_ros.orchestration.launch_plan import read_area_plan
from utt_ros.sessions.simulator.crossing import plan_crossings

WALK_SEC = 30.0

pytestmark = pytest.mark.timeout(600)


def test_hosts_trust_each_others_keys_and_have_no_key_in_common(tmp_path: Path) -> None:
    areas = [each.area.settings for each in plan_crossings(2, 3.0, 1)[0].sessions]
    write_hosts(tmp_path, areas)
    first, second = (KeyFolder(tmp_path / area.area / 'keys') for area in areas)
    assert (first.own_names(), second.own_names()) == ([AGGREGATOR, 'area0'], ['area1'])
    assert first.names() == second.names() == [AGGREGATOR, 'area0', 'area1']
    for area in areas:
        assert read_area_plan(tmp_path / area.area / 'area.yaml').settings == area


@pytest.fixture
def result(tmp_path: Path) -> HostsResult:
    try:
        return run_two_hosts(tmp_path / 'hosts', WALK_SEC, 100, str)
    except UttError as err:
        if 'network namespaces' not in str(err):
            raise
        pytest.skip(str(err))


def test_two_hosts_learn_together_and_hand_over_while_measurements_stay(
    result: HostsResult,
) -> None:
    assert result.rounds >= 1
    assert result.scores['handovers'] >= 1
    assert result.area_changes >= 1
    assert sum(result.beliefs_taken.values()) >= 1
    for traffic in result.traffic:
        assert traffic.by_topic['/utt/beliefs'] > 0.0
        assert traffic.total > 0.0
    labels = {label for each in result.traffic for label in each.by_topic}
    assert not [label for label in labels if '/phones/' in label or '/camera/' in label]
    assert not [label for label in labels if label.endswith(('/synced', '/deployed_model'))]
