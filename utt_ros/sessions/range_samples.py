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

"""Ranges of recorded sessions at places that are known: where a camera saw walks, or the truth."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from utt_ros.errors import MeasurementError
from utt_ros.geometry.range_model import RangeSamples
from utt_ros.sensor_limits import RANGE_LIMITS_M
from utt_ros.sessions.survey_data import carried_walks
from utt_ros.settings import AreaSettings
from utt_ros.types import NS_PER_S, Array, PhoneStreams, Session


class _RangedWalk(NamedTuple):
    """Places of a walk, and the phone that was carried."""

    phone: str
    streams: PhoneStreams
    times_s: Array  # (N,)
    positions_m: Array  # (N, 2)
    velocities_mps: Array  # (N, 2)


def seen_ranges(sessions: Sequence[Session], area: AreaSettings) -> RangeSamples:
    """Collect the ranges of phones while the camera sees their carriers walk.

    Raises MeasurementError when there is none.
    """
    walks = (_RangedWalk(each.name, sessions[each.session].phones[each.name], *each.walk[1:])
             for each in carried_walks(sessions, area))
    samples = _collect(walks, area)
    if not len(samples.ranges_m):
        raise MeasurementError('no ranges of a walk in view: the camera saw nobody whose phone is '
                               'known; record one person with one phone, or with labels')
    return samples


def true_ranges(sessions: Sequence[Session], area: AreaSettings) -> RangeSamples:
    """Collect ranges with the true positions of recordings. Raises MeasurementError."""
    walks = (_RangedWalk(name, session.phones[name], times_s, truth.positions_m,
                         np.gradient(truth.positions_m, times_s, axis=0))
             for session in sessions for name, truth in sorted(session.truth.items())
             if name in session.phones and len(truth.stamps_ns) > 1
             for times_s in [truth.stamps_ns / NS_PER_S])
    samples = _collect(walks, area)
    if not len(samples.ranges_m):
        raise MeasurementError('no ground truth of phones that were ranged')
    return samples


def _collect(walks: Iterator[_RangedWalk], area: AreaSettings) -> RangeSamples:
    columns: list[tuple[Array, ...]] = []
    phones: list[str] = []
    heard: list[str] = []
    for number, walk in enumerate(walks):
        times_s = walk.streams.ftm_stamps_ns / NS_PER_S
        ranges = walk.streams.ftm[:, 0].astype(np.float64)
        use = np.flatnonzero((times_s >= walk.times_s[0]) & (times_s <= walk.times_s[-1])
                             & (ranges >= RANGE_LIMITS_M[0]) & (ranges <= RANGE_LIMITS_M[1]))
        on_grid = np.concatenate([walk.positions_m, walk.velocities_mps], axis=1)
        moved = np.stack([np.interp(times_s[use], walk.times_s, axis) for axis in on_grid.T], 1)
        columns.append((ranges[use], moved, times_s[use], np.full(len(use), number)))
        phones += [walk.phone] * len(use)
        addresses = walk.streams.range_aps
        heard += [addresses[row].lower() for row in use]
    if not columns:
        columns = [(np.zeros(0), np.zeros((0, 4)), np.zeros(0), np.zeros(0))]
    ranges, moved, times_s, numbers = (np.concatenate(part) for part in zip(*columns, strict=True))
    names, of_phone = np.unique(np.array(phones, np.str_), return_inverse=True)
    addresses = _addresses(heard, area)
    index = {'': 0, **{name: number for number, name in enumerate(addresses)}}
    return RangeSamples(
        ranges, np.array([index[name] for name in heard], np.int64), of_phone.astype(np.int64),
        moved[:, :2], moved[:, 2:], times_s, numbers.astype(np.int64), addresses,
        tuple(names.tolist()))


def _addresses(heard: Sequence[str], area: AreaSettings) -> tuple[str, ...]:
    """Return the access points: those of the area first; without addresses the most heard one."""
    listed = [address.lower() for address in area.ap_addresses if address]
    others = [name for name, _ in Counter(heard).most_common()]
    if not listed:
        return tuple(others) or ('',)
    named = (name for name in others if name not in listed and (name or len(listed) > 1))
    return (*listed, *named)
