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

"""Corruption of sources: ranges too long, a stranger's phone, a neighbour's boxes [D].

Live, ranges are reflected, and a phone or a box is taken for that of somebody else. Training and
evaluation corrupt windows in the same way; targets stay as measured.
"""

from collections.abc import Sequence

import numpy as np

from utt_ros.training.columns import Columns
from utt_ros.types import FURTHER_FTM, Indices, MaskArray

RANGE_BIAS_M = 5.0
BIASED = ('ftm', FURTHER_FTM)  # columns with ranges; other sources are replaced


def draw_corrupted(
    sources: Sequence[str], count: int, probability: float, rng: np.random.Generator,
) -> dict[str, MaskArray]:
    """Draw the windows (N,) in which each source is corrupted: at most one source of a window."""
    corrupted = rng.random(count) < probability
    source = rng.integers(0, max(len(sources), 1), count)
    return {name: np.asarray(corrupted & (source == index)) for index, name in enumerate(sources)}


def corrupt_source(columns: Columns, source: str, rows: Indices, donors: Indices) -> Columns:
    """Return columns of which windows `rows` (R,) of a source are corrupted; the rest is shared.

    Ranges become RANGE_BIAS_M longer. Values and mask of other sources are those of the windows
    `donors` (R,), of somebody else.
    """
    changed = dict(columns)
    if source in BIASED:
        for name in BIASED:
            if name in columns:
                changed[name] = columns[name].copy()
                changed[name][rows, ..., 0] += RANGE_BIAS_M
        return changed
    for name in (source, f'{source}_mask'):
        changed[name] = columns[name].copy()
        changed[name][rows] = columns[name][donors]
    return changed
