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

"""Bootstrap intervals of translation errors over walks."""

import math

import numpy as np
import pytest

from utt_ros.evaluation.metrics.intervals import WalkErrors, ratio, walk_errors
from utt_ros.evaluation.results import Prediction


def walks(error: list[float], spread: float = 1.0) -> WalkErrors:
    return WalkErrors(np.array(error)[:, None], np.full((len(error), 1), spread))


def test_windows_of_a_walk_are_summed() -> None:
    ones = np.ones((3, 2, 1), np.float32)
    mask = np.array([[True, True], [True, False], [True, True]])[..., None]
    predicted = Prediction(
        'p', 3 * ones, ones, mask, np.zeros(1), 'transfer', 'ftm', 'camera',
        np.array(['a/1', 'a/1', 'a/1']), np.array(['p', 'p', 'q']), np.arange(3))
    errors = walk_errors(predicted)
    assert errors.error.tolist() == [[12.0], [8.0]]
    assert errors.spread.tolist() == [[3.0], [2.0]]
    assert errors.nmse() == pytest.approx(4.0)


def test_walks_that_are_alike_have_a_narrow_interval_and_others_a_wide_one() -> None:
    same, different = walks([0.5] * 20).interval(), walks([0.0, 1.0] * 10).interval()
    assert (same.low, same.high) == pytest.approx((0.5, 0.5))
    assert different.low == pytest.approx(0.3, abs=0.05)  # of a binomial: 0.5 -+ 1.96 * 0.112
    assert different.high == pytest.approx(0.7, abs=0.05)


def test_a_ratio_is_paired_by_walk() -> None:
    hard_and_easy = [0.1, 0.9] * 10
    value, interval = ratio(walks([error / 2 for error in hard_and_easy]), walks(hard_and_easy))
    assert (value, interval.low, interval.high) == pytest.approx((0.5, 0.5, 0.5))


def test_two_walks_have_no_interval() -> None:
    assert math.isnan(walks([0.5, 0.6]).interval().low)
    assert math.isnan(ratio(walks([0.5, 0.6]), walks([0.5, 0.6]))[1].high)
