"""Dynamic time warping of many pairs of sequences at once."""

import numpy as np
import numpy.typing as npt

from utt_ros.records import MaskArray

Array = npt.NDArray[np.float64]


def warp(local: Array, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> Array:
    """Cost of the best warping path (B,), divided by the lengths of both sequences.

    `local` (B, n, m) is how far element i of a pair's first sequence is from element j of its
    second; only the first `first` (B,) and `second` (B,) elements count. NaN where one is empty.
    Steps are (1, 0), (0, 1) and (1, 1) [S: Sakoe and Chiba 1978].
    """
    count, rows, columns = local.shape
    total = np.full((count, rows + 1, columns + 1), np.inf)
    total[:, 0, 0] = 0.0
    for diagonal in range(2, rows + columns + 1):
        i = np.arange(max(1, diagonal - columns), min(rows, diagonal - 1) + 1)
        j = diagonal - i
        before = np.minimum(total[:, i - 1, j], total[:, i, j - 1])
        before = np.minimum(before, total[:, i - 1, j - 1])
        total[:, i, j] = local[:, i - 1, j - 1] + before
    empty = (first == 0) | (second == 0)
    cost = total[np.arange(count), first, second] / np.maximum(first + second, 1)
    return np.where(empty, np.nan, cost)


def pack(values: Array, mask: MaskArray) -> tuple[Array, npt.NDArray[np.intp]]:
    """Move the elements (..., T) that the mask holds to the front; and their number (...)."""
    order = np.argsort(~mask, axis=-1, kind='stable')
    return np.take_along_axis(values, order, -1), mask.sum(-1)
