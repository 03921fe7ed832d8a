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

"""Geometric baselines: back-projected boxes, and the last bearing with the newest range."""

import numpy as np

from utt_ros.evaluation.baselines.settings import BaselineSettings
from utt_ros.evaluation.ground_truth import SubjectTrajectory, TrackEstimate
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, MaskArray


def back_projection(area: AreaSettings, walk: SubjectTrajectory) -> TrackEstimate:
    """Back-project each box by its depth; NaN at ticks without a box."""
    with np.errstate(invalid='ignore', divide='ignore'):
        position = CameraModel(area).back_project(walk.camera)
    position[~walk.camera_mask] = np.nan
    return without_covariance(position)


def bearing_and_range(
    area: AreaSettings, walk: SubjectTrajectory, settings: BaselineSettings,
) -> TrackEstimate:
    """Locate the subject on the last bearing of the camera, at the newest range [D].

    The point of the ray p = t u, t >= 0, at the distance of the range from the access point; where
    the ray misses that circle, the point of the ray closest to it.
    """
    last = hold_last(back_projection(area, walk).position.astype(np.float64), walk.camera_mask)
    ray = last / np.linalg.norm(last, axis=1, keepdims=True)
    ranges = hold_last(walk.ftm[:, :1].astype(np.float64), walk.ftm_mask)[:, 0]
    distance = horizontal_distance(ranges, area, settings)
    ap = np.asarray(area.ap_position[:2])
    along = ray @ ap
    half = np.sqrt(np.maximum(along**2 - ap @ ap + distance**2, 0.0))
    return without_covariance(ray * np.maximum(along + half, 0.0)[:, None])


def hold_last(values: Array, mask: MaskArray) -> Array:
    """Repeat the newest row (T, F) for which the mask is true; NaN before the first."""
    newest = np.maximum.accumulate(np.where(mask, np.arange(len(mask)), -1))
    held: Array = np.where(newest[:, None] >= 0, values[newest], np.nan)
    return held


def horizontal_distance(ranges: Array, area: AreaSettings, settings: BaselineSettings) -> Array:
    """Convert ranges (...) [m] to horizontal distances from the access point."""
    slant = (ranges - settings.range_offset) / (1 + settings.range_slope)
    rise = area.ap_position[2] - area.phone_height
    return np.asarray(np.sqrt(np.maximum(np.maximum(slant, 0.0)**2 - rise**2, 0.25)))


def without_covariance(position: Array) -> TrackEstimate:
    """Make a track of positions (T, 2) without covariance."""
    covariance = np.full((*position.shape, 2), np.nan, np.float32)
    return TrackEstimate(position.astype(np.float32), covariance)
