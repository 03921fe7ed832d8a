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

"""The synchronizer asks the area's model when it matches tracks to phones."""

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from utt_ros.msg import DeployedModel

from utt_ros.bridge.messages.federation import deployment_to_message
from utt_ros.bridge.node.qos import RELIABLE, STATE
from utt_ros.federation.keys import KeyFolder
from utt_ros.federation.signing import KeySigner, NullSigner, sealed
from utt_ros.federation.types import Deployment
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings

MODEL = ModelSettings(width=16, heads=2, feedforward=16)


def deployed(listener, round_, graph, signer):
    stamp = listener.node.get_clock().now().to_msg()
    return deployment_to_message(
        sealed(Deployment('hall', 'f', round_, '{}', graph), signer), stamp)


@pytest.mark.timeout(240)
def test_trained_models_are_used_and_broken_ones_are_counted(
    start_node, listener, wait_until, tmp_path,
):
    signer = KeySigner(KeyFolder(tmp_path / 'keys'), 'hall')
    heard = listener.hear(DiagnosticArray, '/diagnostics', RELIABLE)
    models = listener.node.create_publisher(DeployedModel, '/hall/deployed_model', STATE)
    start_node('sync', '--ros-args', '-r', '__ns:=/hall', '-p', 'association:=twin',
               '-p', 'area:=hall')
    graph = export_onnx(UnifiedTwin(MODEL, WindowSettings()))

    def told():
        statuses = [status for message in heard for status in message.status
                    if status.name.endswith('sync')]
        return {item.key: item.value for item in statuses[-1].values} if statuses else {}

    wait_until(lambda: models.get_subscription_count() and told(), 60.0, listener.spin)
    models.publish(deployed(listener, 0, graph, signer))
    models.publish(deployed(listener, 3, graph, signer))
    wait_until(lambda: told()['association_round'] == '3', 60.0, listener.spin)
    models.publish(deployed(listener, 4, b'no graph', signer))
    wait_until(lambda: told()['models_refused'] == '1', 60.0, listener.spin)
    models.publish(deployed(listener, 5, graph, NullSigner()))
    wait_until(lambda: told()['models_refused'] == '2', 60.0, listener.spin)
    assert told()['association_round'] == '3'


@pytest.mark.timeout(240)
def test_missing_file_of_scorers_is_named(start_node, wait_until):
    node = start_node('sync', '--ros-args', '-r', '__ns:=/hall', '-p', 'association:=fused',
                      '-p', 'association_scorers:=/nowhere/own.json')
    node.expect(2)
    wait_until(lambda: node.process.poll() is not None, 60.0)
    node.wait()
    assert '/nowhere/own.json' in node.said
