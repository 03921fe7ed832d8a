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

"""Policy for SROS 2: an enclave per node, and rights that agree with the graph."""

from xml.etree import ElementTree as ET

import pytest

from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.launch_plan import AreaPlan, LaunchPlan
from utt_ros.orchestration.ros_environment import CHECKOUT
from utt_ros.settings import AreaSettings
from utt_ros.task_twins.operation_request import SOURCE_COUNTS

POLICY = CHECKOUT / 'config/sros2_policy.xml'


@pytest.fixture
def enclaves() -> dict[str, ET.Element]:
    return {item.get('path', ''): item for item in ET.parse(POLICY).iter('enclave')}


def rights(enclave: ET.Element, kind: str, word: str) -> set[str]:
    return {(item.text or '').strip() for part in enclave.iter(f'{kind}s')
            if part.get(word) == 'ALLOW' for item in part.iter(kind)}


def test_every_node_of_an_area_and_the_aggregator_has_an_enclave(
    enclaves: dict[str, ET.Element],
) -> None:
    hall = AreaPlan(AreaSettings(area='hall'), drivers=('camera', 'ftm', 'imu'))
    plan = LaunchPlan((hall,), aggregator=True, building=True)
    labels = {f'/{node.label}' for node in graph_nodes(plan)}
    assert labels == enclaves.keys() - {'/operator'}
    for path, enclave in enclaves.items():
        profile = next(enclave.iter('profile'))
        assert f'{profile.get("ns")}/{profile.get("node")}'.replace('//', '/') == path


@pytest.mark.parametrize(('topic', 'writers'), [
    ('/utt/model', {'/utt/aggregator'}), ('/utt/rounds', {'/utt/aggregator'}),
    ('/utt/round_state', {'/utt/aggregator'}), ('/utt/model_change', {'/utt/aggregator'}),
    ('/utt/updates', {'/hall/trainer'}), ('/hall/deployed_model', {'/hall/trainer'}),
    ('/hall/synced', {'/hall/sync'}), ('/hall/twins/*', {'/hall/twin'}),
    ('/hall/phones/*', {'/hall/ftm', '/hall/imu'})])
def test_topic_has_no_other_writers(
    topic: str, writers: set[str], enclaves: dict[str, ET.Element],
) -> None:
    assert {path for path, item in enclaves.items()
            if topic in rights(item, 'topic', 'publish')} == writers


def test_only_the_operator_calls_services_but_for_handovers_of_twins_and_the_time_of_hosts(
    enclaves: dict[str, ET.Element],
) -> None:
    assert {path: rights(item, 'service', 'request') for path, item in enclaves.items()
            if rights(item, 'service', 'request')} == {
        '/operator': {'*'}, '/utt/building': {'/*/twin/get_host_time'},
        '/hall/trainer': {'/*/trainer/adopt_twin', '/*/trainer/manage_twin'}}
    assert all(rights(item, 'service', 'reply') == {f'{path}/*'}
               for path, item in enclaves.items())


def test_the_trainer_offers_operations_to_the_operator(enclaves: dict[str, ET.Element]) -> None:
    assert rights(enclaves['/hall/trainer'], 'action', 'execute') == {
        f'/hall/trainer/{kind}' for kind in SOURCE_COUNTS}
    assert {path for path, item in enclaves.items()
            if rights(item, 'action', 'call')} == {'/operator'}
