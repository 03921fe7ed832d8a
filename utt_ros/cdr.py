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

"""CDR codec for messages of a fixed layout, without ROS.

Behind its strings an Imu, a MagneticField, an Odometry or an FtmRange holds only numbers, so the
messages of one topic differ in their stamp and in one block of fixed size. Bags are written and
read as arrays of such blocks, live samples are unpacked one at a time; neither makes a Python
object per message. The layout is XCDR1, which rmw implementations of ROS 2 write [S: DDS-XTypes
1.3, 7.4.1]: 4 bytes of encapsulation, then fields aligned to their size, counted from byte 4. A
header is a stamp (int32, uint32) and a string: its length, its bytes and a zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct, error, unpack_from
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from utt_ros.errors import MeasurementError, SessionError
from utt_ros.types import NS_PER_S, Stamps

ENCAPSULATION = 4
LITTLE_ENDIAN = b'\x00\x01'
STAMP = np.dtype([('sec', '<i4'), ('nanosec', '<u4')])
STAMP_END = ENCAPSULATION + STAMP.itemsize

POSE_BYTES = 7 * 8  # of position and orientation

ByteRows = npt.NDArray[np.uint8]
Numbers = np.ndarray[Any, np.dtype[np.void]]


@dataclass(frozen=True, slots=True)
class MessageLayout:
    """Layout of a message: a header, perhaps more strings, then numbers."""

    type: str
    strings: int  # between the stamp and the numbers, frame_id included
    alignment: int  # of the first number
    numbers: np.dtype[np.void]  # packed, little-endian

    def struct(self, *fields: str) -> Struct:
        """Return a Struct that unpacks these fields of the numbers and skips the others."""
        codes = []
        for name in self.numbers.names or ():
            kind = self.numbers[name]
            count = kind.itemsize // kind.base.itemsize
            codes.append(f'{count}{kind.base.char}' if name in fields else f'{kind.itemsize}x')
        return Struct('<' + ''.join(codes))


IMU = MessageLayout('sensor_msgs/msg/Imu', 1, 8, np.dtype([
    ('orientation', '<f8', 4), ('orientation_covariance', '<f8', 9),
    ('gyro', '<f8', 3), ('gyro_covariance', '<f8', 9),
    ('accel', '<f8', 3), ('accel_covariance', '<f8', 9)]))
MAGNETIC_FIELD = MessageLayout('sensor_msgs/msg/MagneticField', 1, 8, np.dtype([
    ('field', '<f8', 3), ('covariance', '<f8', 9)]))
ODOMETRY = MessageLayout('nav_msgs/msg/Odometry', 2, 8, np.dtype([
    ('position', '<f8', 3), ('orientation', '<f8', 4), ('pose_covariance', '<f8', 36),
    ('linear', '<f8', 3), ('angular', '<f8', 3), ('twist_covariance', '<f8', 36)]))
POSE = MessageLayout('geometry_msgs/msg/PoseWithCovarianceStamped', 1, 8, np.dtype([
    ('position', '<f8', 3), ('orientation', '<f8', 4), ('covariance', '<f8', 36)]))
FTM_RANGE = MessageLayout('utt_ros/msg/FtmRange', 3, 4, np.dtype([
    ('range', '<f4'), ('range_std', '<f4'), ('rssi', '<f4'),
    ('attempted', 'u1'), ('successful', 'u1')]))

_STAMP = Struct('<iI')
_HEADER = Struct('<2sxxiII')  # encapsulation, stamp, length of frame_id
_GYRO_ACCEL = IMU.struct('gyro', 'accel')
_FIELD = MAGNETIC_FIELD.struct('field')


def read_imu(message: bytes) -> tuple[int, tuple[float, ...]]:
    """Stamp [ns] and accel [m/s^2] with gyro [rad/s], (6,), of one little-endian Imu.

    Takes a tenth of the time of deserializing. Raises MeasurementError when the bytes are not
    such a message.
    """
    stamp_ns, numbers = _unpack(message, _GYRO_ACCEL, 'sensor_msgs/Imu')
    return stamp_ns, numbers[3:] + numbers[:3]


def read_magnetic(message: bytes) -> tuple[int, tuple[float, ...]]:
    """Stamp [ns] and field [T], (3,), of one little-endian MagneticField.

    Raises MeasurementError when the bytes are not such a message.
    """
    return _unpack(message, _FIELD, 'sensor_msgs/MagneticField')


def read_stamp(message: bytes) -> int:
    """Stamp [ns] of a little-endian message that begins with a header. Raises MeasurementError."""
    return _unpack_header(message)[0]


def read_path_points(message: bytes, max_points: int) -> list[tuple[float, float]]:
    """Return x and y [m] of the first poses of a Path of either byte order.

    Takes a small part of the time of deserializing. Raises SessionError when it ends before the
    last point that is read.
    """
    order = _order(np.frombuffer(message, np.uint8))
    points: list[tuple[float, float]] = []
    end = STAMP_END
    try:
        end += 4 + unpack_from(f'{order}I', message, end)[0]
        end = _align(end, 4)
        (count,) = unpack_from(f'{order}I', message, end)
        end += 4
        for _ in range(min(count, max_points)):
            length = _align(end, 4) + STAMP.itemsize  # of the string behind the pose's stamp
            begin = _align(length + 4 + unpack_from(f'{order}I', message, length)[0], 8)
            x, y = unpack_from(f'{order}2d', message, begin)
            points.append((x, y))
            end = begin + POSE_BYTES
    except error as err:
        raise SessionError(f'a nav_msgs/msg/Path of {len(message)} bytes: {err}') from err
    return points


def replace_stamp(message: bytes, stamp_ns: int) -> bytes:
    """Copy a little-endian message that begins with a header, with another stamp in it."""
    return (message[:ENCAPSULATION] + _STAMP.pack(*divmod(stamp_ns, NS_PER_S))
            + message[STAMP_END:])


def repeat_message(message: bytes, stamps_ns: Stamps) -> ByteRows:
    """Copy a message once per stamp: (N, size), with these stamps in the headers."""
    rows = np.tile(np.frombuffer(message, np.uint8), (len(stamps_ns), 1))
    words = np.stack([stamps_ns // NS_PER_S, stamps_ns % NS_PER_S], axis=1).astype('<u4')
    rows[:, ENCAPSULATION:STAMP_END] = words.view(np.uint8)
    return rows


def new_messages(
        layout: MessageLayout, strings: Sequence[str], stamps_ns: Stamps,
) -> tuple[ByteRows, Numbers]:
    """Messages (N, size) with these strings, frame_id first, and a view of their numbers (N,).

    Everything but the strings and the stamps is 0.
    """
    message = bytearray(b'\x00\x01\x00\x00' + bytes(8))
    for text in strings:
        encoded = text.encode() + b'\0'
        message += bytes(_align(len(message), 4) - len(message))
        message += len(encoded).to_bytes(4, 'little') + encoded
    begin = _align(len(message), layout.alignment)
    message += bytes(begin - len(message) + layout.numbers.itemsize)
    rows = repeat_message(bytes(message), stamps_ns)
    return rows, _block(rows, begin, layout.numbers)


def read_messages(layout: MessageLayout, messages: Sequence[bytes]) -> tuple[Stamps, Numbers]:
    """Stamps [ns] (N,) and numbers (N,) of messages of either byte order.

    Messages with strings of different lengths are read one at a time. Raises SessionError when a
    message is shorter than its layout.
    """
    if not messages:
        return np.empty(0, np.int64), np.empty(0, layout.numbers)
    if len({len(message) for message in messages}) == 1:
        rows = np.frombuffer(b''.join(messages), np.uint8).reshape(len(messages), -1)
        if len(messages) == 1 or _is_uniform(layout, rows):
            begin = _spans(layout, messages[0])[-1].end
            block = _block(rows, begin, layout.numbers.newbyteorder(_order(rows[0])))
            return _stamps(rows), block.astype(layout.numbers)
    parts = [read_messages(layout, [message]) for message in messages]
    stamps, blocks = zip(*parts, strict=True)
    return np.concatenate(stamps), np.concatenate(blocks)


def read_strings(layout: MessageLayout, message: bytes) -> list[str]:
    """Return the strings of a message, frame_id first. Raises SessionError as `read_messages`."""
    return [message[span.begin:span.end - 1].decode('utf-8', 'replace')
            for span in _spans(layout, message)[:layout.strings]]


def read_string_column(
    layout: MessageLayout, messages: Sequence[bytes], index: int,
) -> list[str]:
    """Return one of the strings of each message. Raises SessionError as `read_messages`."""
    known: dict[bytes, str] = {}  # by the bytes between stamp and numbers, which seldom differ
    column = []
    for message in messages:
        head = message[:STAMP_END - STAMP.itemsize] + message[STAMP_END:-layout.numbers.itemsize]
        if head not in known:
            known[head] = read_strings(layout, message)[index]
        column.append(known[head])
    return column


def _unpack(message: bytes, numbers: Struct, name: str) -> tuple[int, tuple[float, ...]]:
    stamp_ns, length = _unpack_header(message)
    # counted from byte 4 the string begins at 12; the numbers are aligned to 8
    begin = (12 + length + 7) // 8 * 8 + 4
    try:
        return stamp_ns, numbers.unpack_from(message, begin)
    except error as err:
        raise MeasurementError(
            f'a {name} of {len(message)} bytes: it must have {begin + numbers.size}') from err


def _unpack_header(message: bytes) -> tuple[int, int]:
    """Stamp [ns] and length of frame_id."""
    try:
        encapsulation, sec, nanosec, length = _HEADER.unpack_from(message)
    except error as err:
        raise MeasurementError(
            f'a message of {len(message)} bytes: its header has {_HEADER.size}') from err
    if encapsulation != LITTLE_ENDIAN:
        raise MeasurementError(f'encapsulation {encapsulation.hex()}: it must be 0001, plain CDR')
    return sec * NS_PER_S + nanosec, length


@dataclass(frozen=True, slots=True)
class _Span:
    length: int  # position of the string's length
    begin: int
    end: int


def _spans(layout: MessageLayout, message: bytes) -> list[_Span]:
    """Positions of the strings, and an empty span where the numbers begin."""
    order: Literal['little', 'big']
    order = 'little' if _order(np.frombuffer(message, np.uint8)) == '<' else 'big'
    spans, end = [], STAMP_END
    for _ in range(layout.strings):
        length = _align(end, 4)
        begin = length + 4
        end = begin + int.from_bytes(message[length:begin], order)
        spans.append(_Span(length, begin, end))
    begin = _align(end, layout.alignment)
    if len(message) < begin + layout.numbers.itemsize:
        needed = begin + layout.numbers.itemsize
        raise SessionError(f'a {layout.type} of {len(message)} bytes: it must have {needed}')
    return [*spans, _Span(begin, begin, begin)]


def _is_uniform(layout: MessageLayout, rows: ByteRows) -> bool:
    """Whether byte order and lengths of strings are those of the first message."""
    columns = [1]
    for span in _spans(layout, rows[0].tobytes())[:layout.strings]:
        columns += range(span.length, span.length + 4)
    return bool((rows[:, columns] == rows[0, columns]).all())


def _stamps(rows: ByteRows) -> Stamps:
    kind = STAMP.newbyteorder(_order(rows[0]))
    words = _block(rows, ENCAPSULATION, kind)
    return np.asarray(words['sec'].astype(np.int64) * NS_PER_S + words['nanosec'])


def _block(rows: ByteRows, begin: int, kind: np.dtype[np.void]) -> Numbers:
    return rows[:, begin:begin + kind.itemsize].view(kind)[:, 0]


def _order(message: ByteRows) -> Literal['<', '>']:
    if len(message) < STAMP_END:
        raise SessionError(f'a message of {len(message)} bytes has no stamp')
    return '<' if message[1] & 1 else '>'


def _align(position: int, size: int) -> int:
    return position + (ENCAPSULATION - position) % size
