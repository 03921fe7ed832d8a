"""Left and right exchanged: who turns left might as well have turned right [D].

People, and how they hold a phone, stay as they are; their paths are mirrored about the middle of
the view. So a model meets twice as many paths.
"""

from collections.abc import Callable, Collection

import numpy as np

from utt_ros.geometry.compass import mirror_path
from utt_ros.training.dataset import CENTRE, Columns
from utt_ros.types import FloatArray, MaskArray

Mirror = Callable[[Columns, str, float], FloatArray]
"""What a modality of some columns, and its rows' period [s], is on the mirrored paths."""


def _boxes(columns: Columns, name: str, _: float) -> FloatArray:
    """Boxes (N, T, 5) on the other side of the middle column; sizes and depths stay."""
    boxes: FloatArray = columns[name].copy()
    boxes[..., 0] = 2 * columns[CENTRE][:, None] - boxes[..., 0]
    return boxes


def _ranges(columns: Columns, name: str, _: float) -> FloatArray:
    return columns[name]


def _phones(columns: Columns, name: str, row_period_s: float) -> FloatArray:
    return mirror_path(columns[name], columns[f'{name}_mask'], row_period_s)


MIRRORS: dict[str, Mirror] = {'camera': _boxes, 'ftm': _ranges, 'imu': _phones}


def mirror_some(
    columns: Columns, names: Collection[str], row_period_s: float, some: MaskArray,
) -> Columns:
    """The columns with `some` (N,) mirrored; as they are when one of `names` has no mirror.

    What is masked changes as well, and counts nowhere.
    """
    rows = np.flatnonzero(some & np.isfinite(columns[CENTRE]))
    if not len(rows) or not MIRRORS.keys() >= set(names):
        return columns
    chosen = {name: values[rows] for name, values in columns.items()}
    found = dict(columns)
    for name in names:
        found[name] = columns[name].copy()
        found[name][rows] = MIRRORS[name](chosen, name, row_period_s)
    return found
