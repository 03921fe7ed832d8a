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

"""Results of an evaluation: rows, predictions, units of work, and `results.json` as a table."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import nan
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from utt_ros.documents import load_json
from utt_ros.errors import SessionError
from utt_ros.files import read_limited
from utt_ros.types import FloatArray, MaskArray, NameArray

RESULTS = 'results.json'
MAX_RESULTS_BYTES = 256 * 2**20
TO_RIDGE, TO_BEST_SOURCE = 'nmse_var_to_ridge', 'nmse_var_to_best_source'  # metrics: ratios
TO_BEST_RIVAL = 'nmse_var_to_best_rival'  # of informative channels
INFORMATIVE = 'nmse_var_informative'  # of box, range, or horizontal field of a phone
TO_ALL_WINDOWS = 'nmse_var_to_all_windows'  # zero-shot, of informative channels
OF_WINDOWS_FROM_SCRATCH = 'windows_to_scratch'  # share that a transferred model needs
MERGE_TO_BEST_SOURCE = f'{INFORMATIVE}_to_best_source'
GATE_RIVALS = ('average', 'concat')  # fusors without gates
TO_FEDAVG = f'{INFORMATIVE}_to_fedavg'
TO_FUSORS = {fusor: f'{INFORMATIVE}_to_{fusor}' for fusor in GATE_RIVALS}
ENDS = ('low', 'high')  # of intervals, which files of earlier releases do not have


@dataclass(frozen=True, slots=True)
class Row:
    """One number of one method. `value` is NaN where nothing was measured.

    `low` and `high` are the ends of its 95 % interval over walks; NaN without one.
    """

    suite: str
    method: str  # 'utt': the method of the paper
    operation: str  # transfer, merge, split, ...
    sources: str  # such as 'ftm+imu'
    target: str
    fusor: str
    seed: int
    metric: str  # nmse_var, nmse_energy, ...
    value: float
    n_windows: int
    low: float = nan
    high: float = nan


@dataclass(frozen=True, slots=True)
class Prediction:
    """Predictions of one operation and direction: N windows in physical units."""

    name: str  # of its file in predictions/
    prediction: FloatArray  # (N, T, F)
    target: FloatArray  # (N, T, F)
    mask: MaskArray  # (N, T, F)
    train_mean: npt.NDArray[np.float64]  # (F,)
    operation: str
    sources: str
    target_modality: str
    sequence: NameArray  # (N,) area/session
    subject: NameArray  # (N,)
    stamp: npt.NDArray[np.int64]  # (N,) of the last tick [ns]
    std: FloatArray | None = None  # (N, T, F) of the prediction


@dataclass(frozen=True, slots=True)
class UnitResult:
    """Rows and predictions of a unit of work."""

    rows: tuple[Row, ...]
    predictions: tuple[Prediction, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of a suite that is run and stored as a whole."""

    key: str  # unique, and safe as a file name
    run: Callable[[], UnitResult]


def read_results(folder: Path) -> pd.DataFrame:
    """Read the results of `utt evaluate`: one row per metric and seed, columns as in `Row`.

    `attrs['about']` holds data, split, seeds and code version. Raises SessionError.
    """
    path = folder / RESULTS
    names = [field.name for field in fields(Row)]
    try:
        content = load_json(read_limited(path, MAX_RESULTS_BYTES), MAX_RESULTS_BYTES)
        rows = pd.DataFrame(
            [[row.get(name) if name in ENDS else row[name] for name in names]
             for row in content['rows']], columns=names)
        for name in ('value', *ENDS):
            rows[name] = rows[name].astype(np.float64)
        rows['n_windows'] = rows['n_windows'].astype(np.int64)
        rows.attrs['about'] = content['about']
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as err:
        raise SessionError(f'{path}: {type(err).__name__}: {err}') from err
    return rows
