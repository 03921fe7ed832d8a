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

"""Deployed models are opened in order; a refused one leaves the previous in use."""

from builtin_interfaces.msg import Time
from utt_ros.msg import DeployedModel

from utt_ros.bridge.messages.federation import deployment_to_message
from utt_ros.bridge.node.deployed_models import DeployedModels
from utt_ros.bridge.node.qos import CONTESTED, STATE
from utt_ros.errors import ModelError
from utt_ros.federation.types import Deployment


def test_newest_graph_is_used_and_refused_or_early_ones_change_nothing(node, spin, wait_until):
    used = []

    def use(deployment):
        if deployment.graph == b'broken':
            raise ModelError('no graph')
        if deployment.graph == b'odd':
            raise KeyError('velocity')
        used.append(deployment.graph)

    models = DeployedModels(node, use, min_round=1)
    publisher = node.create_publisher(DeployedModel, 'deployed_model', STATE)

    def publish(number, graph, until):
        deployment = Deployment('hall', 'fed', number, '{}', graph)
        publisher.publish(deployment_to_message(deployment, Time()))
        wait_until(until, 30.0, spin)

    publish(0, b'untrained', lambda: True)
    publish(3, b'good', lambda: models.round == 3)
    publish(4, b'broken', lambda: models.refused == 1)
    assert (used, models.round) == ([b'good'], 3)
    assert models.failure == 'model of round 4 refused: no graph'
    publish(5, b'odd', lambda: models.refused == 2)
    assert models.failure == "model of round 5 refused: KeyError('velocity')"
    models.close()


def test_few_models_wait_for_a_stalled_node(node, spin, wait_until):
    models = DeployedModels(node, lambda _: None, area='hall')
    publisher = node.create_publisher(DeployedModel, 'deployed_model', STATE)
    wait_until(publisher.get_subscription_count, 30.0)
    for number in range(2 * CONTESTED.depth):
        foreign = Deployment('elsewhere', 'fed', number, '{}', b'')  # each is refused when read
        publisher.publish(deployment_to_message(foreign, Time()))
    publisher.publish(deployment_to_message(Deployment('hall', 'fed', 99, '{}', b''), Time()))
    wait_until(lambda: models.round == 99, 30.0, spin)
    assert models.refused < CONTESTED.depth <= 4
    models.close()
