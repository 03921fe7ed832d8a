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

"""Simulated walks: windows of three sensors that are informative about each other."""

from collections.abc import Callable

import numpy as np
import pytest

from utt_ros.geometry.camera import CameraModel
from utt_ros.motion.gait import GAIT_FEATURES
from utt_ros.motion.velocity import VELOCITY_FEATURES
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.columns import Columns
from utt_ros.types import Windows

Walk = Callable[..., Windows]
FIELD_T = 3e-5
NS = 1_000_000_000


@pytest.fixture
def shape() -> WindowSettings:
    """Return settings of windows that are quick to train on."""
    return WindowSettings(ticks=12, imu_rows=4, horizon=8)


@pytest.fixture
def walk(shape: WindowSettings, rng: np.random.Generator) -> Walk:
    """Return a factory of windows of N people: straight walks, phones flat in the hand.

    Speeds are 0.3 to 1.8 m/s, the step amplitude is proportional to speed, phones head forward.
    """
    def make(
        area: AreaSettings, count: int, first_s: float = 10.0, every_s: float = 0.0,
    ) -> Windows:
        ticks = shape.ticks + shape.horizon
        now = shape.ticks - 1
        speed, heading = rng.uniform(0.3, 1.8, count), rng.uniform(-np.pi, np.pi, count)
        start = np.stack([rng.uniform(5, 9, count), rng.uniform(-2, 2, count)], axis=-1)
        velocity = speed[:, None] * np.stack([np.cos(heading), np.sin(heading)], axis=-1)
        seconds = shape.period * (np.arange(ticks) - now)
        paths = start[:, None] + seconds[:, None] * velocity[:, None]
        ranges = np.linalg.norm(paths, axis=-1) + rng.normal(0, 0.2, (count, ticks))
        phone = phones(speed, heading + area.magnetic_yaw, ticks * shape.imu_rows, shape, rng)
        values = {'camera': CameraModel(area).project(paths), 'imu': phone,
                  'ftm': np.stack([ranges, np.full_like(ranges, 0.4)], axis=-1)}
        masks = {name: np.full(item.shape[:2], name in area.modalities)
                 for name, item in values.items()}
        masks['ftm'][:, 1::3] = False
        stamps = ((first_s + every_s * np.arange(count)) * NS).astype(np.int64)
        return Windows(
            stamps, tuple(f'p{number}' for number in range(count)),
            {name: np.where(masks[name][..., None], item, 0).astype(np.float32)
             for name, item in values.items()}, masks)
    return make


def phones(
    speed: np.ndarray, compass: np.ndarray, rows: int, shape: WindowSettings,
    rng: np.random.Generator,
) -> np.ndarray:
    """Simulate IMU (N, rows, 9) of phones with y axis along `compass`, from magnetic east."""
    seconds = shape.period / shape.imu_rows * np.arange(rows)
    phase = rng.uniform(0, 2 * np.pi, len(speed))[:, None]
    imu = 0.05 * rng.standard_normal((len(speed), rows, 9))
    imu[..., 2] += 9.81 + 2 * speed[:, None] * np.sin(4 * np.pi * seconds + phase)
    imu[..., 6:] *= 1e-5
    imu[..., 6] -= FIELD_T * np.cos(compass)[:, None]  # magnetic north in the phone's frame
    imu[..., 7] += FIELD_T * np.sin(compass)[:, None]
    return imu


@pytest.fixture
def labelled_columns() -> Callable[[int], Columns]:
    """Return a factory of labels of `count` people whose phones head along y, as does the course.

    The course is at 2 m/s, 3 m/s half a second before.
    """
    def make(count: int) -> Columns:
        return {
            'heading': np.full(count, np.pi / 2, np.float32),
            'heading_valid': np.ones(count, bool),
            'velocity': np.tile(np.float32([0.0, 1.0]), (count, 1)),
            'velocity_valid': np.ones(count, bool),
            'future': np.tile(np.float32([[0.0, 1.0], [1.0, 0.0]]), (count, 1, 1)),
            'future_valid': np.ones((count, 2), bool),
            'course': np.tile(np.float32([0.0, 2.0]), (count, len(VELOCITY_FEATURES), 1)),
            'course_late': np.tile(np.float32([0.0, 3.0]), (count, len(VELOCITY_FEATURES), 1)),
            'course_valid': np.ones(count, bool),
            'camera_mask': np.ones((count, 30), bool),
            'gait': np.ones((count, len(GAIT_FEATURES)), np.float32),
        }
    return make
