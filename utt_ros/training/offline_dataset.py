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

"""Columns of recorded windows, for offline training and evaluation.

The past of a modality, its preceding window, is a modality of its own: the input of direct
mapping, and an optional input of the unified model.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from torch import nn

from utt_ros.errors import SessionError
from utt_ros.geometry.ap_geometry import ap_geometry
from utt_ros.geometry.compass import rotate_magnetic_field
from utt_ros.models.modalities import BUILTIN, Modality
from utt_ros.models.settings import ModelSettings
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.augmentation import MIRRORS
from utt_ros.training.columns import CENTRE, Columns, concatenate_columns
from utt_ros.training.dataset import make_examples, mirror_column
from utt_ros.training.recordings import Recordings, SequenceWindows
from utt_ros.types import AP_GEOMETRY, FURTHER_FTM, FloatArray, NameArray, Stamps

TRAIN_STRIDE = 5  # ticks between windows of the train split
VAL_STRIDE = 30
PAST = '_past'


def past(name: str) -> str:
    """Return the name of a modality's past."""
    return f'{name}{PAST}'


def _no_decoder(_of: Modality, _model: ModelSettings, _window: WindowSettings) -> nn.Module:
    """Stand in for a decoder: the past is never a target."""
    return nn.Module()


PAST_MODALITIES = tuple(
    replace(item, name=past(item.name), decoder=_no_decoder) for item in BUILTIN)
PAST_MIRRORS = {**MIRRORS, **{past(name): mirror for name, mirror in MIRRORS.items()}}


def unified_examples(data: Recordings, split: str, area: str | None, stride: int) -> Columns:
    """Return windows of T ticks with the motion labels of the H ticks that follow.

    Raises SessionError when there is none.
    """
    parts = []
    for name, settings in data.areas.items():
        if area in (None, name) and data.of(split, name):
            try:
                windows = data.windows(split, name, stride=stride).windows
            except SessionError:
                continue
            parts.append(make_examples(windows, settings, data.window))
    return _stack(parts, split, area)


def paired_examples(
    data: Recordings, split: str, area: str | None, stride: int, gap: int = 0,
) -> Columns:
    """Return windows of T ticks as measured and, under the names of `past`, the T ticks before.

    Between the two are `gap` ticks. `magnetic_yaw` (N,) is that of their areas. Raises
    SessionError when there is none.
    """
    ticks = 2 * data.window.ticks + gap
    return _paired(data, data.windows(split, area, stride=stride, ticks=ticks))


def rotate_to_area_frame(columns: Columns, window: WindowSettings) -> Columns:
    """Rotate measured fields to the area frame, as a model reads them; see `make_examples`."""
    row_s = window.period / window.imu_rows
    return columns | {
        name: rotate_magnetic_field(
            columns[name], columns[f'{name}_mask'], row_s, columns['magnetic_yaw'])
        for name in ('imu', past('imu')) if name in columns}


def evaluation_windows(
    data: Recordings, split: str, gap: int | None = None,
) -> tuple[Columns, NameArray, NameArray, Stamps]:
    """Return paired windows that do not overlap, their sequences, subjects and last stamps.

    With a `gap` of ticks between the two windows of a pair, pairs do not overlap either.
    """
    ticks = 2 * data.window.ticks + (gap or 0)
    cut = data.windows(split, stride=data.window.ticks if gap is None else ticks, ticks=ticks)
    return (_paired(data, cut), cut.sequences, np.array(cut.windows.subjects),
            cut.windows.stamps_ns)


def _paired(data: Recordings, cut: SequenceWindows) -> Columns:
    columns: Columns = {
        'magnetic_yaw': _yaws(data, cut),
        CENTRE: _per_area(data, cut, mirror_column).astype(np.float32)}
    for name, values in cut.windows.values.items():
        length = data.window.ticks * (data.window.imu_rows if name == 'imu' else 1)
        for title, rows in ((name, slice(-length, None)), (past(name), slice(None, length))):
            if title != past(FURTHER_FTM):
                columns[title] = values[:, rows]
                columns[f'{title}_mask'] = cut.windows.masks[name][:, rows]
    if FURTHER_FTM in columns:
        columns[AP_GEOMETRY] = _geometries(data, cut)
    return columns


def plain_examples(data: Recordings, split: str) -> Columns:
    """Return windows of T ticks that do not overlap, as measured."""
    cut = data.windows(split, ticks=data.window.ticks)
    masks = {f'{name}_mask': mask for name, mask in cut.windows.masks.items()}
    columns = {**cut.windows.values, **masks, 'magnetic_yaw': _yaws(data, cut)}
    if FURTHER_FTM in columns:
        columns[AP_GEOMETRY] = _geometries(data, cut)
    return columns


def _geometries(data: Recordings, cut: SequenceWindows) -> FloatArray:
    """Return the geometry (N, A + 1, 3) of the access points of the area of each window."""
    count = cut.windows.values[FURTHER_FTM].shape[2] + 1
    geometries = {name: ap_geometry(area, count) for name, area in data.areas.items()}
    found = np.zeros((len(cut), count, 3), np.float32)
    for row, name in enumerate(cut.sequences):
        of_area = geometries[name.partition('/')[0]]
        found[row, :len(of_area)] = of_area
    return found


def _yaws(data: Recordings, cut: SequenceWindows) -> npt.NDArray[np.float64]:
    return _per_area(data, cut, lambda area: area.magnetic_yaw)


def _per_area(
    data: Recordings, cut: SequenceWindows, value: Callable[[AreaSettings], float],
) -> npt.NDArray[np.float64]:
    """Return a value (N,) of the area of each window."""
    values = {name: value(area) for name, area in data.areas.items()}
    return np.array([values[name.partition('/')[0]] for name in cut.sequences], np.float64)


def _stack(parts: list[Columns], split: str, area: str | None) -> Columns:
    if not parts:
        raise SessionError(f'no {split} sequence is long enough for a window'
                           f'{f" in area {area!r}" if area else ""}')
    return concatenate_columns(parts)
