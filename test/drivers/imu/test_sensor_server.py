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

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from utt_ros.drivers.imu.formats import parse_sensor_server
from utt_ros.drivers.imu.sensor_server import SensorServerSettings
from utt_ros.errors import SettingsError, SourceError

CAPTURES = Path(__file__).parents[3] / 'docs' / 'sources' / 'captures'


def test_an_absent_phone_is_an_error_with_the_remedy(
    open_source: Callable, wait_until: Callable,
) -> None:
    source = open_source('sensor_server')
    with pytest.raises(SourceError, match=r'one: ConnectionRefusedError.*start SensorServer'):
        wait_until(lambda: source.read(0.05))


def test_an_address_that_cannot_be_resolved_is_an_error(
    open_source: Callable, wait_until: Callable,
) -> None:
    source = open_source('sensor_server', devices=('a..b:8080',))
    with pytest.raises(SourceError, match=r'one: UnicodeError.*start SensorServer'):
        wait_until(lambda: source.read(0.05))


def test_an_answer_that_is_not_text_is_escaped_in_the_error(
    open_source: Callable, wait_until: Callable, free_port: int,
) -> None:
    with socket.create_server(('127.0.0.1', free_port)) as server:
        source = open_source('sensor_server')
        answered, _ = server.accept()
        with answered:
            answered.recv(4096)
            answered.sendall(b'HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: \xff'
                             + b'x' * 5000 + b'\r\n\r\n')
        with pytest.raises(SourceError, match=r'one: Invalid.*Upgrade header') as caught:
            wait_until(lambda: source.read(0.05))
    assert str(caught.value).isascii()
    assert len(str(caught.value)) < 500


def test_messages_of_sensor_server_become_readings() -> None:
    lines = (CAPTURES / 'sensor_server.jsonl').read_text().splitlines()
    readings = [parse_sensor_server(line) for line in lines]
    assert [reading.kind for reading in readings] == ['accel', 'gyro', 'mag'] * 100
    assert readings[0].values == tuple(json.loads(lines[0])['values'])


@pytest.mark.parametrize(('values', 'error'), [
    ({'devices': ('nowhere',)}, 'host:port'),
    ({'devices': (), 'phones': ()}, 'one or more'),
    ({'devices': ('127.0.0.1:70000',)}, 'ports up to 65535'),
])
def test_wrong_settings_are_refused(values: dict[str, Any], error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        SensorServerSettings(**values)
