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

"""A node in the test's ROS domain, its executor, and a client of its services."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node


@pytest.fixture
def node(ros: int) -> Iterator[Node]:
    """Make the node /hall/tested."""
    made = Node('tested', namespace='hall')
    yield made
    made.destroy_node()


@pytest.fixture
def spin(node: Node) -> Iterator[Callable[[], None]]:
    """Make a function that serves one callback of `node`."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    yield lambda: executor.spin_once(timeout_sec=0.05)
    executor.shutdown()


@pytest.fixture
def call(
    node: Node, spin: Callable[[], None], wait_until: Callable[..., None],
) -> Callable[..., Any]:
    """`call(Trigger, 'save')` returns the response of a private service of `node`."""
    def request(kind: type, name: str, **fields: Any) -> Any:
        client = node.create_client(kind, f'{node.get_fully_qualified_name()}/{name}')
        wait_until(client.service_is_ready)
        future = client.call_async(kind.Request(**fields))
        wait_until(future.done, spin=spin)
        return future.result()
    return request
