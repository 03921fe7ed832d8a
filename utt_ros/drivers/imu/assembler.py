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

"""Assembly of one phone's readings, in any order, into ordered inertial and magnetic samples."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from utt_ros.drivers.imu.readings import Reading, Vector
from utt_ros.drivers.types import InertialSample, MagneticSample
from utt_ros.types import NS_PER_S, FloatArray

MAX_PENDING_READINGS = 4096  # of one sensor
NO_GRAVITY = (0.0, 0.0, 0.0)
MAX_PAIRING_WAIT_NS = NS_PER_S  # of accel for the gyroscope
SUPERSEDED_BY = {  # kinds of a phone that are not used while it sends better ones
    'accel': ('force', 'raw_force'), 'gravity': ('force', 'raw_force'), 'raw_force': ('force',),
    'raw_gyro': ('gyro',), 'raw_mag': ('mag',)}
SUPERSEDED_NS = NS_PER_S  # after the last better reading
STREAM_NAMES = {'raw_force': 'force', 'raw_gyro': 'gyro', 'raw_mag': 'mag'}


class PairingSettings(NamedTuple):
    """Rules by which readings of different sensors become one sample."""

    reorder_ns: int  # a reading waits until the phone sent one that is this much later
    max_gap_ns: int  # between two interpolated readings of the gyroscope
    adds_gravity: bool  # gravity is a separate sensor, to be added to accel


class _Stream:
    """Sorted readings of one sensor; those at or before `floor_ns` have been removed."""

    def __init__(self) -> None:
        self.stamps: list[int] = []
        self.values: list[Vector] = []
        self.floor_ns = -1

    def add(self, peer_ns: int, values: Vector) -> str:
        """Insert a reading; return the key of a refusal, empty when nothing was refused."""
        if peer_ns <= self.floor_ns:
            return 'late'
        index = bisect_left(self.stamps, peer_ns)
        if self.stamps[index:index + 1] == [peer_ns]:
            return 'duplicate'
        self.stamps.insert(index, peer_ns)
        self.values.insert(index, values)
        if len(self.stamps) > MAX_PENDING_READINGS:
            self.drop(1)
            return 'overflow'
        return ''

    def clear(self) -> None:
        """Remove all readings; earlier ones may still be added."""
        self.stamps.clear()
        self.values.clear()

    def drop(self, count: int) -> None:
        """Remove the oldest readings."""
        if count > 0:
            self.floor_ns = self.stamps[count - 1]
            del self.stamps[:count], self.values[:count]

    def at(self, peer_ns: int, max_gap_ns: int) -> Vector | None:
        """Interpolate linearly; None before the first reading and in a gap over `max_gap_ns`."""
        index = bisect_left(self.stamps, peer_ns)
        after_ns = self.stamps[index]
        if after_ns == peer_ns:
            return self.values[index]
        if index == 0 or after_ns - self.stamps[index - 1] > max_gap_ns:
            return None
        before_ns = self.stamps[index - 1]
        weight = (peer_ns - before_ns) / (after_ns - before_ns)
        before, after = self.values[index - 1], self.values[index]
        x, y, z = (low + weight * (high - low) for low, high in zip(before, after, strict=True))
        return x, y, z


class SampleAssembler:
    """One inertial sample per accelerometer reading between two gyroscope readings.

    Nothing is extrapolated. `to_host(stream, peer_ns)` maps a stamp of the phone to the host's
    clock; None: the stamp is refused, and counted there.
    """

    def __init__(
        self, phone: str, pairing: PairingSettings, counters: 'Counter[str]',
        to_host: Callable[[str, int], int | None],
    ) -> None:
        self._phone, self._pairing, self._counters = phone, pairing, counters
        self._to_host = to_host
        self.clear()

    def clear(self) -> None:
        """Discard pending readings, when the clock of the phone or of the host was set."""
        self._newest_ns = self._accel_ns = -1
        self._accel, self._force, self._mag = _Stream(), _Stream(), _Stream()
        self._gyro, self._gravity = _Stream(), _Stream()
        self._streams = {'accel': self._accel, 'force': self._force, 'mag': self._mag,
                         'gyro': self._gyro}
        if self._pairing.adds_gravity:
            self._streams['gravity'] = self._gravity
        self._last_ns: dict[str, int] = {}  # by kind

    def add(self, readings: Sequence[Reading]) -> None:
        """Add readings, in any order."""
        for kind, peer_ns, values in readings:
            stream = self._streams.get(STREAM_NAMES.get(kind, kind))
            if stream is None or self._is_superseded(kind, peer_ns):
                continue
            if kind in ('accel', 'force', 'raw_force'):
                self._accel_ns = max(self._accel_ns, peer_ns)
            reason = stream.add(peer_ns, values)
            if reason:
                self._counters[reason] += 1
            self._newest_ns = max(self._newest_ns, peer_ns)

    def take(self) -> list[InertialSample | MagneticSample]:
        """Return the samples that are complete."""
        ready_ns = self._newest_ns - self._pairing.reorder_ns
        samples: list[InertialSample | MagneticSample] = []
        samples += self._inertial(self._force, [self._gyro], ready_ns)
        samples += self._inertial(
            self._accel, [self._gyro, self._gravity] if self._pairing.adds_gravity
            else [self._gyro], ready_ns)
        self._drop_lone_gyro()
        count = _until(self._mag, ready_ns)
        for peer_ns, values in zip(
                self._mag.stamps[:count], self._mag.values[:count], strict=True):
            stamp_ns = self._to_host('magnetic', peer_ns)
            if stamp_ns is not None:
                samples.append(MagneticSample(self._phone, stamp_ns, _array(values)))
        self._mag.drop(count)
        return samples

    def _is_superseded(self, kind: str, peer_ns: int) -> bool:
        """Return whether a better kind is sent; discard pending worse readings when it begins."""
        if any(abs(peer_ns - self._last_ns.get(better, -SUPERSEDED_NS)) < SUPERSEDED_NS
               for better in SUPERSEDED_BY.get(kind, ())):
            return True
        if peer_ns - self._last_ns.get(kind, -SUPERSEDED_NS) >= SUPERSEDED_NS:
            for worse in self._last_ns:
                if kind in SUPERSEDED_BY.get(worse, ()):
                    self._streams[STREAM_NAMES.get(worse, worse)].clear()
        self._last_ns[kind] = max(peer_ns, self._last_ns.get(kind, 0))
        return False

    def _drop_lone_gyro(self) -> None:
        """Count rotations for which no acceleration came within MAX_PAIRING_WAIT_NS."""
        expired_ns = self._newest_ns - MAX_PAIRING_WAIT_NS - self._pairing.reorder_ns
        if self._accel_ns < expired_ns:
            count = _until(self._gyro, expired_ns)
            self._counters['unpaired'] += count
            self._gyro.drop(count)

    def _inertial(
        self, accel: _Stream, others: Sequence[_Stream], ready_ns: int,
    ) -> list[InertialSample]:
        known_ns = min(stream.stamps[-1] if stream.stamps else -1 for stream in others)
        # accel waits for the gyroscope until MAX_PAIRING_WAIT_NS have passed
        expired_ns = self._newest_ns - MAX_PAIRING_WAIT_NS - self._pairing.reorder_ns
        count = _until(accel, min(ready_ns, max(known_ns, expired_ns)))
        samples = [sample for index in range(count)
                   if (sample := self._pair(accel, others, index, known_ns)) is not None]
        if count:
            for stream in others:
                stream.drop(_until(stream, accel.stamps[count - 1]) - 1)  # one is needed again
        accel.drop(count)
        return samples

    def _pair(
        self, forces: _Stream, others: Sequence[_Stream], index: int, known_ns: int,
    ) -> InertialSample | None:
        peer_ns, force = forces.stamps[index], forces.values[index]
        gap_ns = self._pairing.max_gap_ns
        vectors = [stream.at(peer_ns, gap_ns) if peer_ns <= known_ns else None
                   for stream in others]
        gyro, gravity = (*vectors, NO_GRAVITY)[:2]
        if gyro is None or gravity is None:
            self._counters['unpaired'] += 1
            return None
        stamp_ns = self._to_host('inertial', peer_ns)
        if stamp_ns is None:
            return None
        accel = (force[0] + gravity[0], force[1] + gravity[1], force[2] + gravity[2])
        return InertialSample(self._phone, stamp_ns, _array(accel), _array(gyro))


def _until(stream: _Stream, peer_ns: int) -> int:
    """Return the number of readings at or before a stamp."""
    return bisect_left(stream.stamps, peer_ns + 1)


def _array(values: Vector) -> FloatArray:
    return np.array(values, np.float32)
