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

"""Model evidence for association: velocities, boxes and ranges translated by the unified model."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from utt_ros.association.candidates import Candidates
from utt_ros.association.translator import Translator
from utt_ros.geometry.compass import rotate_magnetic_field
from utt_ros.types import CAMERA_CHANNELS, FloatArray, Indices, MaskArray

Values = npt.NDArray[Any]

QUERY_PERIOD_S = 1.0  # between the windows for which the model is queried


@dataclass(frozen=True, slots=True)
class ModelEvidence:
    """Translations of P phones at E instants, and ranges expected for K tracks."""

    ends: Indices  # (E,) ticks, each one past the last of a window of T' ticks
    velocity: FloatArray  # (P, E, 2) at the end of each window, heading frame [m/s]
    std: FloatArray  # (P, E, 2)
    known: MaskArray  # (P, E)
    boxes: FloatArray  # (P, E, T', 5) of each window
    ranges: FloatArray  # (K, T) [m]
    ranged: MaskArray  # (K, T)


def query_model(
    candidates: Candidates, heading_valid: MaskArray, translator: Translator, magnetic_yaw: float,
) -> ModelEvidence:
    """Translate all windows: of phones one per QUERY_PERIOD_S, of tracks those side by side."""
    step = round(QUERY_PERIOD_S / candidates.period)
    ends = np.arange(candidates.ticks, 0, -step)[::-1]
    phones = translator.translate_phones(
        *phone_windows(candidates, ends, translator.ticks, magnetic_yaw),
        heading_valid[:, ends - 1].reshape(-1))
    shape = (len(candidates.phones), len(ends))
    boxes, mask = (tile_windows(values, translator.ticks)
                   for values in (candidates.boxes, candidates.boxes_mask))
    ranges = translator.translate_tracks(
        boxes.reshape(-1, *boxes.shape[2:]), mask.reshape(-1, mask.shape[2]))
    return ModelEvidence(
        ends, phones.velocity.reshape(*shape, 2), phones.velocity_std.reshape(*shape, 2),
        heading_valid[:, ends - 1], phones.boxes.reshape(*shape, translator.ticks, -1),
        ranges[..., 0].reshape(len(mask), -1)[:, -candidates.ticks:],
        np.repeat(mask.any(2), translator.ticks, axis=1)[:, -candidates.ticks:])


def no_model_evidence(candidates: Candidates) -> ModelEvidence:
    """Return the evidence before a model is deployed: no instants, no ranges."""
    none = (len(candidates.phones), 0)
    return ModelEvidence(
        np.zeros(0, np.intp), np.zeros((*none, 2), np.float32), np.zeros((*none, 2), np.float32),
        np.zeros(none, bool), np.zeros((*none, 1, len(CAMERA_CHANNELS)), np.float32),
        np.zeros(candidates.boxes_mask.shape, np.float32),
        np.zeros(candidates.boxes_mask.shape, bool))


def phone_windows(
    candidates: Candidates, ends: Indices, ticks: int, magnetic_yaw: float,
) -> tuple[FloatArray, MaskArray, FloatArray, MaskArray]:
    """Cut windows (P * E, ...) of FTM and IMU, with masks, that end before the ticks `ends`.

    Magnetic fields are rotated into the area frame, as models expect them.
    """
    rows = candidates.imu_rows
    ftm, ftm_mask, imu, imu_mask = (
        windows_ending_at(values, ends, ticks, per_tick).reshape(
            -1, ticks * per_tick, *values.shape[2:])
        for values, per_tick in (
            (candidates.ftm, 1), (candidates.ftm_mask, 1), (candidates.imu, rows),
            (candidates.imu_mask, rows)))
    rotated = rotate_magnetic_field(imu, imu_mask, candidates.period / rows, magnetic_yaw)
    return ftm, ftm_mask, rotated, imu_mask


def windows_ending_at(values: Values, ends: Indices, ticks: int, per_tick: int) -> Values:
    """Cut windows (N, E, ticks * per_tick, ...) that end before each tick; zeros before tick 0."""
    rows = ticks * per_tick
    padded = np.concatenate([np.zeros_like(values[:, :1]).repeat(rows, 1), values], axis=1)
    index = (ends * per_tick)[:, None] + np.arange(rows)
    return np.asarray(padded[:, index])


def tile_windows(values: Values, ticks: int) -> Values:
    """Cut adjacent windows (N, E, ticks, ...), aligned to the end; zeros before the first tick."""
    ends = np.arange(values.shape[1], 0, -ticks)[::-1]
    return windows_ending_at(values, ends, ticks, 1)
