"""Columns of training examples: arrays of equal length, by name."""

from typing import Any

import numpy as np
import numpy.typing as npt

CENTRE = 'centre_px'  # (N,) image column about which paths can be mirrored; NaN: not mirrored

Columns = dict[str, npt.NDArray[Any]]
"""A modality's values under its name, its mask under '<name>_mask', and the fields of MotionLabels
and of StrideHarmonics."""


def take(columns: Columns, rows: npt.NDArray[np.intp] | slice) -> Columns:
    """Select rows of every column."""
    return {name: values[rows] for name, values in columns.items()}
