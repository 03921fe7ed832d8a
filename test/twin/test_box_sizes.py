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

"""Sizes of boxes relative to those of usual people."""

import numpy as np
import pytest

from utt_ros.twin.box_sizes import WITHIN_LOG_STD, BoxSizes

USUAL = np.array([[640.0, 360.0, 5.0, 50.0, 200.0]])


def see(sizes: BoxSizes, row: int, width: float, height: float, times: int) -> None:
    box = USUAL * [1.0, 1.0, 1.0, width, height]
    for _ in range(times):
        sizes.learn(np.array([row]), box, USUAL)


def test_a_stranger_is_of_usual_size_and_uncertain() -> None:
    ratio, std = BoxSizes(2).ratio(0, 1e9)
    assert ratio == pytest.approx([1.0, 1.0])
    assert std[0] > 0.6


def test_a_wide_and_tall_person_is_remembered() -> None:
    sizes = BoxSizes(2)
    see(sizes, 1, 1.6, 1.1, 300)
    for age_s in (0.0, 100.0):
        assert sizes.ratio(1, age_s)[0] == pytest.approx([1.6, 1.1], rel=0.02)
    assert sizes.ratio(0, 0.0)[0] == pytest.approx([1.0, 1.0])
    sizes.forget(1)
    assert sizes.ratio(1, 0.0)[0] == pytest.approx([1.0, 1.0])


def test_the_present_deviation_is_forgotten_and_its_uncertainty_grows() -> None:
    sizes = BoxSizes(1)
    see(sizes, 0, 1.5, 1.0, 300)
    see(sizes, 0, 1.1, 1.0, 10)  # turned to the side
    (now, sure), (later, unsure) = sizes.ratio(0, 0.0), sizes.ratio(0, 60.0)
    assert now[0] == pytest.approx(1.1, rel=0.03)
    assert later[0] == pytest.approx(1.5, rel=0.03)
    assert sure[0] < 0.1 < unsure[0]
    assert unsure[0] >= WITHIN_LOG_STD[0]


def test_boxes_without_a_size_teach_nothing() -> None:
    sizes = BoxSizes(1)
    for width in (0.0, np.nan, 1e6):
        see(sizes, 0, width, 1.0, 5)
    assert sizes.ratio(0, 0.0)[0] == pytest.approx([1.0, 1.0])
