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

"""Checks of `utt bench faults`: each runs in its folder; a failed one does not end the others."""

from pathlib import Path

import pytest

from utt_ros.evaluation.benchmarks import fault_checks
from utt_ros.evaluation.benchmarks.attacks import CLEAN, HONEST, MEAN, SCREENED, PoisoningOutcome
from utt_ros.evaluation.benchmarks.fault_checks import (
    CHECKS,
    disk_result,
    poisoning_results,
    run_checks,
)
from utt_ros.evaluation.benchmarks.full_disk import FullDiskReport
from utt_ros.evaluation.benchmarks.promises import FaultPlan, PromiseResult


def _kept(plan: FaultPlan) -> list[PromiseResult]:
    return [PromiseResult(plan.folder.name, '', '', kept=plan.folder.is_dir())] * 2


def _fail(plan: FaultPlan) -> list[PromiseResult]:
    """Do what cannot be done."""
    raise OSError('no space left')


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_checks, 'CHECKS', {'one': _kept, 'two': _fail, 'three': _kept})


def test_checks_run_in_order_each_in_a_folder_of_its_own(checks: None, tmp_path: Path) -> None:
    noted: list[str] = []
    results = list(run_checks(['three', 'one'], FaultPlan(tmp_path), noted.append))
    assert [(item.check, item.promise, item.kept) for item in results] == [
        ('three', 'three', True), ('three', 'three', True), ('one', 'one', True),
        ('one', 'one', True)]
    assert noted == ['three ...', 'one ...']


def test_a_check_that_fails_is_a_broken_promise_and_others_go_on(
    checks: None, tmp_path: Path,
) -> None:
    two, *others = run_checks(['two', 'three'], FaultPlan(tmp_path), lambda _: None)
    assert (two.check, two.promise, two.kept) == ('two', 'Do what cannot be done.', False)
    assert two.findings == ('OSError: no space left',)
    assert all(item.kept for item in others)


def test_messages_are_refused_in_the_short_form(tmp_path: Path) -> None:
    results = list(run_checks(['messages'], FaultPlan(tmp_path, short=True), lambda _: None))
    assert len(results) == 9
    for item in results:
        assert '100 sent: 0 accepted, 0 crashed, 0 unnamed' in item.measured


def test_the_worst_attack_decides_and_is_named() -> None:
    outcomes = [PoisoningOutcome(MEAN, HONEST, 1.0, 0.0, 0.0),
                PoisoningOutcome(MEAN, CLEAN, 0.9, 0.0, 0.0),
                PoisoningOutcome(SCREENED, CLEAN, 0.9, 0.0, 0.0),
                PoisoningOutcome(SCREENED, 'nan', 1.0, 1.0, 0.0),
                PoisoningOutcome(SCREENED, 'fti', 1.04, 0.0, 0.0)]
    clean, poisoned = poisoning_results(outcomes)
    assert (clean.kept, poisoned.kept) == (True, True)
    assert '2 attacks: error at most 1.040' in poisoned.measured
    assert '(fti); hostile areas are named in 1' in poisoned.measured
    outcomes[2:4] = [PoisoningOutcome(SCREENED, CLEAN, 0.92, 0.0, 0.0),
                     PoisoningOutcome(SCREENED, 'nan', 1.06, 0.0, 0.0)]
    clean, poisoned = poisoning_results(outcomes)
    assert (clean.kept, poisoned.kept) == (False, False)
    assert poisoned.findings == ('nan: 1.060',)


def test_a_disk_that_is_not_told_of_breaks_the_promise() -> None:
    for report, kept in (
            (FullDiskReport('tmpfs', told=True, lost=0.5, files_left=0), True),
            (FullDiskReport('tmpfs', told=False, lost=0.5, files_left=0), False),
            (FullDiskReport('tmpfs', told=True, lost=1.5, files_left=0), False),
            (FullDiskReport('tmpfs', told=True, lost=0.5, files_left=1), False),
            (FullDiskReport('tmpfs', told=True, lost=0.5, files_left=0, problem='no'), False)):
        assert disk_result('it opens', report, 's', 1.0).kept is kept


def test_every_check_tells_what_it_does() -> None:
    assert all(check.__doc__ for check in CHECKS.values())
