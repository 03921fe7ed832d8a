"""Windows of recordings as columns to learn from and to be judged on.

The past of a modality, its window just before, counts as a modality of its own: what direct
mapping reads, and what the unified model may read besides.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from torch import nn

from utt_ros.errors import SessionError
from utt_ros.evaluation.results import Names
from utt_ros.geometry.compass import turn_field
from utt_ros.models.modalities import REGISTRY, Modality, modality, register
from utt_ros.models.settings import ModelSettings
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.dataset import CENTRE, Columns, make_examples, mirror_column
from utt_ros.training.mirroring import MIRRORS
from utt_ros.training.recordings import Cut, Data
from utt_ros.types import MODALITIES

TRAIN_STRIDE = 5  # ticks; of training windows
VAL_STRIDE = 30
PAST = '_past'


def past(name: str) -> str:
    """The name of a modality's window before."""
    return f'{name}{PAST}'


def _no_decoder(_of: Modality, _model: ModelSettings, _window: WindowSettings) -> nn.Module:
    """The past is never asked for."""
    return nn.Module()


for _name in MODALITIES:
    if past(_name) not in REGISTRY:
        register(replace(modality(_name), name=past(_name), decoder=_no_decoder))
        MIRRORS[past(_name)] = MIRRORS[_name]


def unified_examples(data: Data, split: str, area: str | None, stride: int) -> Columns:
    """Windows of T ticks with the motion labels of the H ticks that follow.

    Raises SessionError when there is none.
    """
    found = []
    for name, settings in data.areas.items():
        if area in (None, name) and data.of(split, name):
            try:
                windows = data.windows(split, name, stride=stride).windows
            except SessionError:
                continue
            found.append(make_examples(windows, settings, data.shape))
    return _stack(found, split, area)


def paired_examples(data: Data, split: str, area: str | None, stride: int) -> Columns:
    """Windows of T ticks as they were measured and, under the names of `past`, the T ticks before.

    `magnetic_yaw` (N,) is that of their areas. Raises SessionError when there is none.
    """
    return _paired(data, data.windows(split, area, stride=stride, ticks=2 * data.shape.ticks))


def turned(columns: Columns, shape: WindowSettings) -> Columns:
    """Windows as a model reads them, of windows as they were measured; see `make_examples`."""
    row_s = shape.period / shape.imu_rows
    return columns | {
        name: turn_field(columns[name], columns[f'{name}_mask'], row_s, columns['magnetic_yaw'])
        for name in ('imu', past('imu')) if name in columns}


def judged(data: Data, split: str) -> tuple[Columns, Names, Names, npt.NDArray[np.int64]]:
    """Paired windows that do not overlap, their sequences, subjects and last stamps."""
    cut = data.windows(split, stride=data.shape.ticks, ticks=2 * data.shape.ticks)
    return (_paired(data, cut), cut.sequences, np.array(cut.windows.subjects),
            cut.windows.stamps_ns)


def _paired(data: Data, cut: Cut) -> Columns:
    columns: Columns = {
        'magnetic_yaw': _yaws(data, cut),
        CENTRE: _of_areas(data, cut, mirror_column).astype(np.float32)}
    for name, values in cut.windows.values.items():
        half = values.shape[1] // 2
        for title, rows in ((name, slice(half, None)), (past(name), slice(None, half))):
            columns[title] = values[:, rows]
            columns[f'{title}_mask'] = cut.windows.masks[name][:, rows]
    return columns


def plain_examples(data: Data, split: str) -> Columns:
    """Windows of T ticks that do not overlap, as they were measured."""
    cut = data.windows(split, ticks=data.shape.ticks)
    masks = {f'{name}_mask': mask for name, mask in cut.windows.masks.items()}
    return {**cut.windows.values, **masks, 'magnetic_yaw': _yaws(data, cut)}


def _yaws(data: Data, cut: Cut) -> npt.NDArray[np.float64]:
    return _of_areas(data, cut, lambda area: area.magnetic_yaw)


def _of_areas(
    data: Data, cut: Cut, say: Callable[[AreaSettings], float],
) -> npt.NDArray[np.float64]:
    """What is said (N,) of the areas that windows are of."""
    found = {name: say(area) for name, area in data.areas.items()}
    return np.array([found[name.partition('/')[0]] for name in cut.sequences], np.float64)


def _stack(found: list[Columns], split: str, area: str | None) -> Columns:
    if not found:
        raise SessionError(f'no {split} sequence is long enough for a window'
                           f'{f" in area {area!r}" if area else ""}')
    return {name: np.concatenate([each[name] for each in found]) for name in found[0]}
