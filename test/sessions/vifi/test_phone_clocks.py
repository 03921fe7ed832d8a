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

from utt_ros.sessions.vifi.phone_clocks import compare_spans, estimate_offset

TIMES = np.arange(40) / 3.0
RANGES = np.random.default_rng(3).uniform(1000, 9000, (40, 1))


@pytest.mark.parametrize('offset_s', [-19.0, -2.948, 0.0, 0.05, 3.4, 19.0])
def test_offset_of_equal_values_is_found_among_others(offset_s: float) -> None:
    synced = RANGES.copy()
    synced[::4] += 0.5  # values that raw rows do not have
    estimate = estimate_offset(TIMES, synced, TIMES - offset_s, RANGES)
    assert estimate == pytest.approx(offset_s, abs=1e-6)


@pytest.mark.parametrize(('synced', 'raw'), [
    (np.full((40, 1), 3000.0), np.full((40, 1), 3000.0)),  # a standing phone
    (RANGES[:4], RANGES), (RANGES + 0.5, RANGES), (RANGES[::-1], RANGES), (RANGES[:0], RANGES),
], ids=['constant', 'few', 'other values', 'other order', 'none'])
def test_offset_is_unknown_without_enough_values_that_agree(synced, raw) -> None:
    assert estimate_offset(TIMES[:len(synced)], synced, TIMES - 3, raw) is None


def test_spans_tell_an_offset_only_where_both_ends_agree() -> None:
    assert compare_spans(TIMES, TIMES - 3) == pytest.approx(3)
    assert compare_spans(TIMES, TIMES[:-9] - 3) is None
    assert compare_spans(TIMES, TIMES[:0]) is None
