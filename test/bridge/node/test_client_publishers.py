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

"""Events of a client on the topics of a trainer."""

from collections.abc import Callable

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from utt_ros.msg import DeployedModel, DeployedTwin, ModelUpdate, TrainingMetrics

from utt_ros.bridge.node.client_publishers import ClientPublishers
from utt_ros.bridge.node.qos import STATE
from utt_ros.federation.types import Deployment, Report, Update


def test_each_event_goes_to_its_topic_and_others_are_left_out(
    ros: int, wait_until: Callable[..., None],
) -> None:
    node = Node('trainer', namespace='/hall')
    heard: list[object] = []
    for kind, topic in ((DeployedModel, '/hall/deployed_model'), (ModelUpdate, '/utt/updates'),
                        (TrainingMetrics, '/hall/training_metrics'),
                        (DeployedTwin, '/hall/deployed_twins')):
        qos = 10 if kind is TrainingMetrics else STATE
        node.create_subscription(kind, topic, heard.append, qos)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    publishers = ClientPublishers(node)
    wait_until(lambda: all(
        publisher.get_subscription_count() for publisher, _ in publishers._outputs.values()))
    publishers.publish([
        Deployment('hall', 'fed', 3, '{}', b'graph'), 'a problem',
        Report('hall', 3, 20, 5, 40, 0.5, {'camera->imu': 0.7}),
        Update('fed', 'hall', 3, 20, ('imu',), '[]', '0' * 64, b'weights')])
    wait_until(lambda: len(heard) == 3, spin=lambda: executor.spin_once(timeout_sec=0.05))
    assert {type(each): each.round for each in heard} == {
        DeployedModel: 3, TrainingMetrics: 3, ModelUpdate: 3}
    executor.shutdown()
    node.destroy_node()
