"""Readings of one phone's sensors, as they come -> inertial and magnetic samples, in order."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from utt_ros.drivers.imu.readings import Reading, Vector
from utt_ros.drivers.types import Inertial, Magnetic
from utt_ros.types import FloatArray

MAX_PENDING_READINGS = 4096  # of one sensor, that wait
NONE = (0.0, 0.0, 0.0)
PATIENCE_NS = 1_000_000_000  # that accel waits for the gyroscope


class Pairing(NamedTuple):
    """How readings of different sensors become one sample."""

    reorder_ns: int  # a reading waits until the phone sent one that is later by so much
    max_gap_ns: int  # between two readings of the gyroscope, to interpolate
    apart: bool  # gravity is a sensor of its own, and to be added to accel


class _Stream:
    """Readings of one sensor, sorted; those at or before `floor_ns` are gone."""

    def __init__(self) -> None:
        self.stamps: list[int] = []
        self.values: list[Vector] = []
        self.floor_ns = -1

    def add(self, peer_ns: int, values: Vector) -> str:
        """Insert; returns why something was refused, empty when nothing was."""
        if peer_ns <= self.floor_ns:
            return 'late'
        place = bisect_left(self.stamps, peer_ns)
        if self.stamps[place:place + 1] == [peer_ns]:
            return 'duplicate'
        self.stamps.insert(place, peer_ns)
        self.values.insert(place, values)
        if len(self.stamps) > MAX_PENDING_READINGS:
            self.drop(1)
            return 'overflow'
        return ''

    def drop(self, count: int) -> None:
        """Forget the oldest."""
        if count > 0:
            self.floor_ns = self.stamps[count - 1]
            del self.stamps[:count], self.values[:count]

    def at(self, peer_ns: int, max_gap_ns: int) -> Vector | None:
        """Interpolate linearly; None before the first, and in a gap that is too long."""
        place = bisect_left(self.stamps, peer_ns)
        after_ns = self.stamps[place]
        if after_ns == peer_ns:
            return self.values[place]
        if place == 0 or after_ns - self.stamps[place - 1] > max_gap_ns:
            return None
        before_ns = self.stamps[place - 1]
        part = (peer_ns - before_ns) / (after_ns - before_ns)
        one, other = self.values[place - 1], self.values[place]
        x, y, z = (low + part * (high - low) for low, high in zip(one, other, strict=True))
        return x, y, z


class Assembler:
    """One inertial sample for each reading of accel that lies between two of the gyroscope.

    Nothing is extrapolated. `to_host` maps stamps of the phone to the host's clock; a stamp that
    would not grow is refused.
    """

    def __init__(
        self, phone: str, pairing: Pairing, counters: 'Counter[str]',
        to_host: Callable[[int], int],
    ) -> None:
        self._phone, self._pairing, self._counters = phone, pairing, counters
        self._to_host = to_host
        self.restart()

    def restart(self) -> None:
        """Forget the stamps that were given, too: the host's clock was set back."""
        self._last_ns = {'inertial': -1, 'magnetic': -1}
        self.clear()

    def clear(self) -> None:
        """Forget what waits: the phone's clock is another one."""
        self._newest_ns = -1
        self._accel, self._mag = _Stream(), _Stream()
        self._others = {'gyro': _Stream()}
        if self._pairing.apart:
            self._others['gravity'] = _Stream()
        self._streams = {'accel': self._accel, 'mag': self._mag, **self._others}

    def add(self, readings: Sequence[Reading]) -> None:
        """Take readings, in any order."""
        for kind, peer_ns, values in readings:
            stream = self._streams.get(kind)
            if stream is None:
                continue
            reason = stream.add(peer_ns, values)
            if reason:
                self._counters[reason] += 1
            self._newest_ns = max(self._newest_ns, peer_ns)

    def take(self) -> list[Inertial | Magnetic]:
        """Return what is complete."""
        ready_ns = self._newest_ns - self._pairing.reorder_ns
        samples: list[Inertial | Magnetic] = []
        samples += self._inertial(ready_ns)
        count = _until(self._mag, ready_ns)
        for peer_ns, values in zip(
                self._mag.stamps[:count], self._mag.values[:count], strict=True):
            stamp_ns = self._stamp('magnetic', peer_ns)
            if stamp_ns is not None:
                samples.append(Magnetic(self._phone, stamp_ns, _array(values)))
        self._mag.drop(count)
        return samples

    def _inertial(self, ready_ns: int) -> list[Inertial]:
        accel, others = self._accel, self._others.values()
        known_ns = min(stream.stamps[-1] if stream.stamps else -1 for stream in others)
        # what the gyroscope has not reached waits, for so long
        given_up_ns = self._newest_ns - PATIENCE_NS - self._pairing.reorder_ns
        count = _until(accel, min(ready_ns, max(known_ns, given_up_ns)))
        samples = [sample for place in range(count)
                   if (sample := self._pair(place, known_ns)) is not None]
        if count:
            for stream in others:
                stream.drop(_until(stream, accel.stamps[count - 1]) - 1)  # one is needed again
        accel.drop(count)
        return samples

    def _pair(self, place: int, known_ns: int) -> Inertial | None:
        peer_ns, force = self._accel.stamps[place], self._accel.values[place]
        gyro: Vector | None = None
        gravity: Vector | None = None
        if peer_ns <= known_ns:
            gap_ns = self._pairing.max_gap_ns
            gyro = self._others['gyro'].at(peer_ns, gap_ns)
            gravity = self._others['gravity'].at(peer_ns, gap_ns) if self._pairing.apart else NONE
        if gyro is None or gravity is None:
            self._counters['unpaired'] += 1
            return None
        stamp_ns = self._stamp('inertial', peer_ns)
        if stamp_ns is None:
            return None
        accel = (force[0] + gravity[0], force[1] + gravity[1], force[2] + gravity[2])
        return Inertial(self._phone, stamp_ns, _array(accel), _array(gyro))

    def _stamp(self, kind: str, peer_ns: int) -> int | None:
        stamp_ns = self._to_host(peer_ns)
        if stamp_ns <= self._last_ns[kind]:
            self._counters['backwards'] += 1
            return None
        self._last_ns[kind] = stamp_ns
        return stamp_ns


def _until(stream: _Stream, peer_ns: int) -> int:
    """How many readings lie at or before a stamp."""
    return bisect_left(stream.stamps, peer_ns + 1)


def _array(values: Vector) -> FloatArray:
    return np.array(values, np.float32)
