"""The load: rclpy would have serialized the same, and people could have caused it."""

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message

from utt_ros.cdr import replace_stamp
from utt_ros.evaluation.benchmarks.load_messages import (
    AREA,
    RATES_HZ,
    Stream,
    make_streams,
    phone_names,
    schedule,
)
from utt_ros.evaluation.benchmarks.walkers import LOOP_SEC, Walkers
from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.compass import compass_heading, wrap_angle

STAMP_NS = 1_700_000_000_123_456_789


@pytest.fixture(scope='module')
def streams() -> list[Stream]:
    return make_streams(3)


def test_bytes_are_those_that_rclpy_serializes(streams: list[Stream]) -> None:
    for stream in (each for each in streams if each.kind != 'camera'):  # that one is rclpy's
        message = replace_stamp(stream.messages[-1], STAMP_NS)
        rclpy_bytes = bytes(serialize_message(deserialize_message(message, stream.type)))
        assert len(rclpy_bytes) == len(message)
        padding = [place for place, byte in enumerate(message) if byte != rclpy_bytes[place]]
        assert len(padding) <= 12  # rclpy leaves what was in its buffer there
        assert not any(message[place] for place in padding)


def test_every_frame_shows_every_phone_with_its_label(streams: list[Stream]) -> None:
    camera = next(stream for stream in streams if stream.kind == 'camera')
    for message in camera.messages:
        tracks = deserialize_message(message, camera.type).tracks
        assert [track.subject for track in tracks] == phone_names(3)


def test_schedule_has_every_message_once_in_order_and_at_its_rate(streams: list[Stream]) -> None:
    events = schedule(streams)
    assert events == sorted(events)
    assert len({(number, index) for _, number, index in events}) == len(events)
    for number, stream in enumerate(streams):
        due_ns = [due for due, at, _ in events if at == number]
        assert len(due_ns) == LOOP_SEC * RATES_HZ[stream.kind]
        assert np.ptp(np.diff(due_ns)) <= 1


def test_loop_begins_again_one_step_after_its_end(streams: list[Stream]) -> None:
    for stream in streams:
        count = len(stream.messages)
        period_ns = LOOP_SEC * 10**9 / count
        assert 0 <= stream.phase_ns < 10**9
        assert stream.phase_ns + (count - 1) * period_ns < stream.phase_ns + LOOP_SEC * 10**9


def test_equal_seeds_make_equal_loads() -> None:
    assert make_streams(2, seed=5) == make_streams(2, seed=5)
    assert make_streams(2, seed=5) != make_streams(2, seed=6)


def test_people_stay_in_view_and_walk_at_walking_speed() -> None:
    seconds = np.arange(0.0, LOOP_SEC, 0.1)
    positions = Walkers(20).positions(seconds)
    assert CameraModel(AREA).in_view(positions).all()
    speed = np.linalg.norm(np.diff(positions, axis=0), axis=-1) / 0.1
    assert speed.min() > 0.9
    assert speed.max() < 1.5


def test_positions_come_back_from_the_boxes() -> None:
    seconds = np.arange(0.0, LOOP_SEC, 0.5)
    walkers = Walkers(20)
    found = CameraModel(AREA).back_project(walkers.boxes(seconds, AREA))
    assert np.allclose(found, walkers.positions(seconds), atol=1e-9)


def test_compass_of_the_phones_points_where_their_owners_walk() -> None:
    walkers = Walkers(20)
    seconds = np.arange(0.0, 3.0, 0.02)
    imu = np.concatenate(
        [walkers.accelerations(seconds), walkers.rates(seconds), walkers.fields(seconds)], axis=-1)
    heading, valid = compass_heading(
        imu.transpose(1, 0, 2).astype(np.float32), np.ones((20, len(seconds)), bool), 0.02,
        AREA.magnetic_yaw)
    step = np.diff(walkers.positions(seconds[-2:]), axis=0)[0]
    assert valid.all()
    assert np.abs(wrap_angle(heading - np.arctan2(step[:, 1], step[:, 0]))).max() < 0.15


def test_specific_force_is_gravity_plus_a_gait() -> None:
    force = Walkers(20).accelerations(np.arange(0.0, LOOP_SEC, 0.01))
    assert np.allclose(force[..., 2].mean(axis=0), 9.81, atol=0.05)
    spectrum = np.abs(np.fft.rfft(force[..., 2] - 9.81, axis=0))
    step_hz = spectrum.argmax(axis=0) / LOOP_SEC
    assert step_hz.min() > 1.5
    assert step_hz.max() < 2.5
