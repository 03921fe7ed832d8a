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

"""Two people on known paths, one ahead and one to the left, and a model that knows their speed."""

import numpy as np
import pytest

from utt_ros.association.candidates import Candidates
from utt_ros.association.translator import PhoneTranslation
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings

ROWS = 5
PERIOD = 0.1


class ConstantVelocityModel:
    """Translator: walking ahead at 1.2 m/s; its boxes and ranges are 0."""

    ticks = 10

    def translate_phones(self, ftm, ftm_mask, imu, imu_mask, heading_valid):
        count = len(ftm)
        assert imu.shape == (count, 50, 9)
        assert imu_mask.shape == (count, 50)
        assert heading_valid.shape == (count,)
        velocity = np.tile(np.float32([1.2, 0.0]), (count, 1))
        return PhoneTranslation(velocity, np.ones((count, 2), np.float32),
                                np.zeros((count, 10, 5), np.float32))

    def translate_tracks(self, boxes, mask):
        return np.zeros((len(boxes), 10, 2), np.float32)


def phone_imu(heading, ticks):
    """A phone that lies in the hand (z up) and points along a heading; two steps a second."""
    rows = ticks * ROWS
    seconds = np.arange(rows) * PERIOD / ROWS
    imu = np.zeros((rows, 9), np.float32)
    imu[:, 2] = 9.81 + 2.5 * np.sin(2 * np.pi * 2.0 * seconds)
    imu[:, 6], imu[:, 7], imu[:, 8] = -2e-5 * np.cos(heading), 2e-5 * np.sin(heading), -4e-5
    return imu


@pytest.fixture
def area():
    return AreaSettings()


@pytest.fixture
def model():
    return ConstantVelocityModel()


@pytest.fixture
def walkers(area):
    """Track 0 is of phone 1, track 1 of phone 0."""
    def make(ticks=30, appeared=0):
        seconds = np.arange(ticks) * PERIOD
        ahead = np.stack([4.0 + 1.2 * seconds, np.full(ticks, -1.0)], axis=-1)
        left = np.stack([np.full(ticks, 9.0), -3.0 + 1.2 * seconds], axis=-1)
        paths = np.stack([ahead, left])
        boxes = CameraModel(area).project(paths).astype(np.float32)
        mask = np.tile(np.arange(ticks) >= appeared, (2, 1))
        ground = np.linalg.norm(paths, axis=-1)
        ranges = np.hypot(ground, area.ap_position[2] - area.phone_height)[::-1]
        ftm = np.stack([ranges, np.full_like(ranges, 0.5)], axis=-1).astype(np.float32)
        ftm_mask = np.tile(np.arange(ticks) % 3 == 0, (2, 1))
        imu = np.stack([phone_imu(np.pi / 2, ticks), phone_imu(0.0, ticks)])
        return Candidates(
            stamp_ns=10**9, period=PERIOD, track_ids=('7', '8'), phones=('a', 'b'),
            boxes=boxes * mask[..., None], boxes_mask=mask, ftm=ftm * ftm_mask[..., None],
            ftm_mask=ftm_mask, imu=imu, imu_mask=np.ones((2, ticks * ROWS), bool))
    return make
