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

"""Merges with corrupted sources."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from utt_ros.evaluation.results import INFORMATIVE, MERGE_TO_BEST_SOURCE, TO_FUSORS, Row
from utt_ros.evaluation.suites.corruption_rows import CORRUPTED, corrupt_windows
from utt_ros.evaluation.trained_models import Study

RunUnit = Callable[[str, str], tuple[Row, ...]]
CONDITIONS = {('ftm+imu', 'camera'): ('ftm', 'imu'), ('camera+imu', 'ftm'): ('camera', 'imu'),
              ('camera+ftm', 'imu'): ('camera', 'ftm')}


@pytest.mark.parametrize('source', ['camera', 'ftm', 'imu'])
def test_a_share_of_the_windows_has_one_wrong_source(study: Study, source: str) -> None:
    windows = study.translation_windows()
    copies = 20
    many = replace(
        windows, columns={name: np.repeat(values, copies, axis=0)
                          for name, values in windows.columns.items()},
        sequences=np.repeat(windows.sequences, copies),
        subjects=np.repeat(windows.subjects, copies))
    corrupted = corrupt_windows(many, source)
    wrong = (many.columns[source] != corrupted.columns[source]).any((1, 2))
    measured = many.columns[f'{source}_mask'].any(1)
    assert wrong[measured].mean() == pytest.approx(CORRUPTED, abs=0.05)
    changed = {name for name in many.columns
               if many.columns[name] is not corrupted.columns[name]}
    assert changed <= {source, f'{source}_mask', 'further_ftm'}
    again = corrupt_windows(many, source)
    np.testing.assert_array_equal(again.columns[source], corrupted.columns[source])


def test_a_neighbour_is_another_person_of_the_same_area(study: Study) -> None:
    windows = study.translation_windows()
    boxes, mask = windows.columns['camera'], windows.columns['camera_mask']
    replaced = corrupt_windows(windows, 'camera').columns['camera']
    for row in np.flatnonzero((boxes != replaced).any((1, 2))):
        donors = [other for other in np.flatnonzero(mask.any(1))
                  if np.array_equal(boxes[other], replaced[row])]
        assert donors
        assert any(
            windows.sequences[other].partition('/')[0] == windows.sequences[row].partition('/')[0]
            and (windows.sequences[other], windows.subjects[other])
            != (windows.sequences[row], windows.subjects[row]) for other in donors)


def test_merges_are_evaluated_clean_and_with_each_source_corrupted(run_unit: RunUnit) -> None:
    rows = run_unit('fusors', 'fusors-average-seed0')
    for metric in (INFORMATIVE, MERGE_TO_BEST_SOURCE):
        found = {(row.sources, row.target, row.operation) for row in rows if row.metric == metric}
        assert found == {
            (*pair, operation) for pair, sources in CONDITIONS.items()
            for operation in ('merge', *(f'merge_corrupted_{name}' for name in sources))}


def test_a_gate_is_compared_with_fusors_without_gates(run_unit: RunUnit) -> None:
    gates = run_unit('fusors', 'fusors-gates-seed0')
    assert {row.metric for row in gates} == set(TO_FUSORS.values())
    assert len(gates) == 2 * 2 * 9
    gating, average = (
        {(row.operation, row.sources): row.value
         for row in run_unit('fusors', f'fusors-corrupted-{name}-seed0')
         if row.metric == INFORMATIVE} for name in ('gating', 'average'))
    for row in gates:
        if (row.method, row.metric) == ('utt_corrupted', TO_FUSORS['average']):
            condition = row.operation, row.sources
            assert row.value == pytest.approx(gating[condition] / average[condition])
