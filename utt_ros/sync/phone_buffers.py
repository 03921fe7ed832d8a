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

"""Buffered streams of an area's phones, sampled at instants."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from utt_ros.sync.association_types import PhoneSamples
from utt_ros.sync.ring_buffers import RingBuffers
from utt_ros.types import FTM_CHANNELS, NEVER_NS, FloatArray, MaskArray, Stamps

INITIAL_SLOTS = 8
_T = TypeVar('_T', bound=np.generic)
Span = tuple[int, int]  # half-open interval (begin, end] of stamps [ns]


class PhoneBuffers:
    """Ring buffers of up to `max_phones` phones, one slot per phone in each."""

    def __init__(
        self, capacity: int, max_phones: int, max_gap_ns: int, access_points: int = 1,
    ) -> None:
        self.inertial = RingBuffers(6, capacity)
        self.magnetic = RingBuffers(3, capacity)
        self.ftm = tuple(RingBuffers(2, capacity) for _ in range(access_points))
        self.rings = (self.inertial, self.magnetic, *self.ftm)
        self.slots: dict[str, int] = {}
        self._free: list[int] = []
        self._max_phones = max_phones
        self._max_gap_ns = max_gap_ns
        # newest sampled range by phone, of each access point
        self._ranged_ns: list[dict[str, int]] = [{} for _ in range(access_points)]

    def add_phone(self, name: str) -> int | None:
        """Return the slot of a new phone; None when there are too many."""
        if not self._free:
            size = len(self.slots)
            if size == self._max_phones:
                return None
            grown = min(max(2 * size, INITIAL_SLOTS), self._max_phones)
            for ring in self.rings:
                ring.grow(grown)
            self._free = list(range(grown - 1, size - 1, -1))
        self.slots[name] = self._free.pop()
        return self.slots[name]

    def remove_phone(self, name: str) -> None:
        """Remove a phone and its buffered messages."""
        slot = self.slots.pop(name)
        self._free.append(slot)
        for ranged_ns in self._ranged_ns:
            ranged_ns.pop(name, None)
        for ring in self.rings:
            ring.clear(slot)

    def clear(self) -> None:
        """Drop all buffered messages; phones keep their slots."""
        for ranged_ns in self._ranged_ns:
            ranged_ns.clear()
        for ring in self.rings:
            ring.needed_ns = NEVER_NS
            for slot in self.slots.values():
                ring.clear(slot)

    def mark_sampled(self, until_ns: int) -> int:
        """Release samples up to `until_ns`; return how many unread samples were overwritten."""
        lost = sum(ring.lost for ring in self.rings)
        for ring in self.rings:
            ring.needed_ns, ring.lost = until_ns, 0
        return lost

    def newest(self, name: str) -> int:
        """Return the newest stamp of a phone."""
        slot = self.slots[name]
        return max(ring.newest[slot] for ring in self.rings)

    def is_behind(self, span: Span) -> bool:
        """Return whether a phone delivered IMU within the span but not yet up to its end."""
        begin_ns, end_ns = span
        return any(begin_ns < ring.newest[slot] < end_ns
                   for ring in (self.inertial, self.magnetic) for slot in self.slots.values())

    def following(self, limit_ns: int) -> int:
        """Return the oldest stamp after `limit_ns`; -NEVER_NS when there is none."""
        return min((ring.following(slot, limit_ns)
                    for ring in self.rings for slot in self.slots.values()), default=-NEVER_NS)

    def present(self, span: Span) -> tuple[str, ...]:
        """Return sorted names of phones with a message within the span."""
        begin_ns, end_ns = span
        return tuple(sorted(
            name for name, slot in self.slots.items()
            if any(ring.latest(slot, end_ns) > begin_ns for ring in self.rings)))

    def sample(
        self, names: tuple[str, ...], span: Span, stamp_ns: int, instants_ns: Stamps
    ) -> PhoneSamples:
        """Sample phones at a tick, their IMU at the instants (C,).

        An IMU row is valid when accel, gyro and magnetic field are known. For a phone without a
        field within the span, as one without a magnetometer, the field is 0 and not required.
        """
        slots = [self.slots[name] for name in names]
        inertial, mask = self.inertial.interpolate(slots, instants_ns, self._max_gap_ns)
        magnetic, magnetic_mask = self.magnetic.interpolate(slots, instants_ns, self._max_gap_ns)
        lacks_field = [self.magnetic.latest(slot, span[1]) <= span[0] for slot in slots]
        mask &= magnetic_mask | np.array(lacks_field, bool)[:, None]
        imu = np.concatenate([inertial, magnetic], axis=2)
        imu[~mask] = 0.0
        return PhoneSamples(names, *self._sample_ranges(0, names, span, stamp_ns), imu, mask)

    def sample_further_ranges(
        self, names: tuple[str, ...], subjects: tuple[str, ...], span: Span, stamp_ns: int,
    ) -> tuple[FloatArray, FloatArray, MaskArray]:
        """Sample ranges (S, A, 2), ages (S, A), mask (S, A) of the access points after the first.

        `subjects` are the phones `names` and others, which get masked zeros.
        """
        count, further = len(subjects), len(self.ftm) - 1
        ftm = np.zeros((count, further, len(FTM_CHANNELS)), np.float32)
        age_s = np.full((count, further), np.inf, np.float32)
        is_new = np.zeros((count, further), bool)
        if further:
            rows = [subjects.index(name) for name in names]
            for column in range(further):
                ftm[rows, column], age_s[rows, column], is_new[rows, column] = (
                    self._sample_ranges(column + 1, names, span, stamp_ns))
        return ftm, age_s, is_new

    def _sample_ranges(
        self, access_point: int, names: tuple[str, ...], span: Span, stamp_ns: int,
    ) -> tuple[FloatArray, FloatArray, MaskArray]:
        """Sample ranges (P, 2), ages (P,) and mask (P,) of an access point."""
        ring, sampled_ns = self.ftm[access_point], self._ranged_ns[access_point]
        ftm = np.zeros((len(names), len(FTM_CHANNELS)), np.float32)
        age_s = np.full(len(names), np.inf, np.float32)
        is_new = np.zeros(len(names), bool)
        for row, name in enumerate(names):
            slot = self.slots[name]
            ranged_ns = ring.latest(slot, span[1])
            if ranged_ns <= span[0]:
                continue
            age_s[row] = (stamp_ns - ranged_ns) / 1e9
            if ranged_ns > sampled_ns.get(name, NEVER_NS):
                ftm[row] = ring.value(slot, ranged_ns)
                is_new[row] = True
                sampled_ns[name] = ranged_ns
        return ftm, age_s, is_new


def select_subjects(samples: PhoneSamples, subjects: tuple[str, ...]) -> PhoneSamples:
    """Reorder samples to `subjects`, a superset of the phones; the others get masked zeros."""
    if samples.names == subjects:
        return samples
    rows = [subjects.index(name) for name in samples.names]

    def scatter(values: npt.NDArray[_T], empty: float = 0.0) -> npt.NDArray[_T]:
        wide = np.full((len(subjects), *values.shape[1:]), empty, values.dtype)
        wide[rows] = values
        return wide

    return PhoneSamples(
        subjects, scatter(samples.ftm), scatter(samples.ftm_age_s, np.inf),
        scatter(samples.ftm_mask), scatter(samples.imu), scatter(samples.imu_mask))
