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

"""Command line of `utt bench faults`."""

import json
from pathlib import Path

import pytest

from utt_ros.cli.main import main
from utt_ros.evaluation.benchmarks import fault_checks
from utt_ros.evaluation.benchmarks.promises import FaultPlan, PromiseResult

plans: list[FaultPlan] = []


def _check(plan: FaultPlan, *, kept: bool | None = True) -> list[PromiseResult]:
    plans.append(plan)
    return [PromiseResult('it holds', '0 lost', '1', kept=kept)]


@pytest.fixture(autouse=True)
def checks(monkeypatch: pytest.MonkeyPatch) -> None:
    plans.clear()
    monkeypatch.setenv('ROS_DOMAIN_ID', '0')
    for name in list(fault_checks.CHECKS):
        monkeypatch.setitem(fault_checks.CHECKS, name, _check)
    monkeypatch.setitem(
        fault_checks.CHECKS, 'messages', lambda plan: _check(plan, kept=False))
    monkeypatch.setitem(fault_checks.CHECKS, 'mutants', lambda plan: _check(plan, kept=None))


def test_every_promise_is_tried_by_default_and_a_broken_one_is_the_exit_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(['bench', 'faults']) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(fault_checks.CHECKS)
    assert sum('BROKEN' in line for line in lines) == 1
    assert {(plan.seed, plan.short, plan.shard, plan.soak_sec) for plan in plans} == {
        (7, False, (0, 1), 3600.0)}
    assert not plans[0].folder.exists()  # a temporary folder


def test_arguments_reach_the_checks_and_results_are_written(tmp_path: Path) -> None:
    assert main(['bench', 'faults', '--only', 'recordings', 'mutants', '--short', '--soak', '60',
                 '--shard', '2/3', '--seed', '5', '--logs', str(tmp_path / 'logs'),
                 '--json', str(tmp_path / 'faults.json')]) == 0
    assert [plan.folder for plan in plans] == [
        tmp_path / 'logs' / name for name in ('recordings', 'mutants')]
    assert all(plan.folder.is_dir() for plan in plans)
    assert {(plan.seed, plan.short, plan.shard, plan.soak_sec) for plan in plans} == {
        (5, True, (1, 3), 60.0)}
    written = json.loads((tmp_path / 'faults.json').read_bytes())
    assert [item['kept'] for item in written['promises']] == [True, None]


@pytest.mark.parametrize(('words', 'error'), [
    (['--only', 'luck'], "invalid choice: 'luck'"),
    (['--shard', '3/2'], "shard is '3/2': it must be i/n"),
    (['--soak', '0'], '0: it must be within 0..604800'),
    (['--soak', 'long'], "invalid number value: 'long'")])
def test_wrong_arguments_are_refused(
    words: list[str], error: str, capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match='2'):
        main(['bench', 'faults', *words])
    assert error in capsys.readouterr().err


def test_a_folder_of_logs_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(['bench', 'faults', '--logs', str(tmp_path)]) == 2
    assert f'{tmp_path} exists' in capsys.readouterr().err
