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

"""Training examples: windows with motion and stride labels, as columns."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from utt_ros.geometry.ap_geometry import ap_geometry
from utt_ros.geometry.compass import rotate_magnetic_field
from utt_ros.motion.gait import fit_stride_harmonics
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.columns import CENTRE, Columns, concatenate_columns
from utt_ros.training.labels import motion_labels
from utt_ros.types import AP_GEOMETRY, FURTHER_FTM, FloatArray, SyncedBatch, Windows

MAX_AP_OFFSET_M = 0.3  # lateral offset of an access point up to which mirrored ranges hold


def make_examples(windows: Windows, area: AreaSettings, window: WindowSettings) -> Columns:
    """Return the first T ticks of windows of T + H ticks, with labels from all of their ticks.

    Magnetic fields are rotated to the area frame, as models read and synthesize them everywhere.
    """
    columns: Columns = {}
    for name, values in windows.values.items():
        rows = values.shape[1] * window.ticks // (window.ticks + window.horizon)
        columns[name] = values[:, :rows]
        columns[f'{name}_mask'] = windows.masks[name][:, :rows]
    row_s = window.period / window.imu_rows
    if 'imu' in columns:
        columns['imu'] = rotate_magnetic_field(
            columns['imu'], columns['imu_mask'], row_s, area.magnetic_yaw)
    columns[CENTRE] = np.full(len(windows), mirror_column(area), np.float32)
    if FURTHER_FTM in columns:
        columns[AP_GEOMETRY] = repeat_geometry(area, columns[FURTHER_FTM])
    stride = fit_stride_harmonics(
        windows.values['imu'], windows.masks['imu'], window.ticks * window.imu_rows - 1, row_s)
    labels = (motion_labels(windows, area, window), stride)
    return columns | {name: getattr(part, name) for part in labels for name in part.__slots__}


def repeat_geometry(area: AreaSettings, further_ftm: FloatArray) -> FloatArray:
    """Return the geometry (N, A + 1, 3) of an area's access points for ranges (N, T, A, 2)."""
    geometry = ap_geometry(area, further_ftm.shape[2] + 1)
    return np.repeat(geometry[None], len(further_ftm), axis=0)


def mirror_column(area: AreaSettings) -> float:
    """Return the principal column [px]; NaN where a mirrored path would have other ranges."""
    return area.cx if abs(area.ap_position[1]) <= MAX_AP_OFFSET_M else float('nan')


def mask_uncertain_boxes(batch: SyncedBatch, min_association: float) -> SyncedBatch:
    """Mask boxes whose association probability is below `min_association`."""
    certain = batch.camera_mask & (batch.association >= np.float32(min_association))
    if np.array_equal(certain, batch.camera_mask):
        return batch
    return replace(batch, camera=batch.camera * certain[:, None], camera_mask=certain)


def concatenate_windows(pieces: Sequence[Windows]) -> Windows:
    """Concatenate at least one set of windows, whose numbers of access points may differ."""
    return Windows(
        np.concatenate([piece.stamps_ns for piece in pieces]),
        tuple(name for piece in pieces for name in piece.subjects),
        concatenate_columns([piece.values for piece in pieces]),
        concatenate_columns([piece.masks for piece in pieces]))


def merge_windows(pieces: Sequence[Windows], max_windows: int) -> Iterator[Windows]:
    """Concatenate consecutive sets of windows, up to `max_windows` or to a set that has more."""
    begin = count = 0
    for end, piece in enumerate(pieces):
        if end > begin and count + len(piece) > max_windows:
            yield concatenate_windows(pieces[begin:end])
            begin, count = end, 0
        count += len(piece)
    if begin < len(pieces):
        yield concatenate_windows(pieces[begin:])
