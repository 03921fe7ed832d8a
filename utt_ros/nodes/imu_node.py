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

from utt_ros.bridge.messages.predictions import subject_frame
from utt_ros.bridge.messages.sensors import inertial_to_message, magnetic_to_message
from utt_ros.bridge.node.driver import Driver
from utt_ros.bridge.node.phone_driver import PhoneDriver, run_phone_driver
from utt_ros.bridge.node.phone_publishers import PhonePublishers
from utt_ros.drivers.imu import DEFAULT, SOURCES
from utt_ros.drivers.types import InertialSample


class ImuNode(PhoneDriver):
    """Publishes inertial and magnetic samples of every phone of its source."""

    def __init__(
        self, words: Sequence[str] | None = None, beside: Sequence[Driver] = (),
    ) -> None:
        self._outputs = PhonePublishers(self)
        super().__init__('imu', SOURCES, DEFAULT, words, beside)

    def publish(self, samples: Sequence[Any]) -> None:
        for sample in samples:
            phone = self.public_name(sample.phone)
            root, frame = f'phones/{phone}/imu', subject_frame(self.area.area, phone)
            if isinstance(sample, InertialSample):
                self._outputs.publish(f'{root}/data_raw', inertial_to_message(sample, frame))
            else:
                self._outputs.publish(f'{root}/mag', magnetic_to_message(sample, frame))


def main(args: Sequence[str] | None = None) -> int:
    """Run the driver until SIGINT or SIGTERM."""
    return run_phone_driver(ImuNode, args)


if __name__ == '__main__':
    sys.exit(main())
