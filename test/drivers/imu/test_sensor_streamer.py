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

from utt_ros.drivers.imu.sensor_streamer import SensorStreamerSettings, SensorStreamerSource
from utt_ros.drivers.transport.sockets import Arrival
from utt_ros.errors import SettingsError


def test_a_port_beyond_the_limit_is_refused() -> None:
    with pytest.raises(SettingsError, match='at most 65535'):
        SensorStreamerSettings(port=70_000)


@pytest.mark.parametrize(('packet', 'count'), [
    (b'{"light": {"timestamp": 5, "value": [1.0]}}', 1), (b'{}', 1),
    (b'{"accelerometer": {"timestamp": 5, "value": [0.0, 0.0, 9.8]}, "light": {}}', 0)])
def test_packets_without_a_sensor_that_is_used_are_counted(packet: bytes, count: int) -> None:
    source = SensorStreamerSource(SensorStreamerSettings())
    assert len(source.parse(Arrival('127.0.0.1', packet, 10))[1]) == 1 - count
    assert source.counters['other_sensor'] == count
