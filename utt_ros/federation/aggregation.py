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

"""Aggregation of the updates of a round into the next global model.

A rule takes the validated updates and the model they started from, and returns the next model.
Robust rules have the same form; a server optimizer may follow (`aggregation_rules`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from utt_ros.errors import ModelError
from utt_ros.federation.wire import Tensors
from utt_ros.types import FloatArray


@dataclass(frozen=True, slots=True)
class Contribution:
    """Validated update of one area in one round."""

    area: str
    tensors: Tensors  # only those that the area trained
    windows: int  # number of training windows
    modalities: tuple[str, ...] = ()  # as announced by the area


AggregationRule = Callable[[Sequence[Contribution], Tensors], dict[str, FloatArray]]
"""Contributions and the model that they started from -> next model."""


def average_equally(
    contributions: Sequence[Contribution], reference: Tensors,
) -> dict[str, FloatArray]:
    """Average with equal weights: line 20 of Algorithm 1 [P]."""
    return average([(item.tensors, 1.0) for item in contributions], reference)


def average_by_windows(
    contributions: Sequence[Contribution], reference: Tensors,
) -> dict[str, FloatArray]:
    """Average weighted by the number of windows [S: McMahan et al., AISTATS 2017]."""
    return average([(item.tensors, float(item.windows)) for item in contributions], reference)


def average(
    updates: Sequence[tuple[Tensors, float]], reference: Tensors,
) -> dict[str, FloatArray]:
    """Average each tensor over the updates that hold it, by weight; np.average in float64.

    Areas hold different modalities, so a tensor is averaged over the areas that trained it [R]. A
    tensor in no update stays that of the reference (the same array, not a copy).

    Raises ModelError when there is no update, a weight is negative or not finite, the weights of a
    tensor add up to zero, or a tensor is unknown or of another shape than in the reference.
    """
    if not updates:
        raise ModelError('there are 0 updates: an average needs at least 1')
    for tensors, weight in updates:
        if not (isfinite(weight) and weight >= 0.0):
            raise ModelError(f'a weight is {weight}: it must be finite and at least 0')
        unknown = sorted(set(tensors) - set(reference))
        if unknown:
            raise ModelError(f'tensor {unknown[0]!r} is not in the reference model')
    return {name: _average_tensor(name, updates, reference[name]) for name in sorted(reference)}


def _average_tensor(
    name: str, updates: Sequence[tuple[Tensors, float]], reference: FloatArray,
) -> FloatArray:
    weighted = [(tensors[name], weight) for tensors, weight in updates if name in tensors]
    if not weighted:
        return reference
    total = sum(weight for _, weight in weighted)
    if total == 0.0:
        raise ModelError(f'the weights of tensor {name!r} add up to 0: they must be above 0')
    result = np.zeros(reference.shape)
    scaled = np.empty(reference.shape)
    for tensor, weight in weighted:
        if tensor.shape != reference.shape:
            raise ModelError(
                f'tensor {name!r} has shape {tensor.shape}: it must be {reference.shape}'
            )
        np.multiply(tensor, weight, out=scaled, dtype=np.float64)
        result += scaled
    result /= total
    return result.astype(np.float32)
