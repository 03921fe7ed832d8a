import random
import struct

import pytest
from geometry_msgs.msg import Vector3
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Imu, MagneticField
from std_msgs.msg import Header

from utt_ros.bridge.messages.sensors import to_time
from utt_ros.cdr_raw import read_imu, read_magnetic, read_stamp
from utt_ros.errors import MeasurementError

STAMP = 1_700_000_000_123_456_789
NAMES = ['', 'p', 'phone', 'a_phone_with_a_long_name', 'ünï']


def header(name):
    return Header(stamp=to_time(STAMP), frame_id=name)


def imu_bytes(name='phone'):
    return serialize_message(Imu(
        header=header(name), angular_velocity=Vector3(x=1.0, y=2.0, z=3.0),
        linear_acceleration=Vector3(x=4.0, y=5.0, z=6.0),
        linear_acceleration_covariance=[9.0] * 9))


@pytest.mark.parametrize('name', NAMES)
def test_imu_is_read_for_any_length_of_the_frame_name(name):
    data = imu_bytes(name)
    assert read_imu(data) == (STAMP, (4.0, 5.0, 6.0, 1.0, 2.0, 3.0))
    assert read_stamp(data) == STAMP


@pytest.mark.parametrize('name', NAMES)
def test_magnetic_field_is_read_for_any_length_of_the_frame_name(name):
    field = Vector3(x=1e-5, y=-2e-5, z=3e-5)
    data = serialize_message(MagneticField(header=header(name), magnetic_field=field))
    assert read_magnetic(data) == (STAMP, (1e-5, -2e-5, 3e-5))


def test_every_truncation_is_an_error_that_names_both_lengths():
    data = imu_bytes()
    assert len(data) == 324
    for length in range(len(data)):
        with pytest.raises(MeasurementError, match=rf'of {length} bytes: .* \d+'):
            read_imu(data[:length])


def test_length_of_a_name_beyond_the_message_is_an_error():
    data = bytearray(imu_bytes())
    data[12:16] = struct.pack('<I', 2**32 - 1)
    with pytest.raises(MeasurementError, match='of 324 bytes'):
        read_imu(bytes(data))


def test_other_encapsulation_is_an_error():
    data = b'\x00\x00' + imu_bytes()[2:]
    with pytest.raises(MeasurementError, match='encapsulation 0000'):
        read_imu(data)


def test_random_bytes_are_read_or_refused():
    draw = random.Random(1)
    for _ in range(2000):
        data = b'\x00\x01' + draw.randbytes(draw.randrange(400))
        try:
            _, values = read_imu(data)
        except MeasurementError:
            continue
        assert len(values) == 6
