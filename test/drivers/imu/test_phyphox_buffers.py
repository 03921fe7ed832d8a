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

"""Requests to phyphox, and readings in its answers."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from utt_ros.drivers.imu.phyphox_buffers import (
    SensorBuffers,
    newest_query,
    parse_experiment,
    parse_newest,
    parse_values,
    values_query,
)
from utt_ros.errors import MeasurementError, SourceError

ACCEL, GYRO, MAG = ({'source': source, 'outputs': [
    {'x': f'{name}X'}, {'y': f'{name}Y'}, {'z': f'{name}Z'}, {'t': f'{name}_time'}]}
    for source, name in (('accelerometer', 'acc'), ('gyroscope', 'gyr'),
                         ('magnetic_field', 'mag')))
LINEAR, GRAVITY = ({**ACCEL, 'source': source} for source in ('linear_acceleration', 'gravity'))
TIMELESS = {**GYRO, 'outputs': GYRO['outputs'][:3]}
FORCE = SensorBuffers('force', 1.0, ('t', 'x', 'y', 'z'))


def experiment(*inputs: Any) -> bytes:
    return json.dumps({'title': 'Hall', 'inputs': list(inputs)}).encode()


def answer(measuring: Any = True, **buffers: Any) -> bytes:
    return json.dumps({
        'buffer': {name: {'size': 0, 'updateMode': 'partial', 'buffer': values}
                   for name, values in buffers.items()},
        'status': {'session': 'a', 'measuring': measuring}}).encode()


@pytest.mark.parametrize(('inputs', 'kinds'), [
    ([ACCEL, GYRO], ['force', 'gyro']), ([GYRO, MAG, ACCEL], ['gyro', 'mag', 'force']),
    ([LINEAR, GRAVITY, GYRO], ['accel', 'gravity', 'gyro']),
    ([ACCEL, GYRO, {'source': 'light', 'outputs': [{'x': 'light'}]}], ['force', 'gyro']),
    ([ACCEL, GYRO, {'source': 'bluetooth'}, None, 'audio'], ['force', 'gyro']),
    ([ACCEL, ACCEL, GYRO], ['force', 'gyro'])])
def test_sensors_of_an_experiment_are_found_under_any_name(
    inputs: list[Any], kinds: list[str],
) -> None:
    sensors = parse_experiment(experiment(*inputs))
    assert [sensor.kind for sensor in sensors] == kinds
    assert ('gyr_time', 'gyrX', 'gyrY', 'gyrZ') in [sensor.names for sensor in sensors]


@pytest.mark.parametrize(('inputs', 'found'), [
    ([], 'no sensor'), ([ACCEL], 'force'), ([GYRO], 'gyro'), ([LINEAR, GYRO], 'accel, gyro'),
    ([ACCEL, TIMELESS], 'force'), ([ACCEL, {**GYRO, 'outputs': None}], 'force'),
    ([ACCEL, {**GYRO, 'outputs': [{'t': 1}, {'x': 2}, {'y': 3}, {'z': 4}]}], 'force')])
def test_an_experiment_without_acceleration_or_rotation_is_refused_with_the_remedy(
    inputs: list[Any], found: str,
) -> None:
    with pytest.raises(SourceError, match=f'has {found} with .*Add simple experiment'):
        parse_experiment(experiment(*inputs))


def test_values_after_the_newest_time_are_requested() -> None:
    sensors = parse_experiment(experiment(ACCEL, GYRO))
    assert newest_query(sensors) == '/get?acc_time&gyr_time'
    wanted = parse_qs(urlsplit(values_query(sensors, {'acc_time': 12.5})).query)
    assert wanted['acc_time'] == ['12.5']
    assert wanted['accZ'] == ['12.5|acc_time']
    assert wanted['gyrX'] == ['0.0|gyr_time']
    assert len(wanted) == 8


@pytest.mark.parametrize(('values', 'newest_s'), [
    ([12.5], 12.5), ([1.0, 2.0], 2.0), ([], 0.0), ([None], 0.0), (['x'], 0.0), ([-1.0], 0.0),
    ([10**400], 0.0), ([True], 0.0)])
def test_newest_time_is_a_time(values: list[Any], newest_s: float) -> None:
    assert parse_newest(answer(t=values), [FORCE]) == {'t': newest_s}


def test_rows_become_readings_in_si_units() -> None:
    mag = SensorBuffers('mag', 1e-6, ('u', 'a', 'b', 'c'))
    got = parse_values(
        answer(t=[1.5, 1.625], x=[0, 1], y=[0.5, 1.5], z=[9.75, 9.5], u=[2], a=[20.0], b=[-10.0],
               c=[-40.0]), [FORCE, mag])
    assert [reading.peer_ns for reading in got.readings] == [
        1_500_000_000, 1_625_000_000, 2_000_000_000]
    assert got.readings[1].values == (1.0, 1.5, 9.5)
    assert got.readings[2].values == pytest.approx((20e-6, -10e-6, -40e-6))
    assert got.newest_s == {'t': 1.625, 'u': 2.0}
    assert got.is_measuring


@pytest.mark.parametrize(('row', 'reason'), [
    ([1.5, None, 0, 0], 'malformed'), ([1.5, 'x', 0, 0], 'malformed'),
    ([1.5, 1e9, 0, 0], 'implausible'), ([0, 0, 0, 0], 'implausible'),
    ([None, 0, 0, 0], 'implausible'), ([1e300, 0, 0, 0], 'implausible'),
    ([1.5, 10**400, 0, 0], 'implausible'), ([1.5, [0], 0, 0], 'malformed')])
def test_rows_without_numbers_are_counted_and_others_kept(row: list[Any], reason: str) -> None:
    columns = {name: [value, 2.0] for name, value in zip('txyz', row, strict=True)}
    got = parse_values(answer(**columns), [FORCE])
    assert [reading.peer_ns for reading in got.readings] == [2_000_000_000]
    assert got.refused == {reason: 1}


@pytest.mark.parametrize('measuring', [False, None, 'true'])
def test_paused_measurement_is_recognised(measuring: Any) -> None:
    got = parse_values(answer(measuring, t=[], x=[], y=[], z=[]), [FORCE])
    assert not got.is_measuring
    assert not got.newest_s


@pytest.mark.parametrize(('text', 'says'), [
    (b'', 'not JSON'), (b'[1]', 'list where an object'), (b'{}', 'no buffers of phyphox'),
    (b'{"buffer": 5}', 'no buffers'), (b'[' * 5000, 'nested'), (b'\xff\xfe', 'not UTF-8'),
    (answer(t=[1], x=[1], y=[1]), 'no buffer z: another experiment'),
    (answer(t=[1], x=[1], y=[1], z=5), 'no buffer z'),
    (answer(t=[1], x=[1], y=[1], z=[]), 'force have 1, 1, 1, 0 values')])
def test_other_answers_are_refused(text: bytes, says: str) -> None:
    with pytest.raises(MeasurementError, match=says):
        parse_values(text, [FORCE])
