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

"""The topics of another driver as a source, without the network."""

from array import array

import pytest
from builtin_interfaces.msg import Time
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from utt_ros.bridge.node.camera_topics import TopicSource, TopicsSettings
from utt_ros.settings import AreaSettings


@pytest.mark.parametrize(('sec', 'nanosec', 'taken'), [
    (1_790_000_000, 5, [1_790_000_000_000_000_005]),
    (0, 0, []), (-5, 0, []), (2**31 - 1, 4_000_000_000, [])])
def test_images_without_a_valid_stamp_are_refused(
        ros: int, sec: int, nanosec: int, taken: list[int]) -> None:
    node = Node('listener')
    source = TopicSource(node, TopicsSettings(), AreaSettings())
    with source:
        source._filters.signalMessage(Image(
            header=Header(stamp=Time(sec=sec, nanosec=nanosec)), height=1, width=2,
            encoding='mono8', step=2, data=array('B', b'ab')))
        assert [picture.stamp_ns for picture in source.read(0.0)] == taken
        assert source.counters['implausible'] == (not taken)
    node.destroy_node()
