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

"""Simulated camera outages: recorded ticks with the camera masked at intervals."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from utt_ros.evaluation.ground_truth import SubjectTrajectory
from utt_ros.training.recordings import RecordedSequence
from utt_ros.types import FURTHER_RANGES, MaskArray, Stamps, SyncedBatch

BETWEEN_S = 10.0  # of a working camera before each outage
MAX_IN_VIEW_AGE_S = 1.0  # of the last box of a subject who is in view when an outage begins


def outage_mask(stamps_ns: Stamps, length_s: float) -> MaskArray:
    """Mask ticks (T,) of outages: `length_s` after every `BETWEEN_S`; inf: all ticks."""
    if np.isinf(length_s):
        return np.ones(len(stamps_ns), bool)
    seconds = (stamps_ns - stamps_ns[0]) / 1e9
    return np.asarray(seconds % (BETWEEN_S + length_s) >= BETWEEN_S)


def mask_camera(batches: Sequence[SyncedBatch], off: MaskArray) -> list[SyncedBatch]:
    """Mask the camera of the ticks `off` (T,); they become clock ticks."""
    return [
        replace(batch, camera_tick=False, camera=np.zeros_like(batch.camera),
                camera_mask=np.zeros_like(batch.camera_mask)) if masked else batch
        for batch, masked in zip(batches, off, strict=True)]


def mask_modality(
    batches: Sequence[SyncedBatch], name: str, off: MaskArray,
) -> list[SyncedBatch]:
    """Mask a modality at the ticks `off` (T,)."""
    if name == 'camera':
        return mask_camera(batches, off)
    masks = {'ftm': ('ftm_mask', 'further_ftm_mask'), 'imu': ('imu_mask',)}[name]
    return [
        replace(batch, **{part: np.zeros_like(getattr(batch, part)) for part in masks})
        if masked else batch for batch, masked in zip(batches, off, strict=True)]


def keep_access_points(recording: RecordedSequence, count: int) -> RecordedSequence:
    """Remove the access points after the first `count`, and their ranges."""
    if len(recording.area.access_points) <= count:
        return recording
    batches = tuple(
        replace(batch, **{name: getattr(batch, name)[:, :count - 1] for name in FURTHER_RANGES})
        for batch in recording.batches)
    area = replace(recording.area, access_points=recording.area.access_points[:count])
    return replace(recording, area=area, batches=batches)


def mask_trajectory_camera(walk: SubjectTrajectory, off: MaskArray) -> SubjectTrajectory:
    """Mask the camera of a trajectory; `off` refers to the ticks of its session."""
    return replace(walk, camera_mask=walk.camera_mask & ~off[walk.ticks])


def in_outage(walk: SubjectTrajectory, off: MaskArray) -> MaskArray:
    """Ticks (T,) in outages that began while the subject was in view."""
    masked = off[walk.ticks]
    age = walk.camera_age_s(walk.camera_mask & ~masked)
    begin = np.flatnonzero(np.diff(off.astype(np.int8), prepend=0) > 0)  # session ticks
    number = np.searchsorted(begin, walk.ticks, side='right') - 1
    selected = np.zeros(len(masked), bool)
    for outage in np.unique(number[masked]):
        rows = np.flatnonzero(masked & (number == outage))
        selected[rows] = age[rows[0]] <= MAX_IN_VIEW_AGE_S
    return selected
