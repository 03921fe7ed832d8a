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

"""Completion of rounds, and admission of areas."""

from math import inf

import pytest

from utt_ros.errors import UpdateRefused
from utt_ros.federation.rounds import RoundKeeper
from utt_ros.federation.settings import AggregatorSettings

SECOND = 1_000_000_000
BEGIN = 50 * SECOND


def keeper(*known: str, round_: int = 0, **settings: object) -> RoundKeeper:
    return RoundKeeper(AggregatorSettings(deadline=10.0, **settings), round_, known, BEGIN)


def receive(rounds: RoundKeeper, *areas: str, at: int = BEGIN) -> None:
    for area in areas:
        rounds.admit(area)
        rounds.mark_active(area)
        rounds.accept(area, 7, 100, at)


def test_a_round_without_updates_never_completes() -> None:
    rounds = keeper('north')
    assert not rounds.complete(BEGIN + 10**6 * SECOND)
    status = rounds.status(BEGIN + 3 * SECOND, 'f00d', 0)
    assert (status.state, status.deadline_s, status.duration_s) == ('waiting', inf, 3.0)


def test_a_round_completes_at_once_when_every_awaited_area_has_responded() -> None:
    rounds = keeper('north', 'south')
    receive(rounds, 'north')
    assert not rounds.complete(BEGIN)
    receive(rounds, 'south')
    assert rounds.complete(BEGIN)


def test_the_deadline_counts_from_the_first_accepted_update() -> None:
    rounds = keeper('north', 'south')
    first = BEGIN + 100 * SECOND
    receive(rounds, 'north', at=first)
    assert rounds.status(first + 4 * SECOND, 'f00d', 0).deadline_s == 6.0
    assert not rounds.complete(first + 10 * SECOND - 1)
    assert rounds.complete(first + 10 * SECOND)


def test_a_deadline_that_counts_is_restarted_after_a_pause() -> None:
    rounds = keeper('north', 'south')
    rounds.restart_deadline(BEGIN + SECOND)
    assert rounds.status(BEGIN + SECOND, 'f00d', 0).deadline_s == inf
    receive(rounds, 'north', at=BEGIN)
    rounds.restart_deadline(BEGIN + 60 * SECOND)
    assert not rounds.complete(BEGIN + 70 * SECOND - 1)
    assert rounds.complete(BEGIN + 70 * SECOND)


def test_the_deadline_does_not_complete_a_round_below_its_quorum() -> None:
    rounds = keeper('north', 'south', quorum=2)
    receive(rounds, 'north')
    late = BEGIN + 60 * SECOND
    assert not rounds.complete(late)
    assert rounds.status(late, 'f00d', 0).deadline_s == 0.0
    receive(rounds, 'east', at=late)
    assert rounds.complete(late)


def test_a_first_round_of_unknown_areas_lasts_until_the_deadline() -> None:
    rounds = keeper()
    receive(rounds, 'north', 'south')
    assert not rounds.complete(BEGIN)
    assert rounds.complete(BEGIN + 10 * SECOND)


def test_areas_of_the_last_round_are_awaited_in_the_next() -> None:
    rounds = keeper()
    receive(rounds, 'north', 'south')
    rounds.advance(BEGIN)
    receive(rounds, 'north')
    assert not rounds.complete(BEGIN)
    receive(rounds, 'south')
    assert rounds.complete(BEGIN)


def test_an_inactive_area_is_awaited_for_two_rounds_and_then_dropped() -> None:
    rounds = keeper('north', 'gone')
    for _ in range(2):
        receive(rounds, 'north')
        assert not rounds.complete(BEGIN)
        rounds.advance(BEGIN)
    receive(rounds, 'north')
    assert rounds.complete(BEGIN)


def test_a_new_area_is_counted_at_once_and_awaited_from_the_next_round() -> None:
    rounds = keeper('north')
    receive(rounds, 'new', 'north')
    assert rounds.complete(BEGIN)
    assert set(rounds.status(BEGIN, 'f00d', 0).accepted) == {'new', 'north'}
    rounds.advance(BEGIN)
    receive(rounds, 'north')
    assert not rounds.complete(BEGIN)


def test_a_refused_area_is_neither_awaited_nor_counted_in_the_quorum() -> None:
    rounds = keeper('north', 'bad', quorum=1)
    rounds.refuse('bad', 'not finite', 100, responded=True)
    assert not rounds.complete(BEGIN)
    receive(rounds, 'north')
    assert rounds.complete(BEGIN)
    assert rounds.status(BEGIN, 'f00d', 0).refused == {'bad': 'not finite'}


def test_an_area_with_a_stale_update_is_still_awaited() -> None:
    rounds = keeper('north', 'slow')
    rounds.refuse('slow', 'stale', 100, responded=False)
    receive(rounds, 'north')
    assert not rounds.complete(BEGIN)


def test_a_slow_but_active_area_stays_awaited() -> None:
    rounds = keeper('north', 'slow')
    for _ in range(4):
        rounds.mark_active('slow')
        receive(rounds, 'north')
        assert not rounds.complete(BEGIN)
        rounds.advance(BEGIN)


def test_an_area_contributes_once_per_round() -> None:
    rounds = keeper('north', 'south')
    receive(rounds, 'north')
    with pytest.raises(UpdateRefused, match="'north' has already sent its update of round 0"):
        rounds.admit('north')
    rounds.advance(BEGIN)
    rounds.admit('north')


def test_only_listed_areas_may_take_part_when_there_is_a_list() -> None:
    rounds = keeper(areas=('north', 'south'))
    with pytest.raises(UpdateRefused, match="'west' may not take part: only north, south may"):
        rounds.admit('west')
    receive(rounds, 'north', 'south')
    assert rounds.complete(BEGIN)


def test_more_areas_than_the_limit_are_refused() -> None:
    rounds = keeper(max_areas=2)
    receive(rounds, 'north', 'south')
    with pytest.raises(UpdateRefused, match="'west' is one too many: at most 2"):
        rounds.admit('west')


def test_invented_names_do_not_grow_the_state() -> None:
    rounds = keeper(max_areas=2)
    for number in range(100):
        rounds.mark_active(f'area{number}')
        rounds.refuse(f'area{number}', 'not finite', 100, responded=True)
    status = rounds.status(BEGIN, 'f00d', 0)
    assert len(status.refused) == 2
    assert status.bytes_received == 10_000


def test_the_federation_ends_after_its_rounds() -> None:
    rounds = keeper('north', max_rounds=2)
    for _ in range(2):
        receive(rounds, 'north')
        rounds.advance(BEGIN)
    assert rounds.ended
    assert rounds.status(BEGIN, 'f00d', 0).state == 'completed'
    with pytest.raises(UpdateRefused, match="'north': the federation ended after 2 rounds"):
        rounds.admit('north')


def test_status_holds_the_counts_of_the_round_and_the_next_starts_at_zero() -> None:
    rounds = keeper('north', round_=4, quorum=1)
    receive(rounds, 'north')
    rounds.refuse('bad', 'not finite', 50, responded=True)
    status = rounds.status(BEGIN + SECOND, 'f00d', 123)
    assert (status.federation, status.round, status.state) == ('f00d', 4, 'collecting')
    assert (status.accepted, status.bytes_received, status.bytes_sent) == ({'north': 7}, 150, 123)
    rounds.advance(BEGIN + SECOND)
    status = rounds.status(BEGIN + SECOND, 'f00d', 123)
    assert (status.round, status.state, status.duration_s) == (5, 'waiting', 0.0)
    assert (status.accepted, status.refused, status.bytes_received) == ({}, {}, 0)
