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

"""A sensor that is withheld."""

from collections.abc import Callable

import numpy as np
import pytest

from utt_ros.evaluation.metrics.translation import cut_translation_windows
from utt_ros.evaluation.results import INFORMATIVE, TO_BEST_RIVAL, Row
from utt_ros.evaluation.suites.belief_rows import METHOD
from utt_ros.evaluation.suites.withheld_suite import hidden_ticks, withheld_units
from utt_ros.evaluation.trained_models import Study
from utt_ros.training.recordings import Recordings

RunUnit = Callable[[str, str], tuple[Row, ...]]


def test_windows_of_a_pair_are_apart_by_the_gap_and_pairs_do_not_overlap(
    data: Recordings,
) -> None:
    windows = cut_translation_windows(data, 'test', gap=30)
    ticks = 2 * data.window.ticks + 30
    assert windows.columns['camera'].shape[1] == data.window.ticks
    assert windows.columns['imu_past'].shape[1] == data.window.ticks * data.window.imu_rows
    for sequence in np.unique(windows.sequences):
        ends = np.unique(windows.stamps_ns[windows.sequences == sequence])
        assert (np.diff(ends) >= (ticks - 1) * 1e9 * data.window.period).all()


def test_a_sensor_is_hidden_since_the_gap_began(data: Recordings) -> None:
    windows = cut_translation_windows(data, 'test', gap=30)
    item = data.of('test')[0]
    off = hidden_ticks(item, windows, 60)
    ends = np.unique(windows.stamps_ns[windows.sequences == item.sequence])
    assert off.sum() == 60 * len(ends)
    last = next(index for index, batch in enumerate(item.batches) if batch.stamp_ns == ends[0])
    assert off[last - 59:last + 1].all()
    assert not off[last - 60]
    assert not off[last + 1]


@pytest.mark.slow
def test_others_and_the_belief_are_compared_with_the_own_past(run_unit: RunUnit) -> None:
    rows = run_unit('withheld', 'withheld-camera-6s-seed0')
    errors = {row.method: row.value for row in rows if row.metric == INFORMATIVE}
    assert set(errors) == {
        'last_value', 'ridge', 'ridge_past', 'ridge_both', 'utt', METHOD}
    assert errors[METHOD] < min(errors['last_value'], errors['utt'])
    ratios = {row.method: row.value for row in rows if row.metric == TO_BEST_RIVAL}
    assert ratios[METHOD] == pytest.approx(
        errors[METHOD] / min(errors['last_value'], errors['ridge_past']))


def test_there_is_a_unit_for_each_target_and_gap(study: Study) -> None:
    keys = [unit.key for unit in withheld_units(study)]
    assert len(set(keys)) == 12
    assert 'withheld-ftm-12s-seed0' in keys
