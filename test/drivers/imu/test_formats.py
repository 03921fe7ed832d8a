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
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utt_ros.drivers.imu import formats
from utt_ros.drivers.imu.readings import READING_LIMITS, Reading
from utt_ros.errors import MeasurementError

STAMP_NS = 1_698_501_144_401_773_000
COLUMNS = ('time', 'accel', 'skip3', 'gyro', 'skip', 'mag')


def test_a_push_of_sensor_logger_becomes_si_units() -> None:
    body = {
        'messageId': 4, 'sessionId': 's', 'deviceId': 'd-1', 'payload': [
            {'name': 'accelerometer', 'time': STAMP_NS, 'values': {'z': 3, 'y': 2.5, 'x': -1}},
            {'name': 'magnetometer', 'time': STAMP_NS, 'values': {'x': 50, 'y': 0, 'z': -20.0}},
            {'name': 'orientation', 'time': STAMP_NS, 'values': {'qx': 0, 'qw': 1}},
            {'name': 'gravity', 'time': STAMP_NS, 'values': {'x': 0, 'y': None, 'z': 9.8}},
            {'name': 'gyroscope', 'time': STAMP_NS + 7, 'values': {'x': 1, 'y': 2, 'z': 3}}]}
    device, readings, refused = formats.parse_sensor_logger(json.dumps(body).encode())
    assert (device, refused) == ('d-1', {'malformed': 1})
    assert readings[0] == Reading('accel', STAMP_NS, (-1.0, 2.5, 3.0))
    assert readings[1].kind == 'mag'
    assert readings[1].values == pytest.approx((50e-6, 0.0, -20e-6))
    assert readings[2] == Reading('gyro', STAMP_NS + 7, (1.0, 2.0, 3.0))


@pytest.mark.parametrize(('name', 'kind', 'scale'), [
    ('accelerometer', 'accel', 1.0), ('Accelerometer', 'accel', 1.0), ('gravity', 'gravity', 1.0),
    ('totalacceleration', 'force', 1.0), ('TotalAcceleration', 'force', 1.0),
    ('accelerometeruncalibrated', 'raw_force', 1.0),
    ('AccelerometerUncalibrated', 'raw_force', 1.0), ('gyroscope', 'gyro', 1.0),
    ('gyroscopeuncalibrated', 'raw_gyro', 1.0), ('magnetometer', 'mag', 1e-6),
    ('magnetometeruncalibrated', 'raw_mag', 1e-6)])
def test_every_motion_sensor_of_sensor_logger_is_read(name: str, kind: str, scale: float) -> None:
    body = {'deviceId': 'd', 'payload': [
        {'name': name, 'time': str(STAMP_NS), 'values': {'x': 1, 'y': 2, 'z': 3}}]}
    _, readings, refused = formats.parse_sensor_logger(json.dumps(body).encode())
    assert readings == [Reading(kind, STAMP_NS, (scale, 2 * scale, 3 * scale))]
    assert not refused


def test_a_push_without_any_motion_sensor_is_counted() -> None:
    body = {'deviceId': 'd', 'payload': [
        {'name': name, 'time': STAMP_NS, 'values': {}} for name in ('location', 'barometer')]}
    assert formats.parse_sensor_logger(json.dumps(body).encode()).refused == {'other_sensor': 2}


def test_a_message_of_sensor_server_becomes_a_reading_of_its_sensor() -> None:
    message = ('{"type": "android.sensor.accelerometer", "accuracy": 2, '
               '"timestamp": 3925657519043709, "values": [0.31892395, -0.97802734, 10.049896]}')
    assert formats.parse_sensor_server(message) == Reading(
        'accel', 3_925_657_519_043_709, (0.31892395, -0.97802734, 10.049896))
    assert formats.parse_sensor_server(message.replace('accelerometer', 'light')) is None
    with pytest.raises(MeasurementError, match='/sensors/connect'):
        formats.parse_sensor_server('{"accuracy": 2, "timestamp": 1, "values": [1, 2, 3]}')


def test_both_forms_of_sensor_streamer_are_read() -> None:
    line = (b'{"accelerometer": {"timestamp": 5, "value": [1, 2, 3]},'
            b' "gyroscope": {"x": 4, "y": 5, "z": 6, "timestamp": 7},'
            b' "light": {"value": 3.0, "timestamp": 7}}')
    assert formats.parse_sensor_streamer(line) == [
        Reading('accel', 5, (1.0, 2.0, 3.0)), Reading('gyro', 7, (4.0, 5.0, 6.0))]


