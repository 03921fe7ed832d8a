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

"""Load of sensor messages: one serialized loop of every topic, and its schedule."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Imu, MagneticField

from utt_ros import cdr
from utt_ros.evaluation.benchmarks.circling_walkers import LOOP_SEC, CirclingWalkers
from utt_ros.msg import FtmRange, Track, Tracks
from utt_ros.settings import AreaSettings
from utt_ros.types import NS_PER_S

AREA = AreaSettings(area='bench')
RATES_HZ = {'camera': 10, 'ftm': 3, 'imu': 100, 'mag': 50}
BURSTS = 5  # groups of phones that send 2 ms apart, as an access point empties its queue
BURST_NS = 2_000_000
CAMERA_PHASE_NS = 5_000_000
RANGE_STD_M = 0.3
BSSID = '02:00:00:00:00:01'


@dataclass(frozen=True, slots=True)
class LoadStream:
    """One topic: message k is published at phase + k * loop / count, loop after loop."""

    kind: str  # key of RATES_HZ
    topic: str  # relative to the area
    type: type[Any]
    messages: tuple[bytes, ...]
    phase_ns: int


def phone_names(phones: int) -> list[str]:
    """Return the names of the phones, sorted."""
    return [f'phone_{number:02d}' for number in range(phones)]


def make_streams(phones: int, seed: int = 1) -> list[LoadStream]:
    """Make every topic of one area with `phones` phones, all in view of the camera."""
    walkers, names = CirclingWalkers(phones, seed), phone_names(phones)
    streams = [LoadStream(
        'camera', 'camera/tracks', Tracks, _tracks(walkers, names), CAMERA_PHASE_NS)]
    for number, (name, ftm, imu, mag) in enumerate(zip(
            names, _ftm(walkers, names), _imu(walkers, names), _mag(walkers, names), strict=True)):
        burst_ns = number % BURSTS * BURST_NS
        third_ns = number * NS_PER_S // (RATES_HZ['ftm'] * phones)
        streams += [
            LoadStream('ftm', f'phones/{name}/ftm', FtmRange, ftm, third_ns),
            LoadStream('imu', f'phones/{name}/imu/data_raw', Imu, imu, burst_ns),
            LoadStream('mag', f'phones/{name}/imu/mag', MagneticField, mag, burst_ns)]
    return streams


def loop_schedule(streams: list[LoadStream]) -> list[tuple[int, int, int]]:
    """Schedule of one loop: (nanoseconds from its start, stream, message), in order."""
    return sorted(
        (stream.phase_ns + index * LOOP_SEC * NS_PER_S // len(stream.messages), number, index)
        for number, stream in enumerate(streams) for index in range(len(stream.messages)))


def _seconds(kind: str) -> npt.NDArray[np.float64]:
    return np.arange(LOOP_SEC * RATES_HZ[kind]) / RATES_HZ[kind]


def _tracks(walkers: CirclingWalkers, names: list[str]) -> tuple[bytes, ...]:
    messages = []
    for frame in walkers.boxes(_seconds('camera'), AREA).tolist():
        message = Tracks()
        message.header.frame_id = f'{AREA.area}/camera_optical'
        message.tracks = [
            Track(track_id=f'track_{name}', subject=name, center_x=x, center_y=y, depth=depth,
                  width=width, height=height, confidence=1.0)
            for name, (x, y, depth, width, height) in zip(names, frame, strict=True)]
        messages.append(bytes(serialize_message(message)))
    return tuple(messages)


def _imu(walkers: CirclingWalkers, names: list[str]) -> Iterator[tuple[bytes, ...]]:
    seconds = _seconds('imu')
    accel, gyro = walkers.accelerations(seconds), walkers.rates(seconds)
    for phone, name in enumerate(names):
        rows, numbers = _new(cdr.IMU, [name], len(seconds))
        numbers['orientation'][:, 3] = 1.0
        numbers['orientation_covariance'][:, 0] = -1.0
        numbers['accel'], numbers['gyro'] = accel[:, phone], gyro[:, phone]
        yield tuple(row.tobytes() for row in rows)


def _mag(walkers: CirclingWalkers, names: list[str]) -> Iterator[tuple[bytes, ...]]:
    seconds = _seconds('mag')
    field = walkers.fields(seconds)
    for phone, name in enumerate(names):
        rows, numbers = _new(cdr.MAGNETIC_FIELD, [name], len(seconds))
        numbers['field'] = field[:, phone]
        yield tuple(row.tobytes() for row in rows)


def _ftm(walkers: CirclingWalkers, names: list[str]) -> Iterator[tuple[bytes, ...]]:
    seconds = _seconds('ftm')
    ranges = walkers.ranges(seconds, AREA)
    for phone, name in enumerate(names):
        rows, numbers = _new(cdr.FTM_RANGE, [f'{AREA.area}/ap', name, BSSID], len(seconds))
        numbers['range'], numbers['range_std'], numbers['rssi'] = (
            ranges[:, phone], RANGE_STD_M, -50.0)
        numbers['attempted'], numbers['successful'] = 8, 8
        yield tuple(row.tobytes() for row in rows)


def _new(
    layout: cdr.MessageLayout, strings: list[str], count: int,
) -> tuple[cdr.ByteRows, cdr.Numbers]:
    return cdr.new_messages(layout, strings, np.zeros(count, np.int64))
