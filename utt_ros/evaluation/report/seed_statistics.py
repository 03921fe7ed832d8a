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

"""Statistics of result rows over seeds, as a pandas DataFrame."""

from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

import numpy as np
import pandas as pd

FIELDS = ('suite', 'method', 'operation', 'sources', 'target', 'fusor', 'metric')


@dataclass(frozen=True, slots=True)
class Cell:
    """Mean and standard deviation of one metric over seeds, and its interval over walks."""

    mean: float
    std: float  # 0 for one seed
    seeds: int
    n_windows: int
    low: float = nan  # means over seeds of the ends of the interval over walks
    high: float = nan

    def __str__(self) -> str:
        deviation = f' ± {self.std:.2g}' if self.seeds > 1 else ''
        interval = f' [{self.low:.4g}, {self.high:.4g}]' if isfinite(self.low) else ''
        return f'{self.mean:.4g}{deviation}{interval}'


MISSING = Cell(nan, nan, 0, 0)


def seed_statistics(rows: pd.DataFrame) -> pd.DataFrame:
    """Aggregate rows (see `read_results`) over seeds: FIELDS and the numbers of a `Cell`.

    The deviation is that of a sample (n - 1). A metric without value in one seed has none over
    all.
    """
    rows = rows.assign(**{name: rows.get(name, nan) for name in ('low', 'high')})
    keys = {name: rows[name].map(str) for name in FIELDS}  # groupby would drop rows without key
    return rows.assign(**keys).groupby(list(FIELDS), sort=False, as_index=False).agg(
        mean=('value', lambda values: np.mean(values.to_numpy())),
        std=('value', lambda values: np.std(values.to_numpy(), ddof=1)
             if len(values) > 1 else 0.0),
        seeds=('seed', 'size'), n_windows=('n_windows', 'max'),
        low=('low', lambda values: np.mean(values.to_numpy())),
        high=('high', lambda values: np.mean(values.to_numpy())))


def select_cells(statistics: pd.DataFrame, **fields: str) -> pd.DataFrame:
    """Select the cells whose fields have these values."""
    selected = np.ones(len(statistics), bool)
    for name, value in fields.items():
        selected &= (statistics[name] == value).to_numpy(bool)
    return statistics[selected]


def single_cell(statistics: pd.DataFrame, **fields: str) -> Cell:
    """Return the only cell with these values, or MISSING."""
    cells = select_cells(statistics, **fields)
    return as_cell(next(cells.itertuples())) if len(cells) == 1 else MISSING


def as_cell(row: Any) -> Cell:
    """Convert a row of `itertuples` to a cell."""
    return Cell(float(row.mean), float(row.std), int(row.seeds), int(row.n_windows),
                float(row.low), float(row.high))


def mean_over_targets(statistics: pd.DataFrame, **fields: str) -> float:
    """Mean over targets of the means over the directions of each target.

    NaN without cells, or if one of them has no value: pandas' own mean would skip it.
    """
    cells = select_cells(statistics, **fields)
    means = [np.mean(part.to_numpy()) for _, part in cells.groupby('target', sort=False)['mean']]
    return float(np.mean(means)) if means else nan
