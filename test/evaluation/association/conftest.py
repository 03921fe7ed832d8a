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

"""Two people before a camera, as synchronized batches with labels."""

import numpy as np
import pytest

from utt_ros.settings import AreaSettings
from utt_ros.training.recordings import RecordedSequence
from utt_ros.types import SyncedBatch

SUBJECTS = ('anna', 'bert')


def batch(tick, in_view, subjects=SUBJECTS):
    count = len(subjects)
    camera = np.zeros((count, 5), np.float32)
    for row, name in enumerate(subjects):
        column_px = 300.0 if name == 'bert' else 900.0  # bert is to the left
        camera[row] = column_px, 350.0, 6.0, 40.0, 120.0
    mask = np.array([name in in_view for name in subjects])
    return SyncedBatch(
        stamp_ns=10**18 + tick * 10**8, epoch=0, sequence=tick, camera_tick=True,
        subjects=subjects, track_ids=tuple(f'track of {name}' for name in subjects),
        association=np.ones(count, np.float32), camera=camera * mask[:, None], camera_mask=mask,
        ftm=np.full((count, 2), 5.0, np.float32), ftm_age_s=np.zeros(count, np.float32),
        ftm_mask=np.ones(count, bool), imu=np.zeros((count, 5, 9), np.float32),
        imu_mask=np.ones((count, 5), bool))


@pytest.fixture
def sequence():
    """Make a sequence from the subjects in view at each tick."""
    def make(in_view_at=lambda _: SUBJECTS, ticks=60, name='one', subjects=SUBJECTS):
        batches = tuple(batch(tick, in_view_at(tick), subjects) for tick in range(ticks))
        return RecordedSequence(AreaSettings(), name, 'test', batches, None)
    return make
