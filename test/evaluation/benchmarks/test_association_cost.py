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

from utt_ros.evaluation.benchmarks.association_cost import CROWD_SIZE, _ticks, match_cost
from utt_ros.settings import WindowSettings


def test_every_tick_has_a_box_and_samples_of_everybody() -> None:
    tracks, phones = next(_ticks(WindowSettings()))
    assert tracks.boxes.shape == (CROWD_SIZE, 5)
    assert phones.imu.shape == (CROWD_SIZE, WindowSettings().imu_rows, 9)
    assert phones.ftm_mask.all()


def test_a_match_takes_time_and_a_share_of_a_core() -> None:
    match_ms, share = match_cost('fused', None, WindowSettings())
    assert match_ms > 0.1
    assert 0.0 < share < 1.0
