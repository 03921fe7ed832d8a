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

"""Offline synchronization of recorded sessions, by the same synchronizer as live."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from utt_ros.settings import WindowSettings
from utt_ros.sync.association_types import Associator
from utt_ros.sync.settings import SyncSettings
from utt_ros.sync.synchronizer import Synchronizer
from utt_ros.types import (
    MODALITIES,
    FloatArray,
    Frames,
    PhoneStreams,
    Session,
    Stamps,
    SyncedBatch,
)

_Stream = tuple[Stamps, Callable[[int], None]]  # stamps, and a feeder of the i-th message


def synchronize(
    session: Session,
    settings: SyncSettings | None = None,
    modalities: Sequence[str] = MODALITIES,
    windows: WindowSettings | None = None,
    associator: Associator | None = None,
    *,
    access_points: Sequence[str] = (),
) -> Iterator[SyncedBatch]:
    """Yield the samples of a session at its ticks, from streams merged in order of stamps.

    Boxes are associated by labels unless an associator is given, a new one for every session.
    `access_points` are addresses, see `Synchronizer`. Ticks at the end that wait for measurements
    after the recording are omitted, as in live operation.
    """
    synchronizer = Synchronizer(
        settings, windows, modalities, associator, access_points=access_points)
    yield from replay_session(synchronizer, session, modalities)


def replay_session(
    synchronizer: Synchronizer, session: Session, modalities: Sequence[str] = MODALITIES,
    delay: Callable[[Stamps], Stamps] = np.zeros_like,
) -> Iterator[SyncedBatch]:
    """Feed a session to a synchronizer and yield the completed ticks.

    `delay` maps stamps (N,) of all messages to the delays (N,) [ns] of their arrivals.
    """
    streams = list(_streams(synchronizer, session, modalities))
    stamps_ns = np.concatenate([np.empty(0, np.int64), *(stamps for stamps, _ in streams)])
    numbers = np.repeat(np.arange(len(streams)), [len(stamps) for stamps, _ in streams])
    rows = np.concatenate([np.empty(0, np.int64), *(
        np.arange(len(stamps)) for stamps, _ in streams)])
    order = np.argsort(stamps_ns + delay(stamps_ns), kind='stable')
    add = [feed for _, feed in streams]
    for number, row in zip(numbers[order].tolist(), rows[order].tolist(), strict=True):
        add[number](row)
        yield from synchronizer.poll()


def _streams(
    synchronizer: Synchronizer, session: Session, modalities: Sequence[str]
) -> Iterator[_Stream]:
    """Yield the streams of a session in a fixed order, which breaks ties of stamps."""
    if session.frames is not None and 'camera' in modalities:
        yield session.frames.stamps_ns, partial(_add_frame, synchronizer, session.frames)
    for name, phone in sorted(session.phones.items()):
        if 'ftm' in modalities:
            add_ftm = partial(_add_ftm, synchronizer, name, phone, phone.range_aps)
            yield phone.ftm_stamps_ns, add_ftm
        if 'imu' in modalities:
            add_inertial = partial(synchronizer.add_inertial, name)
            yield _stream(phone.inertial_stamps_ns, phone.inertial, add_inertial)
            add_magnetic = partial(synchronizer.add_magnetic, name)
            yield _stream(phone.magnetic_stamps_ns, phone.magnetic, add_magnetic)


def _stream(
    stamps_ns: Stamps,
    values: FloatArray,
    add: Callable[[int, list[float]], None],
) -> _Stream:
    return stamps_ns, lambda row: add(int(stamps_ns[row]), values[row].tolist())


def _add_ftm(
    synchronizer: Synchronizer, name: str, phone: PhoneStreams, addresses: Sequence[str], row: int,
) -> None:
    range_m, std_m = phone.ftm[row].tolist()
    synchronizer.add_ftm(name, int(phone.ftm_stamps_ns[row]), range_m, std_m, addresses[row])


def _add_frame(synchronizer: Synchronizer, frames: Frames, row: int) -> None:
    boxes = slice(int(frames.starts[row]), int(frames.starts[row + 1]))
    certain = np.ones(boxes.stop - boxes.start, np.float32)
    synchronizer.add_tracks(
        int(frames.stamps_ns[row]), frames.boxes[boxes], frames.subjects[boxes],
        frames.track_ids[boxes], certain)
