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

from utt_ros.drivers.imu.sensor_logger import SensorLoggerSettings
from utt_ros.errors import SettingsError


def test_accelerations_with_the_sign_of_ios_are_negated(
    open_source: Callable, start_phone: Callable, free_port: int, collect: Callable,
    check_samples: Callable,
) -> None:
    source = open_source('sensor_logger', inverted=('one',))
    start_phone('sensor_logger', free_port, '--ios')
    check_samples(collect(source, lambda found: len(found) > 20), 'one')


@pytest.mark.parametrize(('values', 'error'), [
    ({'devices': ('x',), 'phones': ('a b',)}, "'a b'"),
    ({'devices': ('x',), 'phones': ('a',), 'inverted': ('b',)}, "'b'"),
    ({'reorder': -1.0}, 'at least 0'),
])
def test_wrong_settings_are_refused(values: dict[str, Any], error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        SensorLoggerSettings(**values)
