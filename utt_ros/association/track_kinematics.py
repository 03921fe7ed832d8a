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

"""Positions and velocities of camera tracks in the area frame."""

from dataclasses import dataclass

import numpy as np

from utt_ros.association.candidates import Candidates
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, MaskArray

TRACK_VELOCITY_SPAN_S = 0.8  # to either side of a tick, for the line that gives the velocity
MIN_SPEED_MPS = 0.3  # below it the direction of travel is undefined


@dataclass(frozen=True, slots=True)
class TrackKinematics:
    """K tracks in the area frame; NaN before a track was first seen."""

    position: Array  # (K, T, 2) [m], gaps filled by straight lines
    distance: Array  # (K, T) from the access point [m]
    velocity: Array  # (K, T, 2) [m/s]
    inside: MaskArray  # (K, T) from the tick at which the track was first seen


def estimate_kinematics(candidates: Candidates, area: AreaSettings) -> TrackKinematics:
    """Return positions, distances and velocities of the candidates' tracks."""
    located, _ = CameraModel(area).locate(candidates.boxes)
    ticks = np.arange(candidates.ticks)
    position = np.full((len(candidates.boxes), candidates.ticks, 2), np.nan)
    inside = np.zeros(position.shape[:2], bool)
    for row, mask in enumerate(candidates.boxes_mask):
        measured = np.flatnonzero(mask & np.isfinite(located[row]).all(1))
        if measured.size:
            inside[row] = ticks >= measured[0]
            for axis in (0, 1):
                position[row, :, axis] = np.interp(ticks, measured, located[row, measured, axis])
    x, y, z = area.ap_position
    ground = np.hypot(position[..., 0] - x, position[..., 1] - y)
    span = max(1, round(TRACK_VELOCITY_SPAN_S / candidates.period))
    velocity = _slopes(position, inside, span) / candidates.period
    return TrackKinematics(position, np.hypot(ground, z - area.phone_height), velocity, inside)


def _slopes(position: Array, inside: MaskArray, span: int) -> Array:
    """Fit lines to the points up to `span` ticks away; return slopes (K, T, 2) per tick."""
    weight = np.where(inside, 1.0, 0.0)
    values = np.where(inside[..., None], position, 0.0)
    kernel = np.ones(2 * span + 1)
    ticks = np.arange(position.shape[1], dtype=np.float64)

    def moving_sum(rows: Array) -> Array:
        padded = np.pad(rows, ((0, 0), (span, span)))
        return np.stack([np.convolve(row, kernel, 'valid') for row in padded])

    total, first = moving_sum(weight), moving_sum(weight * ticks)
    second = moving_sum(weight * ticks**2)
    slopes = np.empty_like(position)
    for axis in (0, 1):
        level = moving_sum(weight * values[..., axis])
        moment = moving_sum(weight * values[..., axis] * ticks)
        determinant = total * second - first**2
        slopes[..., axis] = np.where(
            determinant > 1e-6, (total * moment - first * level)
            / np.where(determinant > 1e-6, determinant, 1.0), np.nan)
    return np.where(inside[..., None], slopes, np.nan)
