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

from collections.abc import Callable
from typing import Any

import pytest

from utt_ros.drivers.imu.hyper_imu import HyperImuSettings
from utt_ros.errors import SettingsError


def test_phones_get_their_names_and_other_devices_are_counted(
    open_source: Callable, start_phone: Callable, free_port: int, collect: Callable,
    check_samples: Callable,
) -> None:
    source = open_source('hyper_imu_udp', devices=('127.0.0.2', '127.0.0.3'), phones=('a', 'b'))
    for address in ('127.0.0.2', '127.0.0.3', '127.0.0.4'):
        start_phone('hyper_imu_udp', free_port, '--bind', address)
    samples = collect(
        source,
        lambda found: source.counters['unknown_phone'] > 20
        and all(sum(sample.phone == name for sample in found) > 20 for name in 'ab'))
    for name in 'ab':
        check_samples([sample for sample in samples if sample.phone == name], name)
    assert len(samples) == sum(sample.phone in ('a', 'b') for sample in samples)


@pytest.mark.parametrize(('values', 'error'), [
    ({'transport': 'smoke'}, "transport is 'smoke'"),
    ({'columns': ('time', 'accel')}, 'gyro is missing'),
    ({'columns': ('accel', 'gyro', 'gyro')}, 'gyro is listed twice'),
    ({'columns': ('accel', 'gyro', 'smell')}, 'smell'),
    ({'devices': ('127.0.0.1',)}, 'devices has 1 entries and phones 0'),
])
def test_wrong_settings_are_refused(values: dict[str, Any], error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        HyperImuSettings(**values)
