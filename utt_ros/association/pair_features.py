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

"""Pair features (K, P, F) for track-to-phone association, over one window.

All features begin at the tick at which a track was first seen, so that tracks of any age are
judged by the time that they share with each phone. No feature uses a label.
"""

from dataclasses import dataclass

import numpy as np

from utt_ros.association.candidates import Candidates
from utt_ros.association.dead_reckoning import window_headings
from utt_ros.association.model_evidence import (
    ModelEvidence,
    no_model_evidence,
    query_model,
    windows_ending_at,
)
from utt_ros.association.track_kinematics import (
    MIN_SPEED_MPS,
    TrackKinematics,
    estimate_kinematics,
)
from utt_ros.association.translator import Translator
from utt_ros.geometry.compass import rotate
from utt_ros.settings import AreaSettings
from utt_ros.types import CAMERA_CHANNELS, Array, FloatArray, Indices, MaskArray

FEATURE_NAMES = (
    'range_mean_m', 'range_rms_m', 'range_std_m',  # FTM minus the distance of the box
    'translated_range_mean_m', 'translated_range_rms_m',  # FTM minus the range from the model
    'heading_along', 'heading_across',  # mean direction of travel in the frame of the phone
    'velocity_rms_mps', 'velocity_surprise', 'speed_difference_mps',  # of the model's velocity
    'path_rms_m', 'straight_m',  # camera path minus the model's; length of the camera path
    'translated_column', 'translated_depth', 'translated_height',  # boxes minus the model's
    'ranges', 'seconds',  # amount of data
)
BOX_SCALE = np.array([350.0, 4.0, 55.0])  # of centre x [px], depth [m] and height [px]
BOX_CHANNELS = [0, 2, 4]
MAX_RANGE_RESIDUAL_M = 15.0  # residuals are clipped here


@dataclass(frozen=True, slots=True)
class TranslatedVelocity:
    """Velocities of P phones at E instants from the model, area frame."""

    ends: Indices  # (E,) ticks, each one past the instant
    velocity: Array  # (P, E, 2) [m/s]
    std: Array  # (P, E)
    known: MaskArray  # (P, E)


def compute_pair_features(
    candidates: Candidates, area: AreaSettings, translator: Translator, heading_bias: float = 0.0,
) -> FloatArray:
    """Query the model and return pair features (K, P, F), ordered as FEATURE_NAMES; NaN: unknown.

    `heading_bias` [rad] is subtracted from every compass heading.
    """
    compass = window_headings(candidates, area.magnetic_yaw + heading_bias)
    evidence = query_model(
        candidates, compass[1], translator, area.magnetic_yaw,
    ) if candidates.track_ids and candidates.phones else no_model_evidence(candidates)
    return pair_features(candidates, area, compass, evidence)


def pair_features(
    candidates: Candidates, area: AreaSettings, compass: tuple[FloatArray, MaskArray],
    evidence: ModelEvidence,
) -> FloatArray:
    """Return pair features (K, P, F), ordered as FEATURE_NAMES; NaN: unknown.

    `compass`: headings of the phones (P, T) [rad] and their validity (P, T).
    """
    features = np.full(
        (len(candidates.track_ids), len(candidates.phones), len(FEATURE_NAMES)), np.nan)
    if not features.size:
        return features.astype(np.float32)
    tracks = estimate_kinematics(candidates, area)
    with np.errstate(invalid='ignore', divide='ignore'):
        features[..., 0:3], features[..., 15] = _range_residuals(
            candidates, tracks.distance, tracks.inside)
        translated, _ = _range_residuals(
            candidates, evidence.ranges.astype(np.float64), tracks.inside & evidence.ranged)
        features[..., 3:5] = translated[..., :2]
        features[..., 5:7] = _directions(tracks, *compass)
        features[..., 7:12] = _velocity_residuals(
            candidates, tracks, _to_area_frame(evidence, compass[0]))
        features[..., 12:15] = _box_residuals(candidates, evidence.ends, evidence.boxes)
    features[..., 16] = candidates.period * tracks.inside.sum(1)[:, None]
    return features.astype(np.float32)


