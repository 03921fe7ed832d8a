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

"""Simulated camera and tracker: boxes and tracks of people; docs/simulator.md, section 5."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from utt_ros.geometry.camera import DEPTH_LIMITS_M, DEPTH_NOISE, PIXEL_JITTER, CameraModel
from utt_ros.sessions.simulator.trajectories import SimulatedWalk
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, MaskArray

FRAME_HZ = 10.0
FRAME_JITTER_S = 0.002
OCCLUDED_SHARE = 0.7  # of a box that a nearer one covers, for its person to be hidden
MISS_SHARES = (0.03, 0.10)  # at depth 0 and at the maximum depth
UNKNOWN_DEPTH_SHARE = 0.01
OUTLIER_SHARE, OUTLIER_M = 0.01, (1.0, 6.0)
TRACK_TIMEOUT_S = 2.0  # unseen for longer: a new track number


def frame_times(rng: Generator, seconds: float) -> Array:
    """Return exposure times (F,) [s] within the session."""
    regular = (np.arange(int(seconds * FRAME_HZ)) + 0.5) / FRAME_HZ
    return np.asarray(regular + np.clip(rng.normal(0, FRAME_JITTER_S, len(regular)), -0.02, 0.02))


def detect_people(
        rng: Generator, area: AreaSettings, walks: Sequence[SimulatedWalk], times_s: Array,
) -> tuple[Array, MaskArray, npt.NDArray[np.intp]]:
    """Return boxes (F, people, 5) [CAMERA_CHANNELS], mask of seen, track numbers (F, people)."""
    model = CameraModel(area)
    positions = np.stack([walk.at(times_s).position_m for walk in walks], axis=1)
    present = np.stack([walk.covers(times_s) for walk in walks], axis=1)
    true = model.project(positions)
    visible = present & model.in_view(positions)
    misses = np.interp(true[..., 2], (0, DEPTH_LIMITS_M[1]), MISS_SHARES)
    seen = visible & ~_hidden(true, visible) & (rng.random(visible.shape) > misses)
    return _noisy(rng, true), seen, _tracks(seen)


def _hidden(boxes: Array, visible: MaskArray) -> MaskArray:
    """Mask (F, people) of those whom one nearer person hides."""
    centre, size, depth = boxes[..., :2], boxes[..., 3:], boxes[..., 2]
    low, high = centre - size / 2, centre + size / 2
    overlap = np.clip(np.minimum(high[:, :, None], high[:, None]) -
                      np.maximum(low[:, :, None], low[:, None]), 0, None).prod(axis=-1)
    covers = overlap > OCCLUDED_SHARE * size.prod(axis=-1)[:, :, None]
    nearer = (depth[:, None] < depth[:, :, None]) & visible[:, None]
    return np.asarray((covers & nearer).any(axis=2))


def _noisy(rng: Generator, boxes: Array) -> Array:
    noisy = boxes.copy()
    jitter = PIXEL_JITTER * boxes[..., 4:] * rng.normal(size=(*boxes.shape[:2], 4))
    noisy[..., [0, 1, 3, 4]] += jitter
    depth, shape = boxes[..., 2], boxes.shape[:2]
    linear, square = DEPTH_NOISE
    noisy[..., 2] += (linear * depth + square * depth**2) * rng.normal(size=shape)
    noisy[..., 2] += (rng.random(shape) < OUTLIER_SHARE) * rng.uniform(*OUTLIER_M, shape)
    noisy[rng.random(shape) < UNKNOWN_DEPTH_SHARE, 2] = np.nan
    noisy[..., 3:] = np.maximum(noisy[..., 3:], 1)
    return noisy


def _tracks(seen: MaskArray) -> npt.NDArray[np.intp]:
    """Track numbers (F, people) in order of appearance; 0 where unseen."""
    frame = np.arange(len(seen))[:, None]
    last = np.maximum.accumulate(np.where(seen, frame, -len(seen) * 10), axis=0)
    before = np.concatenate([np.full((1, seen.shape[1]), -len(seen) * 10), last[:-1]])
    new = seen & (frame - before > TRACK_TIMEOUT_S * FRAME_HZ)
    number = np.cumsum(new.ravel()).reshape(new.shape) * new
    return np.maximum.accumulate(number, axis=0) * seen
