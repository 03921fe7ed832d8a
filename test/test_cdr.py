from typing import Any

import numpy as np
import pytest

from utt_ros import cdr
from utt_ros.errors import SessionError
from utt_ros.sessions.message_types import typestore

STAMPS = np.array([5_000_000_007, 1_700_000_000_999_999_999])


def decoded(layout: cdr.Layout, message: bytes) -> Any:
    return typestore().deserialize_cdr(message, layout.type)


@pytest.mark.parametrize('frame', ['p', 'ph', 'pho', 'phon', 'phone', 'hall/camera_optical'])
def test_numbers_stand_where_the_type_system_looks_for_them(frame: str) -> None:
    rows, numbers = cdr.new(cdr.IMU, [frame], STAMPS)
    numbers['accel'], numbers['gyro'] = [[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]
    message = decoded(cdr.IMU, rows[1].tobytes())
    assert message.header.frame_id == frame
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (1_700_000_000, 999_999_999)
    assert message.linear_acceleration.z == 6
    assert message.angular_velocity.x == 10


def test_three_strings_may_have_any_length() -> None:
    for size in range(1, 9):
        strings = ['a' * size, 'bb', 'c' * (size % 3)]
        rows, numbers = cdr.new(cdr.FTM_RANGE, strings, STAMPS)
        numbers['range'], numbers['successful'] = 3.5, 7
        message = decoded(cdr.FTM_RANGE, rows[0].tobytes())
        assert [message.header.frame_id, message.phone, message.ap] == strings
        assert (message.range, message.successful) == (3.5, 7)
        assert cdr.strings(cdr.FTM_RANGE, rows[0].tobytes()) == strings


@pytest.mark.parametrize('layout', [
    cdr.IMU, cdr.MAGNETIC_FIELD, cdr.ODOMETRY, cdr.FTM_RANGE], ids=lambda layout: layout.type)
@pytest.mark.parametrize('little_endian', [True, False])
def test_what_the_type_system_serializes_is_read(
        layout: cdr.Layout, little_endian: bool, rng: np.random.Generator) -> None:
    rows, numbers = cdr.new(layout, ['some', 'strings', 'here'][:layout.strings], STAMPS)
    for name in layout.numbers.names or ():
        numbers[name] = rng.integers(0, 200, numbers[name].shape)
    messages = [
        bytes(typestore().serialize_cdr(
            decoded(layout, row.tobytes()), layout.type, little_endian=little_endian))
        for row in rows]
    stamps, read = cdr.read(layout, messages)
    assert stamps.tolist() == STAMPS.tolist()
    assert (read == numbers).all()


def test_messages_with_strings_of_different_length_are_read() -> None:
    long, numbers = cdr.new(cdr.FTM_RANGE, ['hall/ap', 'anna', 'bssid'], STAMPS)
    numbers['range'] = [1, 2]
    short, numbers = cdr.new(cdr.FTM_RANGE, ['hall/ap', 'anna', ''], STAMPS)
    numbers['range'] = [3, 4]
    same_size, numbers = cdr.new(cdr.FTM_RANGE, ['hall/ap', 'annabell', 'b'], STAMPS)
    numbers['range'] = [5, 6]
    assert len(same_size[0]) == len(long[0])
    rows = [*long, *short, *same_size]
    _, read = cdr.read(cdr.FTM_RANGE, [row.tobytes() for row in rows])
    assert read['range'].tolist() == [1, 2, 3, 4, 5, 6]


def test_no_message_is_no_number() -> None:
    stamps, read = cdr.read(cdr.IMU, [])
    assert stamps.shape == (0,)
    assert read['accel'].shape == (0, 3)


@pytest.mark.parametrize('size', [0, 3, 11, 15, 40])
def test_a_message_that_is_cut_off_is_refused(size: int) -> None:
    rows, _ = cdr.new(cdr.IMU, ['phone'], STAMPS)
    with pytest.raises(SessionError, match='bytes'):
        cdr.read(cdr.IMU, [rows[0].tobytes()[:size]])
