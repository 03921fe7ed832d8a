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

"""Curves of new areas."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.evaluation.federated import few_shot
from utt_ros.evaluation.metrics.intervals import WalkErrors
from utt_ros.evaluation.results import (
    INFORMATIVE,
    OF_WINDOWS_FROM_SCRATCH,
    TO_ALL_WINDOWS,
    Row,
)
from utt_ros.evaluation.suites.fewshot_suite import fewshot_units, windows_share
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.saved_model import DataStatistics

RunUnit = Callable[[str, str], tuple[Row, ...]]
EVERY = slice(None)


def curve(*points: tuple[float, float]) -> list[tuple[float, WalkErrors]]:
    """Errors of four equal walks after some windows."""
    return [(windows, WalkErrors(np.full((4, 1), error), np.ones((4, 1))))
            for windows, error in points]


def test_windows_are_counted_that_reach_the_error_of_all_from_scratch() -> None:
    scratch = curve((16, 0.9), (64, 0.7), (640, 0.5))
    value, interval = windows_share(
        curve((0, 0.8), (16, 0.6), (64, 0.45), (640, 0.4)), scratch, EVERY)
    assert value == pytest.approx(0.1)
    assert (interval.low, interval.high) == pytest.approx((0.1, 0.1))
    assert windows_share(curve((0, 0.5), (16, 0.6)), scratch, EVERY)[0] == 0.0
    assert windows_share(curve((0, 0.8), (640, 0.51)), scratch, EVERY)[0] == 1.0
    flat = curve((16, 0.9), (64, 0.5), (640, 0.5))
    assert windows_share(curve((0, 0.8), (16, 0.5)), flat, EVERY)[0] == pytest.approx(0.25)


@pytest.mark.slow
def test_curves_are_compared_on_the_same_windows(
    run_unit: RunUnit, monkeypatch: pytest.MonkeyPatch,
) -> None:
    for method in few_shot.FEW_SHOT_METHODS:
        monkeypatch.setitem(few_shot.FEW_SHOT_ROUNDS, method, 1)
    zero, final = (
        {(row.sources, row.target): row for row in run_unit('fewshot', f'fewshot-{key}-seed0')}
        for key in ('transferred-0', 'transferred-all'))
    assert {row.metric for row in zero.values()} == {INFORMATIVE}
    assert {row.operation for row in final.values()} == {'all_windows'}
    compared = run_unit('fewshot', 'fewshot-compared-seed0')
    ratios = {(row.sources, row.target): row for row in compared if row.metric == TO_ALL_WINDOWS}
    assert set(ratios) == set(zero) == set(final)
    for direction, row in ratios.items():
        assert row.value == pytest.approx(zero[direction].value / final[direction].value)
        assert row.n_windows == zero[direction].n_windows == final[direction].n_windows
    shares = [row for row in compared if row.metric == OF_WINDOWS_FROM_SCRATCH]
    assert {row.method for row in shares} == {'transferred', 'fine_tuned'}
    assert all(0.0 <= row.value <= 1.0 for row in shares)


def test_there_is_a_unit_for_each_point_and_one_that_compares(study: Study) -> None:
    keys = [unit.key for unit in fewshot_units(study)]
    assert len(keys) == 14
    assert 'fewshot-scratch-64-seed0' in keys
    assert keys[-1] == 'fewshot-compared-seed0'


def test_zero_shot_alone_is_left_where_there_is_nothing_to_train_on(study: Study) -> None:
    untrained = replace(study, given=Path('model'), statistics=DataStatistics({}, [], []))
    assert [unit.key for unit in fewshot_units(untrained)] == ['fewshot-transferred-0-seed0']
