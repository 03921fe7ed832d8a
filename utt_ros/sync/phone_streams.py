"""The phones of an area: their streams in rings, their samples at an instant."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from utt_ros.sync.association_types import PhoneSamples
from utt_ros.sync.ring_buffers import NEVER, Rings
from utt_ros.types import FTM_CHANNELS

FIRST_SLOTS = 8
T = TypeVar('T', bound=np.generic)
Span = tuple[int, int]  # (gone, newest]: stamps [ns] that count for a tick


class Phones:
    """Up to `most` phones, each with a row in every ring."""

    def __init__(self, capacity: int, most: int, max_gap_ns: int) -> None:
        self.inertial = Rings(6, capacity)
        self.magnetic = Rings(3, capacity)
        self.ftm = Rings(2, capacity)
        self.rings = (self.inertial, self.magnetic, self.ftm)
        self.slots: dict[str, int] = {}
        self._free: list[int] = []
        self._most = most
        self._max_gap_ns = max_gap_ns
        self._ranged_ns: dict[str, int] = {}  # newest range that was sampled

    def enter(self, name: str) -> int | None:
        """Row of a new phone; None when there are too many."""
        if not self._free:
            size = len(self.slots)
            grown = min(max(2 * size, FIRST_SLOTS), self._most)
            for ring in self.rings:
                ring.grow(grown)
            self._free = list(range(grown - 1, size - 1, -1))
        if not self._free:
            return None
        self.slots[name] = self._free.pop()
        return self.slots[name]

    def leave(self, name: str) -> None:
        """Forget a phone."""
        slot = self.slots.pop(name)
        self._free.append(slot)
        self._ranged_ns.pop(name, None)
        for ring in self.rings:
            ring.clear(slot)

    def clear(self) -> None:
        """Forget what the phones delivered, not that they exist."""
        self._ranged_ns.clear()
        for ring in self.rings:
            ring.needed_ns = NEVER
            for slot in self.slots.values():
                ring.clear(slot)

    def mark_sampled(self, until_ns: int) -> int:
        """Say that only what is younger is still needed; return how much of such was lost."""
        lost = sum(ring.lost for ring in self.rings)
        for ring in self.rings:
            ring.needed_ns, ring.lost = until_ns, 0
        return lost

    def newest(self, name: str) -> int:
        """Newest stamp of a phone."""
        slot = self.slots[name]
        return max(ring.newest[slot] for ring in self.rings)

    def is_behind(self, span: Span) -> bool:
        """Whether a phone delivered IMU within the span and not yet up to its end."""
        silent_ns, sampled_ns = span
        return any(silent_ns < ring.newest[slot] < sampled_ns
                   for ring in (self.inertial, self.magnetic) for slot in self.slots.values())

    def following(self, limit_ns: int) -> int:
        """Oldest stamp later than `limit_ns`; -NEVER when there is none."""
        return min((ring.following(slot, limit_ns)
                    for ring in self.rings for slot in self.slots.values()), default=-NEVER)

    def present(self, span: Span) -> tuple[str, ...]:
        """Names of the phones that delivered anything within the span, sorted."""
        gone_ns, sampled_ns = span
        return tuple(sorted(
            name for name, slot in self.slots.items()
            if any(ring.latest(slot, sampled_ns) > gone_ns for ring in self.rings)))

    def sample(
        self, names: tuple[str, ...], span: Span, stamp_ns: int, instants_ns: npt.NDArray[np.int64]
    ) -> PhoneSamples:
        """What these phones measured for a tick, their IMU at the instants (C,).

        A row of IMU counts when both accel with gyro and the magnetic field are known. Of a phone
        that delivered no field within the span, as one without a magnetometer, the field is 0 and
        the row counts without it.
        """
        slots = [self.slots[name] for name in names]
        inertial, mask = self.inertial.interpolate(slots, instants_ns, self._max_gap_ns)
        magnetic, magnetic_mask = self.magnetic.interpolate(slots, instants_ns, self._max_gap_ns)
        lacks_field = [self.magnetic.latest(slot, span[1]) <= span[0] for slot in slots]
        mask &= magnetic_mask | np.array(lacks_field, bool)[:, None]
        imu = np.concatenate([inertial, magnetic], axis=2)
        imu[~mask] = 0.0
        ftm = np.zeros((len(names), len(FTM_CHANNELS)), np.float32)
        age_s = np.full(len(names), np.inf, np.float32)
        is_new = np.zeros(len(names), bool)
        for row, (name, slot) in enumerate(zip(names, slots, strict=True)):
            ranged_ns = self.ftm.latest(slot, span[1])
            if ranged_ns <= span[0]:
                continue
            age_s[row] = (stamp_ns - ranged_ns) / 1e9
            if ranged_ns > self._ranged_ns.get(name, NEVER):
                ftm[row] = self.ftm.value(slot, ranged_ns)
                is_new[row] = True
                self._ranged_ns[name] = ranged_ns
        return PhoneSamples(names, ftm, age_s, is_new, imu, mask)


def pick(samples: PhoneSamples, subjects: tuple[str, ...]) -> PhoneSamples:
    """The samples of `subjects`, who include all phones; who has no phone gets masked zeros."""
    if samples.names == subjects:
        return samples
    places = [subjects.index(name) for name in samples.names]

    def spread(values: npt.NDArray[T], empty: float = 0.0) -> npt.NDArray[T]:
        wide = np.full((len(subjects), *values.shape[1:]), empty, values.dtype)
        wide[places] = values
        return wide

    return PhoneSamples(
        subjects, spread(samples.ftm), spread(samples.ftm_age_s, np.inf), spread(samples.ftm_mask),
        spread(samples.imu), spread(samples.imu_mask))
