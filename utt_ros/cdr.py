"""Many messages of one fixed layout as one array of bytes.

Behind its strings an Imu, a MagneticField, an Odometry or an FtmRange has only numbers, so the
messages of a topic differ in their stamp and in one block of fixed size. Writing fills the block
of all messages at once and reading views it, instead of making a Python object per message. The
layout is XCDR1, which rmw implementations of ROS 2 write [S: DDS-XTypes 1.3, 7.4.1]: 4 bytes of
encapsulation, then fields aligned to their size, counted from byte 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from utt_ros.errors import SessionError
from utt_ros.types import NS_PER_S, Stamps

ENCAPSULATION = 4
STAMP = np.dtype([('sec', '<i4'), ('nanosec', '<u4')])
STAMP_END = ENCAPSULATION + STAMP.itemsize

Rows = npt.NDArray[np.uint8]
Numbers = np.ndarray[Any, np.dtype[np.void]]


@dataclass(frozen=True, slots=True)
class Layout:
    """A message that is a header, perhaps more strings, and then numbers."""

    type: str
    strings: int  # between the stamp and the numbers, frame_id included
    alignment: int  # of the first number
    numbers: np.dtype[np.void]  # packed, little-endian


IMU = Layout('sensor_msgs/msg/Imu', 1, 8, np.dtype([
    ('orientation', '<f8', 4), ('orientation_covariance', '<f8', 9),
    ('gyro', '<f8', 3), ('gyro_covariance', '<f8', 9),
    ('accel', '<f8', 3), ('accel_covariance', '<f8', 9)]))
MAGNETIC_FIELD = Layout('sensor_msgs/msg/MagneticField', 1, 8, np.dtype([
    ('field', '<f8', 3), ('covariance', '<f8', 9)]))
ODOMETRY = Layout('nav_msgs/msg/Odometry', 2, 8, np.dtype([
    ('position', '<f8', 3), ('orientation', '<f8', 4), ('pose_covariance', '<f8', 36),
    ('linear', '<f8', 3), ('angular', '<f8', 3), ('twist_covariance', '<f8', 36)]))
FTM_RANGE = Layout('utt_ros/msg/FtmRange', 3, 4, np.dtype([
    ('range', '<f4'), ('range_std', '<f4'), ('rssi', '<f4'),
    ('attempted', 'u1'), ('successful', 'u1')]))


def repeat(template: bytes, stamps_ns: Stamps) -> Rows:
    """Copies of one message (N, size) that differ in the stamp of their header."""
    rows = np.tile(np.frombuffer(template, np.uint8), (len(stamps_ns), 1))
    words = np.stack([stamps_ns // NS_PER_S, stamps_ns % NS_PER_S], axis=1).astype('<u4')
    rows[:, ENCAPSULATION:STAMP_END] = words.view(np.uint8)
    return rows


def new(layout: Layout, strings: Sequence[str], stamps_ns: Stamps) -> tuple[Rows, Numbers]:
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
    rows = repeat(bytes(message), stamps_ns)
    return rows, _block(rows, begin, layout.numbers)


def read(layout: Layout, messages: Sequence[bytes]) -> tuple[Stamps, Numbers]:
    """Stamps [ns] (N,) and numbers (N,).

    Messages whose strings differ in length are read one at a time. Raises SessionError when a
    message is shorter than its layout.
    """
    if not messages:
        return np.empty(0, np.int64), np.empty(0, layout.numbers)
    if len({len(message) for message in messages}) == 1:
        rows = np.frombuffer(b''.join(messages), np.uint8).reshape(len(messages), -1)
        if len(messages) == 1 or _alike(layout, rows):
            begin = _strings(layout, messages[0])[-1].end
            block = _block(rows, begin, layout.numbers.newbyteorder(_order(rows[0])))
            return _stamps(rows), block.astype(layout.numbers)
    parts = [read(layout, [message]) for message in messages]
    stamps, blocks = zip(*parts, strict=True)
    return np.concatenate(stamps), np.concatenate(blocks)


def strings(layout: Layout, message: bytes) -> list[str]:
    """The strings of a message, frame_id first."""
    return [message[item.begin:item.end - 1].decode('utf-8', 'replace')
            for item in _strings(layout, message)[:layout.strings]]


@dataclass(frozen=True, slots=True)
class _Span:
    length: int  # where its length is
    begin: int
    end: int


def _strings(layout: Layout, message: bytes) -> list[_Span]:
    """Where the strings are, and last the numbers."""
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


def _alike(layout: Layout, rows: Rows) -> bool:
    """Whether byte order and lengths of strings are those of the first message."""
    columns = [1]
    for span in _strings(layout, rows[0].tobytes())[:layout.strings]:
        columns += range(span.length, span.length + 4)
    return bool((rows[:, columns] == rows[0, columns]).all())


def _stamps(rows: Rows) -> Stamps:
    kind = STAMP.newbyteorder(_order(rows[0]))
    words = _block(rows, ENCAPSULATION, kind)
    return np.asarray(words['sec'].astype(np.int64) * NS_PER_S + words['nanosec'])


def _block(rows: Rows, begin: int, kind: np.dtype[np.void]) -> Numbers:
    return rows[:, begin:begin + kind.itemsize].view(kind)[:, 0]


def _order(message: Rows) -> Literal['<', '>']:
    if len(message) < STAMP_END:
        raise SessionError(f'a message of {len(message)} bytes has no stamp')
    return '<' if message[1] & 1 else '>'


def _align(position: int, size: int) -> int:
    return position + (ENCAPSULATION - position) % size
