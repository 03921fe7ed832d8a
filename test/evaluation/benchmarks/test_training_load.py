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

from utt_ros.evaluation.benchmarks.circling_walkers import LOOP_SEC
from utt_ros.evaluation.benchmarks.training_load import load_windows
from utt_ros.settings import WindowSettings


def test_windows_cover_every_phone_and_second_with_ranges_at_every_third_tick() -> None:
    window = WindowSettings()
    windows = load_windows(2, window)
    ticks = window.ticks + window.horizon
    assert len(windows) == 2 * LOOP_SEC
    assert windows.values['imu'].shape == (2 * LOOP_SEC, ticks * window.imu_rows, 9)
    assert windows.masks['camera'].all()
    assert np.flatnonzero(windows.masks['ftm'][0]).tolist() == list(range(0, ticks, 3))
