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

"""Command line of `utt bench building`."""

from typing import Any

import pytest

from utt_ros.cli import bench_building
from utt_ros.cli.main import main
from utt_ros.evaluation.building_walks import BuildingScores


def test_a_row_with_and_one_without_a_hand_over_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    ages: list[Any] = []

    def walk(plans: Any, graph: Any, *, hand_over_s: float | None) -> BuildingScores:
        assert graph is None
        assert sum(len(plan.company()) for plan in plans) >= 7
        ages.append(hand_over_s)
        values = {'handovers': 40, 'ids_kept': 0.975, 'double_counted': 0,
                  'access_points': {'3': {'n': 9, 'median': 0.5, 'p90': 1.25}}}
        return BuildingScores(values, 9, 12)

    monkeypatch.setattr(bench_building, 'walk_building', walk)
    assert main(['bench', 'building', '--walks', '7']) == 0
    assert ages == [None, 0.0]
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ['hand-over', 'walks']
    assert first.split() == ['with', '9', '12', '40', '98', '%', '0', '0.50', '1.25']
    assert second.split()[0] == 'without'


def test_no_walk_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['bench', 'building', '--walks', '0']) == 2
    assert '--walks is 0: it must be within 1..1000' in capsys.readouterr().err
