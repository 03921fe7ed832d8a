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

"""IMU and magnetometer of phones or of this machine: `phones/<phone>/imu/...`."""

import sys
from collections.abc import Sequence
from typing import Any

from rclpy.publisher import Publisher
from sensor_msgs.msg import Imu, MagneticField

from utt_ros.bridge.messages.sensors import inertial_to_message, magnetic_to_message
from utt_ros.bridge.node.driver import Driver
from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import SENSOR
from utt_ros.drivers.imu import DEFAULT, SOURCES
from utt_ros.drivers.types import InertialSample

MAX_PUBLISHERS = 256  # sources accept 64 phones, some of which may have changed names


class ImuNode(Driver):
    """Publishes inertial and magnetic samples of every phone of its source."""

    def __init__(self) -> None:
        self._topics: dict[tuple[str, type], Publisher] = {}
        super().__init__('imu', SOURCES, DEFAULT)

    def publish(self, samples: Sequence[Any]) -> None:
        for sample in samples:
            if isinstance(sample, InertialSample):
                publisher = self._topic(sample.phone, Imu, 'data_raw')
                publisher.publish(inertial_to_message(sample))
            else:
                publisher = self._topic(sample.phone, MagneticField, 'mag')
                publisher.publish(magnetic_to_message(sample))

    def _topic(self, phone: str, kind: type, name: str) -> Publisher:
        publisher = self._topics.get((phone, kind))
        if publisher is None:
            if len(self._topics) == MAX_PUBLISHERS:
                oldest = next(iter(self._topics))
                self.destroy_publisher(self._topics.pop(oldest))
            publisher = self.create_publisher(kind, f'phones/{phone}/imu/{name}', SENSOR)
            self._topics[phone, kind] = publisher
        return publisher


def main(args: Sequence[str] | None = None) -> int:
    """Run the driver until SIGINT or SIGTERM."""
    return run_node(ImuNode, args)


if __name__ == '__main__':
    sys.exit(main())
