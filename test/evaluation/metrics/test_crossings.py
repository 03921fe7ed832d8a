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

"""People of a building are scored by hand: kept ids, double counts, errors."""

from typing import Any

import numpy as np
import pytest

from utt_ros.evaluation.metrics.crossings import (
    area_changes,
    entered_rooms,
    list_people,
    score_crossings,
)
from utt_ros.types import GroundTruth

S = 10**9
T0 = 1_700_000_000 * S
ROOMS = {'hall': np.array([[-3.0, -7.0], [16.0, 7.0]]),
         'yard': np.array([[-3.0, 7.0], [16.0, 21.0]])}
APS = {'hall': 3, 'yard': 1}


def truth(begin_s: float = 0.0, seconds: float = 20.0) -> GroundTruth:
    """Truth of who walks along y at 1 m/s, and enters the yard after 10 s."""
    times = np.arange(begin_s, begin_s + seconds, 0.1)
    positions = np.stack([0 * times + 5.0, times - begin_s - 3.0], axis=1)
    return GroundTruth((T0 + np.rint(times * S)).astype(np.int64), positions, 0 * times)


def entries(error_m: float = 0.5, *, without: tuple[float, float] = (99.0, 99.0),
            subject: str = 'ann') -> list[Any]:
    true = truth()
    rows = []
    for number, (stamp_ns, place) in enumerate(
            zip(true.stamps_ns.tolist(), true.positions_m, strict=True)):
        if not without[0] <= (stamp_ns - T0) / S < without[1]:
            area = 'hall' if place[1] < 7.0 else 'yard'
            rows.append((number, subject, area, stamp_ns, [place[0] + error_m, place[1]]))
    return rows


def score(rows: list[Any]) -> dict[str, Any]:
    return score_crossings(list_people(rows), {'ann': truth()}, ROOMS, APS)


def test_who_is_followed_into_the_next_room_keeps_the_id() -> None:
    found = score(entries())
    assert (found['people'], found['handovers'], found['ids_kept']) == (1, 1, 1.0)
    assert found['double_counted'] == 0
    assert found['access_points']['3'] == {'n': 100, 'median': pytest.approx(0.5),
                                           'p90': pytest.approx(0.5)}
    assert found['access_points']['1']['n'] == 100


@pytest.mark.parametrize('rows', [
    entries(without=(11.0, 12.5)), entries(without=(8.0, 20.0)), entries(error_m=3.1), []],
    ids=['a gap', 'lost', 'far away', 'never listed'])
def test_an_id_is_lost_with_its_person(rows: list[Any]) -> None:
    assert score(rows)['ids_kept'] == 0.0


def test_gaps_far_from_the_door_do_not_count() -> None:
    assert score(entries(without=(2.0, 5.0)))['ids_kept'] == 1.0


def test_an_id_listed_twice_and_an_entry_of_nobody_are_counted() -> None:
    twice = [*entries(), entries()[5], (7, 'bob', 'hall', T0, [1.0, 1.0])]
    assert score(twice)['double_counted'] == 2
    late = (500, 'ann', 'hall', T0 + 30 * S, [1.0, 1.0])
    assert score([*entries(), late])['double_counted'] == 1


def test_changes_of_the_surest_area_are_counted_by_id() -> None:
    rows = [(number, name, area, T0, [0.0, 0.0]) for number, name, area in (
        (2, 'ann', 'yard'), (0, 'ann', 'hall'), (1, 'ann', 'hall'), (3, 'ann', 'hall'),
        (0, 'bob', 'yard'), (1, 'bob', 'yard'))]
    assert sorted(area_changes(list_people(rows))) == [0, 3]
    assert not len(area_changes(list_people([])))


def test_rooms_are_entered_by_who_stays() -> None:
    assert entered_rooms(truth(), ROOMS) == [T0 + 10_100_000_000]  # at 10 s on the threshold
    assert entered_rooms(truth(seconds=12.0), ROOMS) == []  # its end is too near
    back = truth()
    back.positions_m[105:, 1] = 3.0  # looked through the door for half a second
    assert entered_rooms(back, ROOMS) == []


def test_a_later_session_is_no_walk_through_the_door() -> None:
    first, later = truth(seconds=9.0), truth(begin_s=100.0, seconds=20.0)
    later.positions_m[:, 1] = 15.0
    joined = GroundTruth(*(np.concatenate([getattr(first, name), getattr(later, name)])
                           for name in GroundTruth.__slots__))
    assert entered_rooms(joined, ROOMS) == []
