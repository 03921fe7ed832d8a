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

"""IMU sources of phones."""

from utt_ros.drivers.imu import (
    hyper_imu,
    iio,
    phyphox,
    sensor_logger,
    sensor_server,
    sensor_streamer,
)
from utt_ros.drivers.source import SourceEntry
from utt_ros.plugins import Registry

SOURCES: Registry[SourceEntry] = Registry('source', 'utt_ros.imu_sources', {
    'hyper_imu': hyper_imu.ENTRY,
    'iio': iio.ENTRY,
    'phyphox': phyphox.ENTRY,
    'sensor_logger': sensor_logger.ENTRY,
    'sensor_server': sensor_server.ENTRY,
    'sensor_streamer': sensor_streamer.ENTRY,
})
DEFAULT = 'sensor_logger'
