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

"""Walks that are made up: somebody who walks along a circle before a camera, phone in hand."""

import numpy as np
import pytest

from utt_ros.evaluation.ground_truth import SubjectTrajectory
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.types import GroundTruth

PERIOD_S, ROWS, TICKS = 0.1, 5, 300
SPEED, CENTRE, RADIUS = 1.2, np.array([7.0, 0.0]), 2.5  # [m/s, m]
CADENCE_HZ = 2.0
FIELD_T = 2.5e-5


@pytest.fixture
def area() -> AreaSettings:
    return AreaSettings('a', magnetic_yaw=0.4)


@pytest.fixture
def walk(area: AreaSettings) -> SubjectTrajectory:
    """Exact measurements of a walk of 30 s along a circle: every box, range and step."""
    stamps = (np.arange(TICKS, dtype=np.int64) + 10) * round(PERIOD_S * 1e9)
    truth_stamps = (np.arange(TICKS + 120, dtype=np.int64) - 50) * round(PERIOD_S * 1e9)
    truth = GroundTruth(truth_stamps, circle(truth_stamps), heading(truth_stamps))
    positions = circle(stamps)
    rise = area.ap_position[2] - area.phone_height
    ranges = np.sqrt((positions**2).sum(1) + rise**2)
    return SubjectTrajectory(
        'somebody', stamps, np.arange(TICKS),
        CameraModel(area).project(positions).astype(np.float32), np.ones(TICKS, bool),
        np.stack([ranges, np.full(TICKS, 0.5)], axis=1).astype(np.float32),
        np.arange(TICKS) % 3 == 0, felt(stamps, area), np.ones((TICKS, ROWS), bool), truth)


def circle(stamps_ns: np.ndarray) -> np.ndarray:
    angle = SPEED / RADIUS * stamps_ns / 1e9
    return CENTRE + RADIUS * np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def heading(stamps_ns: np.ndarray) -> np.ndarray:
    return np.asarray(SPEED / RADIUS * stamps_ns / 1e9 + np.pi / 2)


def felt(stamps_ns: np.ndarray, area: AreaSettings) -> np.ndarray:
    """(T, C, 9) of a phone that lies flat, its y axis ahead."""
    behind = np.arange(ROWS)[::-1] * round(PERIOD_S * 1e9) // ROWS
    instants = stamps_ns[:, None] - behind
    bounce = 2.0 * np.sin(2 * np.pi * CADENCE_HZ * instants / 1e9)
    north = np.pi / 2 - area.magnetic_yaw - heading(instants)
    zero = np.zeros_like(north)
    rows = np.stack([
        zero, zero, 9.80665 + bounce, zero, zero, zero + SPEED / RADIUS,
        -FIELD_T * np.sin(north), FIELD_T * np.cos(north), zero - 4e-5], axis=-1)
    return np.asarray(rows, np.float32)
