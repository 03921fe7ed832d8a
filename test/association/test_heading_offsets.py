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

import numpy as np
import pytest

from utt_ros.association.dead_reckoning import window_headings
from utt_ros.association.heading_offsets import HeadingOffsets

PAIRS = [(0, 1), (1, 0)]


def learned(area, candidates, turned, times, pairs=PAIRS):
    offsets = HeadingOffsets()
    angles, valid = window_headings(candidates, 0.0)
    for _ in range(times):
        compass = angles + np.array(turned)[:, None], valid
        offsets.learn(candidates, area, compass, pairs, ticks=5)
    return offsets


def test_the_offset_of_a_new_phone_in_a_new_area_is_0() -> None:
    assert HeadingOffsets().of(['a', 'b']).tolist() == [0.0, 0.0]


def test_the_offset_of_a_phone_is_learned_from_its_matches(area, walkers) -> None:
    offsets = learned(area, walkers(), [1.0, -0.5], times=60)
    assert offsets.of(['a', 'b']) == pytest.approx([1.0, -0.5], abs=0.2)


def test_one_second_changes_offsets_little(area, walkers) -> None:
    offsets = learned(area, walkers(), [1.0, -1.0], times=2)
    assert np.abs(offsets.of(['a', 'b'])).max() < 0.35


def test_the_offset_of_a_new_phone_is_that_of_the_area(area, walkers) -> None:
    offsets = learned(area, walkers(), [0.6, 0.6], times=120)
    assert offsets.of(['new']) == pytest.approx([0.6], abs=0.3)


def test_phones_without_matches_are_forgotten(area, walkers) -> None:
    candidates = walkers()
    offsets = learned(area, candidates, [1.0, 1.0], times=60)
    for _ in range(1500):
        offsets.learn(candidates, area, window_headings(candidates, 0.0), [], ticks=5)
    assert not offsets._sums
