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

"""Clocks of hosts over ROS: a service that tells the time, and offsets of those of all areas."""

import time
from collections.abc import Iterable
from typing import Any

from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future

from utt_ros.bridge.messages.sensors import to_ns, to_time
from utt_ros.building.clock_filter import ClockFilter, ClockOffset
from utt_ros.srv import GetHostTime

SERVICE = 'twin/get_host_time'  # below the namespace of an area
MAX_ANSWER_NS = 2_000_000_000  # a later answer counts as lost


def answer_host_time(node: Node) -> None:
    """Create the service `~/get_host_time`, which tells the time of this host."""
    def answer(_request: GetHostTime.Request, response: Any) -> Any:
        response.received = response.sent = to_time(time.time_ns())
        return response

    node.create_service(GetHostTime, '~/get_host_time', answer)


class HostClocks:
    """Asks the twin of each area for the time of its host; one request at a time per area."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._clients: dict[str, Client] = {}  # by namespace of the area
        self._asked: dict[str, tuple[Future, int]] = {}  # requests under way, by namespace
        self._filters: dict[str, ClockFilter] = {}

    def refresh(self, roots: Iterable[str]) -> None:
        """Ask areas, by namespace, that do not have a request under way; forget the others."""
        wanted = set(roots)
        for root in self._clients.keys() - wanted:
            self._withdraw(root)
            self._node.destroy_client(self._clients.pop(root))
            self._filters.pop(root)
        for root in wanted - self._clients.keys():
            self._clients[root] = self._node.create_client(GetHostTime, f'{root}/{SERVICE}')
            self._filters[root] = ClockFilter()
        for root, client in self._clients.items():
            if root in self._asked and time.time_ns() - self._asked[root][1] > MAX_ANSWER_NS:
                self._withdraw(root)
            if root not in self._asked and client.service_is_ready():
                self._ask(root, client)

    @property
    def offsets(self) -> dict[str, ClockOffset]:
        """Return the offset of each area's clock from that of this host, by namespace."""
        return {root: known.offset for root, known in self._filters.items()
                if known.offset is not None}

    def _ask(self, root: str, client: Client) -> None:
        asked_ns = time.time_ns()
        future = client.call_async(GetHostTime.Request())
        self._asked[root] = future, asked_ns

        def on_answer(done: Future) -> None:
            answered_ns = time.time_ns()
            if self._asked.get(root, (None, 0))[0] is not done:
                return  # withdrawn
            del self._asked[root]
            response = done.result()
            if response is not None:
                self._filters[root].add(
                    asked_ns, to_ns(response.received), to_ns(response.sent), answered_ns)

        future.add_done_callback(on_answer)

    def _withdraw(self, root: str) -> None:
        if root in self._asked:
            self._clients[root].remove_pending_request(self._asked.pop(root)[0])
