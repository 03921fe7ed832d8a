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

"""Simulated people in an area and measurements of its sensors."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.twin.filter_types import MotionPrior
from utt_ros.types import SyncedBatch

T0 = 1_700_000_000_000_000_000
PERIOD_S = 0.1
AREA = AreaSettings(area='hall')


@dataclass
class World:
    """Walkers at about 1.2 m/s whose direction drifts and who turn back 13 m from (8, 0).

    Boxes, ranges, compasses and learned velocities have the errors that docs/belief.md names, and
    people are not all of the same height.
    """

    subjects: int = 8
    seed: int = 1
    names: tuple[str, ...] = ()
    sequence: int = 0
    epoch: int = 0
    camera: CameraModel = field(default_factory=lambda: CameraModel(AREA))

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)
        self.names = self.names or tuple(f's{k:02d}' for k in range(self.subjects))
        self.position = self.rng.uniform([4, -3], [12, 3], (self.subjects, 2))
        self.direction = self.rng.uniform(-np.pi, np.pi, self.subjects)
        self.slow = 1.4 * self.rng.standard_normal(self.subjects)
        self.compass_error = 0.25 * self.rng.standard_normal(self.subjects)
        self.speed = np.full(self.subjects, 1.2)
        self.height = 1.7 + 0.08 * self.rng.standard_normal(self.subjects)

    def tick(self, *, camera=True, ftm=True, imu=True, who=slice(None)):
        """The next batch, with boxes of those in view and ranges at every third tick."""
        count, rng = self.subjects, self.rng
        self._walk()
        seen = self.camera.in_view(self.position) & (rng.random(count) > 0.05) & camera
        ranged = np.full(count, ftm and self.sequence % 3 == 0)
        distance = np.hypot(np.hypot(*self.position.T), 1.3)
        ranges = 1.1 * distance - 0.5 + self.slow + rng.standard_t(4, count)
        batch = SyncedBatch(
            T0 + round(self.sequence * PERIOD_S * 1e9), self.epoch, self.sequence, camera,
            self.names[who], ('',) * len(self.names[who]), np.ones(count, np.float32)[who],
            (self.boxes() * seen[:, None])[who], seen[who],
            (np.stack([ranges, 0 * ranges + 0.4], 1) * ranged[:, None]).astype(np.float32)[who],
            np.full(count, 0.1, np.float32)[who], ranged[who],
            np.zeros((count, 5, 9), np.float32)[who], np.full((count, 5), imu)[who])
        self.sequence += 1
        return batch

    def prior(self, who=slice(None)):
        """A good model: about the true speed, and a compass with a constant error."""
        count = self.subjects
        heading = (self.direction - self.compass_error).astype(np.float32)
        velocity = np.tile(np.array([1.2, 0], np.float32), (count, 1))
        return MotionPrior(heading[who], np.ones(count, bool)[who], velocity[who],
                    np.full((count, 2), 0.2, np.float32)[who])

    def walk(self, tracker, ticks, *, guided=True, **sensors):
        """The last estimate of a filter after some ticks."""
        for _ in range(ticks):
            batch = self.tick(**sensors)
            estimate = tracker.step(batch, self.prior() if guided else None)
        return estimate

    def distance(self, estimate):
        """Errors of an estimate of everybody [m]."""
        return np.linalg.norm(estimate.position - self.position, axis=1)

    def project(self, x, y):
        """Boxes of people with heights of their own, by the pinhole formula."""
        cos, sin = np.cos(AREA.camera_pitch), np.sin(AREA.camera_pitch)
        top, bottom = (
            AREA.cy + AREA.fy * (below * cos - x * sin) / (x * cos + below * sin)
            for below in (AREA.camera_height - self.height, AREA.camera_height))
        row = (top + bottom) / 2
        depth = x / (cos - (row - AREA.cy) / AREA.fy * sin)
        column = AREA.cx - AREA.fx * y / depth
        return np.stack([column, row, depth, AREA.fx * 0.5 / depth, bottom - top], axis=1)

    def boxes(self):
        noise = self.rng.standard_normal((self.subjects, 4))
        sway = self.position + 0.03 * self.rng.standard_normal((self.subjects, 2))
        boxes = self.project(*sway.T)
        jitter = 0.015 * boxes[:, 4]
        boxes[:, 0] += jitter * noise[:, 0]
        boxes[:, 1] += jitter * noise[:, 1]
        boxes[:, 2] += (0.01 * boxes[:, 2] + 0.0015 * boxes[:, 2]**2) * noise[:, 2]
        boxes[:, 4] += jitter * noise[:, 3]
        return boxes.astype(np.float32)

    def _walk(self):
        count, rng = self.subjects, self.rng
        home = np.arctan2(-self.position[:, 1], 8 - self.position[:, 0])
        far = np.hypot(self.position[:, 0] - 8, self.position[:, 1]) > 13
        away = np.angle(np.exp(1j * (home - self.direction)))
        self.direction += np.where(far, 0.1 * away, 0.12 * rng.standard_normal(count))
        steps = np.stack([np.cos(self.direction), np.sin(self.direction)], 1)
        self.speed += (1.2 - self.speed) * PERIOD_S / 1.5 + 0.07 * rng.standard_normal(count)
        self.position = self.position + self.speed[:, None] * PERIOD_S * steps
        keep = np.exp(-PERIOD_S / 1.7)
        self.slow = keep * self.slow + 1.4 * np.sqrt(1 - keep**2) * rng.standard_normal(count)


@pytest.fixture
def world():
    return World
