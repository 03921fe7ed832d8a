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

"""Hosts are asked for their time, one request at a time, and forgotten with their areas."""

from collections.abc import Callable, Iterator

import pytest
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from utt_ros.srv import GetHostTime

from utt_ros.bridge.node import host_clocks
from utt_ros.bridge.node.host_clocks import HostClocks, answer_host_time

WAIT_SEC = 30.0


@pytest.fixture
def twin(ros: int) -> Iterator[Node]:
    """Make the node /hall/twin."""
    made = Node('twin', namespace='hall')
    yield made
    made.destroy_node()


def test_the_clock_of_this_host_is_equal_to_itself(
    node: Node, spin: Callable[[], None], twin: Node, wait_until: Callable[..., None],
) -> None:
    answer_host_time(twin)
    executor = SingleThreadedExecutor()
    executor.add_node(twin)
    clocks = HostClocks(node)

    def step() -> None:
        clocks.refresh(['/hall', '/stairs'])
        spin()
        executor.spin_once(timeout_sec=0.0)

    wait_until(lambda: clocks.offsets, WAIT_SEC, step)
    assert clocks.offsets.keys() == {'/hall'}, 'nobody tells the time of stairs'
    assert abs(clocks.offsets['/hall'].offset_s) <= clocks.offsets['/hall'].bound_s
    clocks.refresh([])
    assert not clocks.offsets
    assert not list(node.clients)
    executor.shutdown()


def test_a_request_without_answer_is_withdrawn_and_repeated(
    node: Node, spin: Callable[[], None], twin: Node, wait_until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    twin.create_service(GetHostTime, '~/get_host_time', lambda *_: None)  # nobody spins it
    clocks = HostClocks(node)

    def under_way() -> list[object]:
        return [future for future, _ in clocks._asked.values()]

    wait_until(under_way, WAIT_SEC, lambda: (clocks.refresh(['/hall']), spin()))
    first = under_way()
    clocks.refresh(['/hall'])
    assert under_way() == first
    monkeypatch.setattr(host_clocks, 'MAX_ANSWER_NS', 0)
    wait_until(lambda: under_way() != first, WAIT_SEC, lambda: clocks.refresh(['/hall']))
    assert len(under_way()) == 1
    assert not clocks.offsets
