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

"""Topics of an aggregator, and the notice of another one."""

from collections.abc import Callable
from dataclasses import replace

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from utt_ros.msg import GlobalModel, RoundStatus

from utt_ros.bridge.messages.federation import model_from_message
from utt_ros.bridge.node.qos import RELIABLE, STATE
from utt_ros.bridge.node.round_publishers import CHANGE_TOPIC, MODEL_TOPIC, RoundPublishers
from utt_ros.federation import types


def test_model_is_latched_status_is_a_stream_and_a_second_aggregator_is_noticed(
    ros: int, wait_until: Callable[..., None],
) -> None:
    node = Node('aggregator')
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    publishers = RoundPublishers(node)
    publishers.publish_model(types.GlobalModel('fed', 4, '{}', '[]', '0' * 64, b'weights'))
    models: list[GlobalModel] = []
    statuses: list[RoundStatus] = []
    node.create_subscription(GlobalModel, '/utt/model', models.append, STATE)
    node.create_subscription(RoundStatus, '/utt/rounds', statuses.append, RELIABLE)
    states: list[RoundStatus] = []
    node.create_subscription(RoundStatus, '/utt/round_state', states.append, RELIABLE)
    wait_until(lambda: node.count_publishers('/utt/model') == 1)
    assert publishers.rivals() == ''

    def receive() -> None:
        publishers.publish_status(types.RoundStatus(
            'fed', 4, 'waiting', 1, 5.0, {'north': 3}, {'east': 'late'}, 10, 20, 1.5))
        executor.spin_once(timeout_sec=0.05)

    wait_until(lambda: models and statuses and states, spin=receive)
    assert (models[0].round, statuses[0].round, list(statuses[0].accepted)) == (4, 4, ['north'])
    assert (states[0].round, states[0].state, states[0].bytes_received) == (4, 'waiting', 10)
    assert not states[0].accepted
    assert not states[0].refused
    refused = {'east': 'late', 'north': 'again'}
    publishers.publish_status(types.RoundStatus(
        'fed', 4, 'completed', 1, 0.0, {'north': 3}, refused, 0, 0, 1.5))
    wait_until(lambda: states[-1].state == 'completed',
               spin=lambda: executor.spin_once(timeout_sec=0.05))
    assert (list(states[-1].refused), list(states[-1].reasons)) == (['east'], [''])
    RoundPublishers(node)
    wait_until(lambda: publishers.rivals() == '1 other aggregators publish /utt/model')
    executor.shutdown()
    node.destroy_node()


def test_a_change_of_the_model_has_a_topic_of_its_own(
    ros: int, wait_until: Callable[..., None],
) -> None:
    node = Node('aggregator')
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    publishers = RoundPublishers(node)
    received: dict[str, list[GlobalModel]] = {MODEL_TOPIC: [], CHANGE_TOPIC: []}
    subscriptions = [node.create_subscription(GlobalModel, topic, messages.append, RELIABLE)
                     for topic, messages in received.items()]
    wait_until(lambda: all(node.count_subscribers(topic) for topic in received))
    whole = types.GlobalModel('fed', 4, '{}', '[]', '0' * 64, b'weights', compression='sign')
    change = replace(whole, checksum='1' * 64, payload=b'few', base='2' * 64)

    def receive() -> None:
        publishers.publish_model(whole, change)
        executor.spin_once(timeout_sec=0.05)

    wait_until(lambda: all(received.values()), spin=receive)
    assert model_from_message(received[MODEL_TOPIC][0]) == whole
    assert model_from_message(received[CHANGE_TOPIC][0]) == change
    assert len(subscriptions) == len(received)
    executor.shutdown()
    node.destroy_node()
