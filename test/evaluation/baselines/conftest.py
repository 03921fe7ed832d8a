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

from utt_ros.association.candidates import Candidates


@pytest.fixture
def seen():
    """Three tracks and two phones in 30 ticks of noise, with gaps."""
    rng = np.random.default_rng(1)
    return Candidates(
        stamp_ns=0, period=0.1, track_ids=('0', '1', '2'), phones=('a', 'b'),
        boxes=rng.uniform(1, 500, (3, 30, 5)).astype(np.float32),
        boxes_mask=rng.random((3, 30)) < 0.9,
        ftm=rng.uniform(1, 9, (2, 30, 2)).astype(np.float32), ftm_mask=rng.random((2, 30)) < 0.3,
        imu=rng.standard_normal((2, 150, 9)).astype(np.float32),
        imu_mask=np.ones((2, 150), bool))
