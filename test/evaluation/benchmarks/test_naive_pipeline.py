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

from builtin_interfaces.msg import Time

from utt_ros.evaluation.benchmarks.naive_pipeline import latest_window, stamp_nanoseconds


def test_newest_rows_stand_at_the_end_of_the_window() -> None:
    values, mask = latest_window([[1.0], [2.0], [3.0]], 2, 1)
    assert values[0, :, 0].tolist() == [2.0, 3.0]
    values, mask = latest_window([[1.0]], 3, 1)
    assert values[0, :, 0].tolist() == [0.0, 0.0, 1.0]
    assert mask[0].tolist() == [False, False, True]
    assert not latest_window([], 3, 1)[1].any()


def test_stamps_become_nanoseconds() -> None:
    assert stamp_nanoseconds(Time(sec=2, nanosec=5)) == 2_000_000_005
