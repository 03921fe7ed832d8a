"""How the networks of the baselines see measurements: per step, scaled, zeros where masked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from utt_ros.models.modalities import modality
from utt_ros.types import FloatArray, MaskArray


def scale(name: str, values: FloatArray, mask: MaskArray) -> FloatArray:
    """Values (..., F) of a modality brought to order 1, and 0 where the mask (...) is false."""
    known = modality(name)
    offset, unit = (np.array(part, np.float32) for part in (known.offset, known.scale))
    return np.where(mask[..., None], (values - offset) / unit, np.float32(0.0))


def means(values: FloatArray, mask: MaskArray, steps: int) -> tuple[FloatArray, MaskArray]:
    """Masked means (N, steps, F) over equal pieces of (N, T, F), and where there is one.

    T must be a multiple of `steps`.
    """
    count, ticks, channels = values.shape
    pieces = values.reshape(count, steps, ticks // steps, channels)
    use = mask.reshape(count, steps, ticks // steps, 1)
    number = use.sum(2)
    total = np.where(use, pieces, 0.0).sum(2)
    return (total / np.maximum(number, 1)).astype(np.float32), np.asarray(number[..., 0] > 0)


Item = dict[str, npt.NDArray[Any]]
"""Arrays of one example, or of several with a first axis."""


def stack(items: Sequence[Item]) -> Item:
    """Examples of equal shapes as one."""
    return {name: np.stack([item[name] for item in items]) for name in items[0]}
