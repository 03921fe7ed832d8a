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

"""Table and JSON of promises, and the share of a shard."""

import json
from pathlib import Path

import pytest

from utt_ros.errors import SettingsError
from utt_ros.evaluation.benchmarks.promises import (
    FaultPlan,
    PromiseResult,
    promise_table,
    promises_as_json,
    read_shard,
)

KEPT = PromiseResult('it opens', '2 kills: 0 unreadable', '0', kept=True, check='recordings')
BROKEN = PromiseResult('it refuses', '3 escaped', '0', kept=False, check='mutants',
                       findings=tuple(f'mutant {number}' for number in range(8)))
SKIPPED = PromiseResult('it goes on', 'mount is not permitted', '', kept=None, check='disk')


@pytest.mark.parametrize('parts', [1, 3, 7, 64])
def test_shards_add_up_to_the_whole_and_have_seeds_of_their_own(parts: int) -> None:
    plans = [FaultPlan(Path(), shard=(number, parts)) for number in range(parts)]
    assert sum(plan.share(1000, 10) for plan in plans) == 1000
    assert len({plan.shard_seed for plan in plans}) == parts


def test_a_short_plan_has_the_short_counts() -> None:
    assert FaultPlan(Path(), short=True).share(1000, 10) == 10


@pytest.mark.parametrize(('text', 'shard'), [('1/1', (0, 1)), ('2/8', (1, 8)), ('8/8', (7, 8))])
def test_shards_count_from_one(text: str, shard: tuple[int, int]) -> None:
    assert read_shard(text) == shard


@pytest.mark.parametrize('text', ['', '0/2', '3/2', '1', '-1/2', '1/0', 'a/b', '1/1001', '²/4'])
def test_what_is_no_shard_is_refused_with_its_limits(text: str) -> None:
    with pytest.raises(SettingsError, match='it must be i/n with 1 <= i <= n <= 1000'):
        read_shard(text)


def test_table_has_a_row_per_promise_and_the_first_findings() -> None:
    lines = promise_table([KEPT, BROKEN, SKIPPED]).splitlines()
    assert [line.split()[0] for line in lines[:4]] == ['check', 'recordings', 'mutants', 'disk']
    assert [line.split('  ')[-1].strip() for line in lines[1:4]] == [
        'kept', 'BROKEN', 'not measured']
    assert lines[4:] == [*(f'mutants: mutant {number}' for number in range(5)), 'mutants: 3 more']


def test_json_holds_every_result_and_whether_all_are_kept() -> None:
    plan = FaultPlan(Path(), seed=3, shard=(1, 2))
    written = json.loads(json.dumps(promises_as_json(plan, [KEPT, BROKEN])))
    assert (written['seed'], written['shard'], written['kept']) == (3, [2, 2], False)
    assert [item['promise'] for item in written['promises']] == ['it opens', 'it refuses']
    assert promises_as_json(plan, [KEPT, SKIPPED])['kept']
