"""Dynamic time warping of many pairs of sequences at once."""

import numpy as np
import numpy.typing as npt

from utt_ros.types import Array, MaskArray


def warp(local: Array, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> Array:
    """Cost of the best warping path (B,), divided by the lengths of both sequences.

    `local` (B, n, m) is how far element i of a pair's first sequence is from element j of its
    second; only the first `first` (B,) and `second` (B,) elements count. NaN where one is empty.
    Steps are (1, 0), (0, 1) and (1, 1) [S: Sakoe and Chiba 1978].
    """
    count, rows, columns = local.shape
    total = np.full((count, (rows + 1) * (columns + 1)), np.inf)
    total[:, 0] = 0.0
    flat = local.reshape(count, rows * columns)
    # A diagonal is a slice of a flattened matrix: no index arrays, all pairs at once.
    for diagonal in range(2, rows + columns + 1):
        low, high = max(1, diagonal - columns), min(rows, diagonal - 1)

        def cells(row: int, along: int, low: int = low, high: int = high) -> slice:
            begin = (low - row) * columns + along
            return slice(begin, begin + (high - low) * columns + 1, columns)
        here = low * (columns - 1) - columns + diagonal - 1
        step = max(columns - 1, 1)
        before = np.minimum(total[:, cells(1, diagonal - 1)], total[:, cells(0, diagonal - 1)])
        before = np.minimum(before, total[:, cells(1, diagonal - 2)])
        total[:, cells(0, diagonal)] = before + flat[
            :, here:here + (high - low) * step + 1:step]
    empty = (first == 0) | (second == 0)
    ends = total[np.arange(count), first * (columns + 1) + second]
    return np.where(empty, np.nan, ends / np.maximum(first + second, 1))


def pack(values: Array, mask: MaskArray) -> tuple[Array, npt.NDArray[np.intp]]:
    """Move the elements (..., T) that the mask holds to the front; and their number (...)."""
    order = np.argsort(~mask, axis=-1, kind='stable')
    return np.take_along_axis(values, order, -1), mask.sum(-1)
