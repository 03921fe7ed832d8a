"""What files of Linux's industrial I/O hold. Pure; MeasurementError when it is something else."""

from math import isfinite

import numpy as np
import numpy.typing as npt

from utt_ros.errors import MeasurementError

Matrix = npt.NDArray[np.float64]


def number(data: bytes) -> float:
    """A raw value, a scale or an offset."""
    try:
        value = float(data)
    except ValueError as err:
        raise MeasurementError(f'{data[:40]!r} is no number') from err
    if not isfinite(value):
        raise MeasurementError(f'{data[:40]!r} is not finite')
    return value


def mount_matrix(data: bytes) -> Matrix:
    """A mount matrix such as b'0, 1, 0; -1, 0, 0; 0, 0, 1': (3, 3), sensor to device."""
    rows = [[number(cell) for cell in row.split(b',')] for row in data.split(b';')]
    if [len(row) for row in rows] != [3, 3, 3]:
        raise MeasurementError(f'{data[:60]!r} is no 3 x 3 matrix')
    return np.array(rows)
