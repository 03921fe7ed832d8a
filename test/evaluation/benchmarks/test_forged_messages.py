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

"""Hostile messages in a short form; `UTT_ATTACKS=10000` makes it the long one."""

import os
from pathlib import Path

import pytest

from utt_ros.evaluation.benchmarks.forged_messages import (
    AttackTally,
    attack_federation,
    attack_table,
)

COUNT = int(os.environ.get('UTT_ATTACKS', '300'))


@pytest.mark.timeout(60 + COUNT // 10)
def test_no_hostile_message_counts_crashes_or_goes_unnamed(tmp_path: Path) -> None:
    tallies = attack_federation(COUNT, 1, tmp_path)
    assert [each.attack for each in tallies] == [
        'forged', 'replayed', 'reordered', 'foreign', 'malformed']
    assert [each for each in tallies if not each.passed] == [], attack_table(tallies)


def test_attack_fails_when_something_is_accepted_crashes_or_is_unnamed() -> None:
    good = AttackTally('forged', 10, 0, 0, 0, 0.1, 0.2)
    assert good.passed
    assert not any(AttackTally(*wrong, 0.1, 0.2).passed for wrong in (
        ('forged', 10, 1, 0, 0), ('forged', 10, 0, 1, 0), ('forged', 10, 0, 0, 1),
        ('forged', 0, 0, 0, 0)))
    assert 'forged' in attack_table([good])
