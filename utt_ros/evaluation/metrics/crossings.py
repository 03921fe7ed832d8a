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

"""People of a building against the truth: hand-overs, kept ids, double counts, position errors."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from utt_ros.evaluation.ground_truth import MAX_TRUTH_GAP_NS, truth_at
from utt_ros.types import NS_PER_S, Array, GroundTruth, Indices, MaskArray, NameArray, Stamps

HANDOVER_NS = 3 * NS_PER_S  # before and after a person enters a room
MAX_LISTED_GAP_NS = NS_PER_S  # between good entries of a person within it
KEPT_ERROR_M = 3.0  # an entry further from the truth is somebody else's place
STAY_NS = NS_PER_S  # in a room, of who has entered it
LEFT_NS = 4 * NS_PER_S  # for which who has left may still be listed


@dataclass(frozen=True, slots=True)
class ListedPeople:
    """Entries of the people of a building, N in all, of any number of messages."""

    message: Indices  # (N,) number of the message
    subjects: NameArray  # (N,)
    areas: NameArray  # (N,) the surest
    stamps_ns: Stamps  # (N,) of the estimate
    positions_m: Array  # (N, 2) `map`


def list_people(
    rows: Iterable[tuple[int, str, str, int, Sequence[float]]],
) -> ListedPeople:
    """Collect entries: message, subject, area, stamp and position."""
    table = list(rows)
    message, subjects, areas, stamps, positions = (
        [row[column] for row in table] for column in range(5))
    return ListedPeople(
        np.array(message, np.intp), np.array(subjects, np.str_), np.array(areas, np.str_),
        np.array(stamps, np.int64), np.array(positions, np.float64).reshape(-1, 2))


def score_crossings(
    listed: ListedPeople, truth: Mapping[str, GroundTruth], rooms: Mapping[str, Array],
    access_points: Mapping[str, int],
) -> dict[str, Any]:
    """Score the people of a building against true positions in `map` by id.

    `rooms`: corners (2, 2) of each area's floor in `map`; `access_points`: their number by area.
    An id is kept when its person is listed within 3 m of the truth all the time, without a gap of
    1 s, from 3 s before to 3 s after entering another room. Counted twice is an id that a message
    lists twice, and an entry of nobody who is there.
    """
    errors = np.full(len(listed.subjects), np.nan)
    ghosts = np.ones(len(listed.subjects), bool)
    kept = handovers = 0
    for subject, true in truth.items():
        rows = np.flatnonzero(listed.subjects == subject)
        stamps_ns = listed.stamps_ns[rows]
        errors[rows] = np.linalg.norm(
            listed.positions_m[rows] - truth_at(true, stamps_ns), axis=1)
        ghosts[rows] = ~_is_there(true, stamps_ns)
        for entered_ns in entered_rooms(true, rooms):
            handovers += 1
            kept += _is_kept(stamps_ns, errors[rows], entered_ns)
    by_count: dict[int, list[float]] = defaultdict(list)
    for area, error in zip(listed.areas.tolist(), errors.tolist(), strict=True):
        if np.isfinite(error):
            by_count[access_points[area]].append(error)
    pairs = np.stack([listed.message.astype(np.str_), listed.subjects], axis=1)
    return {
        'people': len(truth),
        'handovers': handovers,
        'ids_kept': kept / handovers if handovers else None,
        'double_counted': int(len(pairs) - len(np.unique(pairs, axis=0)) + ghosts.sum()),
        'access_points': {
            str(count): {'n': len(found), 'median': float(np.median(found)),
                         'p90': float(np.quantile(found, 0.9))}
            for count, found in sorted(by_count.items())}}


def area_changes(listed: ListedPeople) -> Indices:
    """Return the entries whose surest area is another one than in the entry before of their id."""
    order = np.lexsort((listed.message, listed.subjects))
    subjects, areas = listed.subjects[order], listed.areas[order]
    return np.asarray(order[1:][(subjects[1:] == subjects[:-1]) & (areas[1:] != areas[:-1])])


def entered_rooms(true: GroundTruth, rooms: Mapping[str, Array]) -> list[int]:
    """Return the stamps at which a person entered another room to stay there for a second.

    Only those that lie 3 s and more within a span of truth without a gap.
    """
    breaks = np.flatnonzero(np.diff(true.stamps_ns) > MAX_TRUTH_GAP_NS) + 1
    return [entered
            for rows in np.split(np.arange(len(true.stamps_ns)), breaks)
            for entered in _entered(true.stamps_ns[rows], true.positions_m[rows], rooms)]


def _entered(stamps_ns: Stamps, positions_m: Array, rooms: Mapping[str, Array]) -> list[int]:
    inside = np.stack([((positions_m >= low) & (positions_m <= high)).all(axis=1)
                       for low, high in rooms.values()], axis=1)
    room = np.where(inside.any(axis=1), inside.argmax(axis=1), -1)
    begins = np.flatnonzero(np.diff(room, prepend=-2))
    ends = np.append(begins[1:], len(room) - 1)
    entered, former = [], -1
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        begin_ns, number = int(stamps_ns[begin]), int(room[begin])
        if number < 0 or stamps_ns[end] - begin_ns < STAY_NS:
            continue
        is_within = (begin_ns - stamps_ns[0] >= HANDOVER_NS
                     and stamps_ns[-1] - begin_ns >= HANDOVER_NS)
        if former >= 0 and number != former and is_within:
            entered.append(begin_ns)
        former = number
    return entered


def _is_there(true: GroundTruth, stamps_ns: Stamps) -> MaskArray:
    """Return at which stamps a person is there, or has just left."""
    nearest = np.clip(np.searchsorted(true.stamps_ns, stamps_ns), 1, len(true.stamps_ns) - 1)
    away = np.minimum(np.abs(true.stamps_ns[nearest] - stamps_ns),
                      np.abs(true.stamps_ns[nearest - 1] - stamps_ns))
    return np.asarray(away <= LEFT_NS)


def _is_kept(stamps_ns: Stamps, errors_m: Array, entered_ns: int) -> bool:
    """Return whether the entries of an id follow its person into another room."""
    near = (np.abs(stamps_ns - entered_ns) <= HANDOVER_NS) & (errors_m <= KEPT_ERROR_M)
    edges = [entered_ns - HANDOVER_NS, *np.sort(stamps_ns[near]), entered_ns + HANDOVER_NS]
    return bool((np.diff(edges) < MAX_LISTED_GAP_NS).all())
