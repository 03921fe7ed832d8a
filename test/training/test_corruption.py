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

"""Corruption of sources."""

import numpy as np
import pytest

from utt_ros.training.corruption import RANGE_BIAS_M, corrupt_source, draw_corrupted
from utt_ros.types import FURTHER_FTM


def test_at_most_one_source_of_a_window_is_corrupted(rng: np.random.Generator) -> None:
    drawn = draw_corrupted(('camera', 'ftm', 'imu'), 6000, 0.3, rng)
    sources = np.sum(list(drawn.values()), axis=0)
    assert sources.max() == 1
    assert sources.mean() == pytest.approx(0.3, abs=0.02)
    assert all(mask.mean() == pytest.approx(0.1, abs=0.02) for mask in drawn.values())


def test_ranges_are_longer_and_their_deviations_stay(rng: np.random.Generator) -> None:
    columns = {'ftm': rng.random((4, 3, 2)), FURTHER_FTM: rng.random((4, 3, 5, 2)),
               'ftm_mask': np.ones((4, 3), bool)}
    before = {name: values.copy() for name, values in columns.items()}
    changed = corrupt_source(columns, 'ftm', np.array([1, 3]), np.array([0, 0]))
    for name in ('ftm', FURTHER_FTM):
        difference = changed[name] - before[name]
        np.testing.assert_allclose(difference[[1, 3], ..., 0], RANGE_BIAS_M)
        assert not difference[[0, 2]].any()
        assert not difference[..., 1].any()
        np.testing.assert_array_equal(columns[name], before[name])


@pytest.mark.parametrize('source', ['camera', 'imu'])
def test_boxes_and_phones_are_those_of_somebody_else(
    source: str, rng: np.random.Generator,
) -> None:
    columns = {source: rng.random((3, 4, 5)), f'{source}_mask': rng.random((3, 4)) < 0.5,
               'ftm': rng.random((3, 4, 2))}
    changed = corrupt_source(columns, source, np.array([0, 2]), np.array([1, 0]))
    for name in (source, f'{source}_mask'):
        np.testing.assert_array_equal(changed[name], columns[name][[1, 1, 0]])
    assert changed['ftm'] is columns['ftm']
