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

"""Inputs of the baseline networks: measurements per step, scaled, zeros where masked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from utt_ros.models.modalities import modality
from utt_ros.types import FloatArray, MaskArray


def scale_values(name: str, values: FloatArray, mask: MaskArray) -> FloatArray:
    """Scale values (..., F) of a modality to order 1; 0 where the mask (...) is false."""
    known = modality(name)
    offset, unit = (np.array(part, np.float32) for part in (known.offset, known.scale))
    return np.where(mask[..., None], (values - offset) / unit, np.float32(0.0))


def step_means(values: FloatArray, mask: MaskArray, steps: int) -> tuple[FloatArray, MaskArray]:
    """Masked means (N, steps, F) over equal parts of (N, T, F), and their mask (N, steps).

    T must be a multiple of `steps`.
    """
    count, ticks, channels = values.shape
    parts = values.reshape(count, steps, ticks // steps, channels)
    use = mask.reshape(count, steps, ticks // steps, 1)
    number = use.sum(2)
    total = np.where(use, parts, 0.0).sum(2)
    return (total / np.maximum(number, 1)).astype(np.float32), np.asarray(number[..., 0] > 0)


Example = dict[str, npt.NDArray[Any]]
"""Arrays of one example, or of several with a first axis."""


def stack_examples(items: Sequence[Example]) -> Example:
    """Stack examples of equal shapes."""
    return {name: np.stack([item[name] for item in items]) for name in items[0]}
