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

"""Phones with phyphox, as processes that serve the app's remote interface."""

from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest

from utt_ros.drivers.imu.phyphox import PhyphoxSettings
from utt_ros.errors import SettingsError, SourceError


def test_an_absent_phyphox_is_an_error_with_the_remedy(
    open_source: Callable, wait_until: Callable,
) -> None:
    source = open_source('phyphox')
    with pytest.raises(SourceError, match=r'one: ConnectionRefusedError.*allow remote access'):
        wait_until(lambda: source.read(0.05))


def test_a_paused_measurement_is_started(
    open_source: Callable, start_phone: Callable, free_port: int, collect: Callable,
    check_samples: Callable,
) -> None:
    start_phone('phyphox', free_port, '--paused')
    samples = collect(open_source('phyphox'), lambda found: len(found) > 20)
    check_samples(samples, 'one')


def test_a_paused_measurement_is_named_where_it_is_not_started(
    open_source: Callable, start_phone: Callable, free_port: int, collect: Callable,
) -> None:
    start_phone('phyphox', free_port, '--paused')
    source = open_source('phyphox', start=False)
    assert collect(source, lambda _: 'paused' in source.status()['trouble']) == []
    assert 'press the play button' in source.status()['one.connection']


def test_a_measurement_that_is_cleared_goes_on(
    open_source: Callable, start_phone: Callable, free_port: int, collect: Callable,
) -> None:
    start_phone('phyphox', free_port)
    source = open_source('phyphox')
    collect(source, lambda found: len(found) > 20)
    with urlopen(f'http://127.0.0.1:{free_port}/control?cmd=clear', timeout=10.0) as response:
        response.read()
    collect(source, lambda found: len(found) > 20)
    assert source.status()['one.connection'] == 'open'


@pytest.mark.parametrize(('values', 'error'), [
    ({'devices': ('nowhere',)}, 'host:port'), ({'devices': (), 'phones': ()}, 'one or more'),
    ({'devices': ('127.0.0.1:70000',)}, 'ports up to 65535'), ({'period': 0.0}, 'period'),
    ({'inverted': ('nobody',)}, 'inverted'), ({'phones': ('a b',)}, "phones holds 'a b'")])
def test_wrong_settings_of_phyphox_are_refused(values: dict[str, Any], error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        PhyphoxSettings(**values)
