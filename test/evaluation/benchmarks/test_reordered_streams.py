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

"""Windows of reordered streams; the long form is run by `utt bench faults`."""

import pytest

from utt_ros.evaluation.benchmarks.reordered_streams import reorder_streams


@pytest.mark.parametrize('seed', [1, 2])
def test_windows_of_streams_reordered_by_200_ms_equal_those_in_order(seed: int) -> None:
    report = reorder_streams(seconds=8.0, seed=seed)
    assert report.equal == report.total > 100
    assert report.reordered > 1000
    assert report.late == 0


def test_windows_of_streams_reordered_beyond_the_lag_differ() -> None:
    report = reorder_streams(seconds=8.0, lag_s=0.02, max_wait_s=0.15)
    assert report.equal < report.total
    assert report.late > 0
