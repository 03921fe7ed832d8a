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

"""Axis of values: it holds the finite ones, and is kept while they fill enough of it."""

import numpy as np
import pytest

from utt_ros.view.signal_plots import ValueAxis


def ends(axis: ValueAxis) -> tuple[float, float]:
    return axis.scales()['y']['range']


def test_axis_holds_all_finite_values_of_all_lines() -> None:
    axis = ValueAxis()
    assert axis.fit([np.array([np.nan, 2.0, 4.0]), np.array([12.0, np.inf, np.nan])])
    assert ends(axis) == pytest.approx((1.5, 12.5))


def test_axis_is_kept_while_values_fill_it() -> None:
    axis = ValueAxis()
    axis.fit([np.array([0.0, 10.0])])
    before = ends(axis)
    assert not axis.fit([np.array([1.0, 9.0])])
    assert not axis.fit([np.array([np.nan])])
    assert ends(axis) == before
    assert axis.fit([np.array([1.0, 11.0])]), 'a value beyond the end'
    assert axis.fit([np.array([5.0, 6.0])]), 'values that fill a tenth'


def test_constant_values_have_an_axis_and_keep_it() -> None:
    axis = ValueAxis()
    assert axis.fit([np.array([720.0, 720.0])])
    low, high = ends(axis)
    assert low < 720.0 < high
    assert not axis.fit([np.array([720.0, 720.0])])
