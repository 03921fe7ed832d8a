"""Phone IMU messages from their serialized bytes, at a tenth of the cost of deserializing them.

The layout is XCDR1, little-endian: 4 bytes of encapsulation, then fields aligned to their size
counted from byte 4 [S: DDS-XTypes 1.3, 7.4.1]. A header is a stamp (int32, uint32) and a string
with its length and a zero at the end; what follows here is numbers of 8 bytes.
"""

from struct import Struct, error

from utt_ros.errors import MeasurementError
from utt_ros.types import NS_PER_S

LITTLE_ENDIAN = b'\x00\x01'
HEADER = Struct('<2sxxiII')  # encapsulation, stamp, length of frame_id
# orientation with covariance, gyro, its covariance, accel, its covariance
IMU = Struct(f'<{13 * 8}x3d{9 * 8}x3d{9 * 8}x')
MAGNETIC_FIELD = Struct(f'<3d{9 * 8}x')  # field, its covariance


def read_imu(data: bytes) -> tuple[int, tuple[float, ...]]:
    """Stamp [ns] and accel [m/s^2] with gyro [rad/s], (6,), of a sensor_msgs/Imu.

    Raises MeasurementError when the bytes are not such a message.
    """
    stamp_ns, numbers = _read(data, IMU, 'sensor_msgs/Imu')
    return stamp_ns, numbers[3:] + numbers[:3]


def read_magnetic(data: bytes) -> tuple[int, tuple[float, ...]]:
    """Stamp [ns] and field [T], (3,), of a sensor_msgs/MagneticField.

    Raises MeasurementError when the bytes are not such a message.
    """
    return _read(data, MAGNETIC_FIELD, 'sensor_msgs/MagneticField')


def read_stamp(data: bytes) -> int:
    """Stamp [ns] of any message that begins with a header. Raises MeasurementError."""
    return _header(data)[0]


def _read(data: bytes, layout: Struct, name: str) -> tuple[int, tuple[float, ...]]:
    stamp_ns, length = _header(data)
    # counted from byte 4 the string begins at 12; what follows is aligned to 8
    begin = (12 + length + 7) // 8 * 8 + 4
    try:
        return stamp_ns, layout.unpack_from(data, begin)
    except error as err:
        raise MeasurementError(
            f'a {name} of {len(data)} bytes: it must have {begin + layout.size}') from err


def _header(data: bytes) -> tuple[int, int]:
    try:
        encapsulation, sec, nanosec, length = HEADER.unpack_from(data)
    except error as err:
        raise MeasurementError(
            f'a message of {len(data)} bytes: its header has {HEADER.size}') from err
    if encapsulation != LITTLE_ENDIAN:
        raise MeasurementError(f'encapsulation {encapsulation.hex()}: it must be 0001, plain CDR')
    return sec * NS_PER_S + nanosec, length