def _mean(values: Array, use: MaskArray) -> Array:
    """Return the mean of the selected values over the last axis; NaN where none is selected."""
    count = use.sum(-1)
    total = np.where(use, values, 0.0).sum(-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _range_residuals(
    candidates: Candidates, distance: Array, inside: MaskArray,
) -> tuple[Array, Array]:
    """Return mean, RMS and std of FTM minus `distance` (K, P, 3), and the counts (K, P)."""
    use = candidates.ftm_mask[None] & inside[:, None]  # (K, P, T)
    residual = np.clip(
        candidates.ftm[None, :, :, 0] - np.nan_to_num(distance)[:, None],
        -MAX_RANGE_RESIDUAL_M, MAX_RANGE_RESIDUAL_M)
    mean, square = _mean(residual, use), _mean(residual**2, use)
    std = np.sqrt(np.maximum(square - mean**2, 0.0))
    return np.stack([mean, np.sqrt(square), std], axis=-1), np.asarray(use.sum(-1), np.float64)


def _directions(tracks: TrackKinematics, angles: FloatArray, valid: MaskArray) -> Array:
    """Return the mean direction of travel, along and across the phone's heading (K, P, 2)."""
    moving = np.linalg.norm(tracks.velocity, axis=-1) > MIN_SPEED_MPS
    course = np.arctan2(tracks.velocity[..., 1], tracks.velocity[..., 0])
    turn = course[:, None] - angles[None]  # (K, P, T)
    use = moving[:, None] & valid[None]
    return np.stack([_mean(np.cos(turn), use), _mean(np.sin(turn), use)], axis=-1)


def _to_area_frame(evidence: ModelEvidence, headings: FloatArray) -> TranslatedVelocity:
    angle = headings[:, evidence.ends - 1]
    std = np.hypot(evidence.std[..., 0], evidence.std[..., 1]) / np.sqrt(2)
    return TranslatedVelocity(
        evidence.ends, rotate(evidence.velocity, angle), std, evidence.known)


def _velocity_residuals(
    candidates: Candidates, tracks: TrackKinematics, translated: TranslatedVelocity,
) -> Array:
    """Return the five features (K, P, 5) of velocity and path."""
    ends, velocity, std, known = (
        translated.ends, translated.velocity, translated.std, translated.known)
    measured = tracks.velocity[:, None, ends - 1]  # (K, 1, E, 2)
    use = np.isfinite(measured).all(-1) & known[None]  # (K, P, E)
    residual = np.where(use[..., None], measured - velocity[None], 0.0)
    square = (residual**2).sum(-1)
    speeds = np.linalg.norm(np.nan_to_num(measured), axis=-1) - np.linalg.norm(velocity, axis=-1)
    surprise = square / std[None]**2 / 2 + 2 * np.log(std[None])
    step = np.diff(ends, prepend=0)[:, None] * candidates.period
    path = np.cumsum(np.where(known[..., None], velocity, 0.0) * step, axis=1)[None]
    gap = np.where(use[..., None], np.nan_to_num(tracks.position[:, None, ends - 1]) - path, 0.0)
    centred = gap - np.stack([_mean(gap[..., axis], use) for axis in (0, 1)], -1)[:, :, None]
    path_rms = np.sqrt(_mean((centred**2).sum(-1), use))
    straight = np.nansum(np.linalg.norm(tracks.velocity, axis=-1), axis=1) * candidates.period
    return np.stack([
        np.sqrt(_mean(square, use)), _mean(surprise, use), np.abs(_mean(speeds, use)), path_rms,
        np.broadcast_to(straight[:, None], path_rms.shape)], axis=-1)


def _box_residuals(candidates: Candidates, ends: Indices, boxes: FloatArray) -> Array:
    """Return the RMS (K, P, 3) of measured minus translated boxes (P, E, T', 5), scaled."""
    ticks = boxes.shape[2]
    mask = windows_ending_at(candidates.boxes_mask, ends, ticks, 1).reshape(
        len(candidates.boxes), -1)  # (K, E T')
    measured = windows_ending_at(candidates.boxes, ends, ticks, 1).reshape(
        *mask.shape, len(CAMERA_CHANNELS))
    count = mask.sum(1, keepdims=True)
    residuals = []
    for channel, scale in zip(BOX_CHANNELS, BOX_SCALE, strict=True):
        track = np.where(mask, measured[..., channel] / scale, 0.0)
        phone = (boxes[..., channel] / scale).reshape(len(boxes), -1)  # (P, E T')
        square = (track**2).sum(1)[:, None] - 2.0 * track @ phone.T + mask @ (phone**2).T
        residuals.append(np.sqrt(np.where(count, np.maximum(square, 0.0) / count, np.nan)))
    return np.stack(residuals, axis=-1)