def test_columns_of_hyper_imu_are_as_set() -> None:
    line = b'1518819953744,1,2,3,0,0,0,4,5,6,9,10,20,30,\r\n'
    stamp_ns = 1_518_819_953_744_000_000
    accel, gyro, mag = formats.parse_hyper_imu(line, COLUMNS, 5)
    assert accel == Reading('accel', stamp_ns, (1.0, 2.0, 3.0))
    assert gyro == Reading('gyro', stamp_ns, (4.0, 5.0, 6.0))
    assert mag.values == pytest.approx((10e-6, 20e-6, 30e-6))
    assert formats.parse_hyper_imu(b'1, 2, 3, 4, 5, 6', ('gyro', 'accel'), 5) == [
        Reading('gyro', 5, (1.0, 2.0, 3.0)), Reading('accel', 5, (4.0, 5.0, 6.0))]
    for wrong in (b'1,2,3', b'1,2,3,4,5,6,7,8', b'1,2,3,4,5,x', b'1,2,3,4,5,nan'):
        with pytest.raises(MeasurementError):
            formats.parse_hyper_imu(wrong, ('gyro', 'accel'), 5)


@pytest.mark.parametrize(('text', 'stamp_ns'), [
    ('1518819953744', 1_518_819_953_744_000_000), (' 1518819953744 ', 1_518_819_953_744_000_000),
    ('1518819953744.25', 1_518_819_953_744_250_000),
    ('1518819953744.0', 1_518_819_953_744_000_000),
    ('1.518819953744E12', 1_518_819_953_744_000_000), ('1.5e+12', 1_500_000_000_000_000_000)])
def test_times_of_hyper_imu_are_read_in_any_spelling(text: str, stamp_ns: int) -> None:
    (reading,) = formats.parse_hyper_imu(f'{text},1,2,3'.encode(), ('time', 'gyro'), 5)
    assert reading.peer_ns == stamp_ns


@pytest.mark.parametrize('text', ['', 'now', '-5', '1e-3', '0x10', '1 5', '1_000', 'nan', 'inf'])
def test_other_times_of_hyper_imu_are_refused(text: str) -> None:
    with pytest.raises(MeasurementError, match='milliseconds since the epoch'):
        formats.parse_hyper_imu(f'{text},1,2,3'.encode(), ('time', 'gyro'), 5)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(['deviceId', 'payload', 'name', 'time', 'values', 'x', 'y', 'z', 'type',
                         'timestamp', 'value', 'accelerometer', 'gyroscope', 'gravity',
                         'android.sensor.gyroscope']), inner, max_size=5), max_leaves=20)
VECTOR = st.fixed_dictionaries(dict.fromkeys('xyz', JSON))
ENTRY = st.fixed_dictionaries({
    'name': st.sampled_from(['gyroscope', 'gravity', 'magnetometer', 'x']),
    'time': st.integers() | JSON, 'values': VECTOR | JSON})
PUSH = st.fixed_dictionaries({'deviceId': st.text() | JSON, 'payload': st.lists(ENTRY) | JSON})
ANY = st.binary(max_size=200) | (JSON | PUSH).map(lambda found: json.dumps(found).encode())


def check(readings: list[Reading]) -> None:
    """Whatever came out is a stamp and numbers that a sensor can deliver."""
    for kind, peer_ns, values in readings:
        assert 0 < peer_ns <= 2**62
        assert len(values) == 3
        assert np.isfinite(values).all()
        assert np.abs(values).max() <= READING_LIMITS[kind] * (1 + 1e-9)


@settings(max_examples=150, deadline=None)
@given(ANY)
def test_no_json_raises_another_error_or_invents_a_reading(data: bytes) -> None:
    def parsed(parse: Any) -> Any:
        try:
            return parse(data)
        except MeasurementError:
            return None

    body = parsed(formats.parse_sensor_logger)
    if body is not None:
        check(body.readings)
        entries = json.loads(data)['payload']
        assert len(body.readings) + body.refused.total() <= len(entries)
    check(parsed(formats.parse_sensor_streamer) or [])
    one = parsed(formats.parse_sensor_server)
    check([one] if one else [])


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=100) | st.lists(st.floats() | st.integers(), max_size=16).map(
        lambda numbers: ','.join(map(str, numbers)).encode()),
    st.sampled_from([COLUMNS, ('accel', 'gyro'), ('time', 'accel', 'gyro', 'mag')]))
def test_no_packet_of_numbers_raises_another_error_or_invents_a_reading(
    data: bytes, columns: tuple[str, ...],
) -> None:
    try:
        readings = formats.parse_hyper_imu(data, columns, STAMP_NS)
    except MeasurementError:
        return
    check(readings)
    assert data.count(b',') >= formats.packet_width(columns) - 1
