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

"""Features of windows for linear regression: statistics by channel, and products of them.

Per channel mean, slope and last value over the measured rows of a window. Beside the channels of
a modality: of boxes the position and the course, of ranges their inverse, of a phone the compass
heading, and where ranges are read as well the products of heading and range, since the bearing of
a person follows from the course and the change of the range [D].
"""

from collections.abc import Sequence

import numpy as np

from utt_ros.geometry.compass import compass_headings
from utt_ros.models.modalities import modality
from utt_ros.models.window_statistics import CENTRE_PX, FOCAL_PX, OFFSET_UNIT_M
from utt_ros.settings import WindowSettings
from utt_ros.training.columns import Columns
from utt_ros.training.offline_dataset import past
from utt_ros.types import Array, MaskArray

MIN_RANGE_M = 1.0
MIN_COURSE_SPEED_MPS = 0.3  # below, the course counts less


def window_features(
    columns: Columns, names: Sequence[str], window: WindowSettings,
) -> Array:
    """Return features (N, K) of the modalities `names`, which may be pasts.

    Columns are in the area frame, see `rotate_to_area_frame`.
    """
    parts = [_of_modality(columns, name, window) for name in names]
    for ftm, imu in (('ftm', 'imu'), (past('ftm'), past('imu'))):
        if ftm in names and imu in names:
            parts.append(_heading_times_range(columns, ftm, imu, window))
    return np.concatenate(parts, axis=1)


def _of_modality(columns: Columns, name: str, window: WindowSettings) -> Array:
    values, mask = _scaled(columns, name), columns[f'{name}_mask']
    if name.startswith('camera'):
        place = _places(columns, name) / OFFSET_UNIT_M
        values = np.concatenate(
            [values, place, np.linalg.norm(place, axis=2, keepdims=True)], axis=2)
    if name.startswith('ftm'):
        inverse = MIN_RANGE_M / np.maximum(columns[name][..., :1], MIN_RANGE_M)
        values = np.concatenate([values, inverse], axis=2)
    if name.startswith('imu'):
        values = np.concatenate([values, _heading_vectors(columns, name, window)], axis=2)
    mean, slope, last = row_statistics(values, mask)
    parts = [mean, slope, last, mask.mean(1, keepdims=True)]
    if name.startswith('camera'):
        parts.append(_course(columns, name, window))
    return np.concatenate(parts, axis=1)


def row_statistics(values: Array, mask: MaskArray) -> tuple[Array, Array, Array]:
    """Return mean, slope per half window, and last value (N, F) over measured rows (N, T)."""
    weight = mask[..., None].astype(np.float64)
    count = np.maximum(weight.sum(1), 1.0)
    position = np.linspace(-1.0, 1.0, mask.shape[1])[:, None]
    centred = (position - ((weight * position).sum(1) / count)[:, None]) * weight
    mean = (values * weight).sum(1) / count
    square = (centred**2).sum(1)
    slope = (values * centred).sum(1) / np.maximum(square, 1e-9) * (square > 1e-9)
    last = mask.shape[1] - 1 - mask[:, ::-1].argmax(1)
    return mean, slope, np.asarray(values[np.arange(len(values)), last], np.float64)


def _scaled(columns: Columns, name: str) -> Array:
    of = modality(name.removesuffix(past('')))
    return (columns[name].astype(np.float64) - of.offset) / of.scale


def _places(columns: Columns, name: str) -> Array:
    """Return depth and offset to the left (N, T, 2) [m] of boxes, by a usual camera."""
    boxes = columns[name].astype(np.float64)
    lateral = (CENTRE_PX - boxes[..., 0]) / FOCAL_PX * boxes[..., 2]
    return np.stack([boxes[..., 2], lateral], axis=2)


def _heading_vectors(columns: Columns, name: str, window: WindowSettings) -> Array:
    """Return cosine and sine (N, T, 2) of compass headings; 0 where unknown."""
    row_s = window.period / window.imu_rows
    heading, valid = compass_headings(columns[name], columns[f'{name}_mask'], row_s, 0.0)
    return np.stack([np.cos(heading), np.sin(heading)], axis=2) * valid[..., None]


def _course(columns: Columns, name: str, window: WindowSettings) -> Array:
    """Return the unit vector (N, 2) of the mean motion of boxes, shorter for slow ones."""
    _, slope, _ = row_statistics(_places(columns, name), columns[f'{name}_mask'])
    velocity = slope / (window.ticks * window.period / 2)
    return np.asarray(velocity / np.hypot(
        np.linalg.norm(velocity, axis=1, keepdims=True), MIN_COURSE_SPEED_MPS))


def _heading_times_range(
    columns: Columns, ftm: str, imu: str, window: WindowSettings,
) -> Array:
    """Return products (N, 12) of mean and last heading with mean, slope and their product."""
    heading_mean, _, heading = row_statistics(
        _heading_vectors(columns, imu, window), columns[f'{imu}_mask'])
    mean, slope, _ = row_statistics(_scaled(columns, ftm)[..., :1], columns[f'{ftm}_mask'])
    ranges = np.concatenate([mean, slope, mean * slope], axis=1)
    return np.concatenate([(part[:, :, None] * ranges[:, None]).reshape(len(part), -1)
                           for part in (heading_mean, heading)], axis=1)
