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

"""Nodes of commands: their enclave, and what is left of them."""

from collections.abc import Callable

import pytest
from rclpy.node import Node

from utt_ros.bridge.node.operator_node import OperatorNode
from utt_ros.bridge.node.status_watch import StatusWatch
from utt_ros.bridge.node.twin_client import TwinClient


@pytest.mark.parametrize('make', [OperatorNode, StatusWatch, lambda: TwinClient(1.0)])
def test_a_command_is_in_the_enclave_of_operators_and_leaves_no_node(
    make: Callable[[], OperatorNode], node: Node, wait_until: Callable[..., None],
) -> None:
    def found() -> list[tuple[str, str, str]]:
        return [each for each in node.get_node_names_and_namespaces_with_enclaves()
                if each[0] == 'operator']

    with make():
        wait_until(found)
        assert found() == [('operator', '/', '/operator')]
    wait_until(lambda: not found())
