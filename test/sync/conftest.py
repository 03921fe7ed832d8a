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

"""Simulated streams of a small area as events, and functions that feed them."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pytest

from utt_ros.sync.synchronizer import Synchronizer
from utt_ros.types import SyncedBatch

MS = 1_000_000
START_NS = 1_700_000_000_000_000_000  # a multiple of 0.1 s


class Event(NamedTuple):
    stamp_ns: int
    kind: str  # inertial, magnetic, ftm, tracks
    subject: str
    values: Any


def camera(
    rng: np.random.Generator, seconds: float, subjects: tuple[str, ...], rate_hz: float = 10.0
) -> list[Event]:
    """Return frames with a jitter of 2 ms; each subject is detected with probability 0.8."""
    events = []
    for k in range(int(seconds * rate_hz)):
        stamp_ns = START_NS + round(k / rate_hz * 1e9) + int(rng.integers(-2, 3)) * MS
        seen = [name for name in subjects if rng.random() < 0.8]
        boxes = rng.uniform(1.0, 700.0, (len(seen), 5)).astype(np.float32)
        events.append(Event(stamp_ns, 'tracks', '', (boxes, seen)))
    return events


def phone(
    rng: np.random.Generator,
    name: str,
    seconds: float,
    rate_hz: float = 100.0,
    magnetic: bool = True,
    loss: float = 0.0,
    begin_s: float = 0.0,
) -> list[Event]:
    """Return IMU and FTM of one phone; `loss` is the share of missing IMU messages."""
    events = []
    phase_ns = START_NS + round(begin_s * 1e9) + int(rng.integers(0, 9_000_000))
    for k in range(int(seconds * rate_hz)):
        stamp_ns = phase_ns + round(k / rate_hz * 1e9) + int(rng.integers(0, 500_000))
        values = rng.normal(size=9) * (3, 3, 3, 1, 1, 1, 1e-5, 1e-5, 1e-5)
        if rng.random() >= loss:
            events.append(Event(stamp_ns, 'inertial', name, tuple(values[:6].tolist())))
        if magnetic and rng.random() >= loss:
            events.append(Event(stamp_ns + 1000, 'magnetic', name, tuple(values[6:].tolist())))
    for k in range(int(seconds * 3)):
        stamp_ns = phase_ns + k * 333 * MS + int(rng.integers(0, 30 * MS))
        events.append(Event(stamp_ns, 'ftm', name, (float(rng.uniform(1, 20)), 0.5)))
    return events


def feed(synchronizer: Synchronizer, events: Iterable[Event]) -> list[SyncedBatch]:
    """Feed events in the given order and poll after each."""
    batches = []
    for stamp_ns, kind, subject, values in events:
        if kind == 'inertial':
            synchronizer.add_inertial(subject, stamp_ns, values)
        elif kind == 'magnetic':
            synchronizer.add_magnetic(subject, stamp_ns, values)
        elif kind == 'ftm':
            synchronizer.add_ftm(subject, stamp_ns, *values)
        else:
            boxes, seen = values
            ids = [f't{name}' for name in seen]
            confidence = np.ones(len(seen), np.float32)
            synchronizer.add_tracks(stamp_ns, boxes, seen, ids, confidence)
        batches += synchronizer.poll()
    return batches


def image(batch: SyncedBatch) -> tuple[Any, ...]:
    """Return a batch as a tuple that is equal only when every bit is."""
    return tuple(
        value.tobytes() if isinstance(value := getattr(batch, name), np.ndarray) else value
        for name in SyncedBatch.__slots__
    )


@pytest.fixture
def make_camera() -> Callable[..., list[Event]]:
    return camera


@pytest.fixture
def make_phone() -> Callable[..., list[Event]]:
    return phone


@pytest.fixture
def run() -> Callable[..., list[SyncedBatch]]:
    return feed


@pytest.fixture
def bits() -> Callable[[SyncedBatch], tuple[Any, ...]]:
    return image
