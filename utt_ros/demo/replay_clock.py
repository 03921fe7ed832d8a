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

"""Segments of a replay's clock by bag, and latency of positions on it."""

from collections.abc import Mapping, Sequence

import numpy as np

from utt_ros.demo.position_scores import PublishedPositions
from utt_ros.types import NS_PER_MS, Stamps

JUMP_NS = 1_000_000_000


def split_clock(clock: Stamps) -> list[Stamps]:
    """Split a clock (M, 2), replayed and wall time [ns], where another bag begins.

    Between bags replayed time jumps back, or further ahead than wall time. The latter also happens
    within a bag, when a busy machine receives many messages at once: see `merge_segments`.
    """
    replayed, wall = np.diff(clock, axis=0).T
    return np.split(clock, np.flatnonzero((replayed < 0) | (replayed - wall > JUMP_NS)) + 1)


def merge_segments(segments: Sequence[Stamps], ends_ns: Sequence[int]) -> list[Stamps]:
    """Merge segments by bag: one that continues before the end of its bag belongs to that bag.

    `ends_ns`: the ends of the bags in replayed time.
    """
    merged = list(segments[:1])
    for segment in segments[1:]:
        end_ns = ends_ns[len(merged) - 1] if len(merged) <= len(ends_ns) else 0
        if merged[-1][-1, 0] < segment[0, 0] < end_ns:
            merged[-1] = np.concatenate([merged[-1], segment])
        else:
            merged.append(segment)
    return merged


def select_segment(positions: PublishedPositions, segment: Stamps) -> PublishedPositions:
    """Select the positions that arrived while one bag was replayed and have stamps within it."""
    (first_ns, begin_ns), (last_ns, end_ns) = segment[0], segment[-1]
    rows = (positions.received_ns >= begin_ns) & (positions.received_ns <= end_ns + JUMP_NS)
    rows &= (positions.stamps_ns >= first_ns) & (positions.stamps_ns <= last_ns)
    return PublishedPositions(
        *(getattr(positions, name)[rows] for name in PublishedPositions.__slots__))


def replay_latency_ms(
    positions: PublishedPositions, clock: Stamps, rate: float = 1.0,
) -> Mapping[str, float] | None:
    """Percentiles of the wall time from a tick's stamp to the arrival of its position [ms].

    Replay has a constant rate, so wall time = replayed time / rate + an offset; the least delayed
    clock message gives the offset. The result is short of that message's own transport, a fraction
    of a millisecond. None without positions.
    """
    late_ns = [np.zeros(0, np.int64)]
    for segment in split_clock(clock):
        selected = select_segment(positions, segment)
        first_ns, begin_ns = segment[0]
        offset_ns = np.min(segment[:, 1] - begin_ns - (segment[:, 0] - first_ns) / rate)
        due_ns = (selected.stamps_ns - first_ns) / rate + offset_ns
        late_ns.append(selected.received_ns - begin_ns - due_ns)
    values = np.concatenate(late_ns) / NS_PER_MS
    if not len(values):
        return None
    p50, p99 = np.quantile(values, (0.5, 0.99))
    return {'p50': float(p50), 'p99': float(p99), 'n': len(values)}
