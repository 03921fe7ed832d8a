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

"""Writers are listed by GUID with the topics that users know."""

from collections.abc import Callable

import pytest
from rclpy.node import Node
from std_msgs.msg import Empty

from utt_ros.evaluation.benchmarks.writer_topics import list_writers, topic_label


@pytest.mark.parametrize(('name', 'label'), [
    ('rt/utt/beliefs', '/utt/beliefs'),
    ('rq/hall/twin/get_host_timeRequest', 'requests of services'),
    ('rr/hall/twin/get_host_timeReply', 'answers of services'), ('plain', 'plain')])
def test_topics_are_named_as_in_ros(name: str, label: str) -> None:
    assert topic_label(name) == label


def test_writers_of_the_graph_are_listed(ros: int, wait_until: Callable[..., None]) -> None:
    node = Node('hall')
    node.create_publisher(Empty, '/hall/empty', 1)
    wait_until(lambda: '/hall/empty' in list_writers(node).values(), 30.0)
    guid = next(guid for guid, label in list_writers(node).items() if label == '/hall/empty')
    assert len(bytes.fromhex(guid)) == 16
    assert int(guid[-2:], 16) & 0xc0 == 0  # a writer of a user, not of discovery
    node.destroy_node()
