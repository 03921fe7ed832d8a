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

import pytest
from rclpy.node import Node
from sensor_msgs.msg import Imu

from utt_ros.bridge.node.phone_publishers import MAX_PUBLISHERS, PhonePublishers


@pytest.mark.usefixtures('ros')
def test_topics_of_invented_phones_do_not_end_that_of_a_phone_in_use() -> None:
    node = Node('driver')
    outputs = PhonePublishers(node)
    before = len(list(node.publishers))
    outputs.publish('real', Imu())
    kept = list(node.publishers)[-1]
    for number in range(3 * MAX_PUBLISHERS // 2):
        outputs.publish(f'invented{number}', Imu())
        outputs.publish('real', Imu())
    assert len(list(node.publishers)) == before + MAX_PUBLISHERS
    assert kept in list(node.publishers)
    node.destroy_node()
