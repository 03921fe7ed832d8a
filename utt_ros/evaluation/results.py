"""What an experiment hands over: rows of a table and the predictions behind them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from utt_ros.types import FloatArray, MaskArray

Names = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Row:
    """One number. `value` is NaN where nothing could be measured."""

    suite: str
    method: str  # 'utt' is the paper's own
    operation: str  # transfer, merge, split, ...
    sources: str  # such as 'ftm+imu'
    target: str
    fusor: str
    seed: int
    metric: str  # nmse_var, nmse_energy, ...
    value: float
    n_windows: int


@dataclass(frozen=True, slots=True)
class Made:
    """What was predicted in one operation and direction: N windows in physical units."""

    name: str  # of the file in predictions/
    prediction: FloatArray  # (N, T, F)
    target: FloatArray  # (N, T, F)
    mask: MaskArray  # (N, T, F)
    train_mean: npt.NDArray[np.float64]  # (F,)
    operation: str
    sources: str
    target_modality: str
    sequence: Names  # (N,) area/session
    subject: Names  # (N,)
    stamp: npt.NDArray[np.int64]  # (N,) of the last tick [ns]
    std: FloatArray | None = None  # (N, T, F) of the prediction


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a unit of work found."""

    rows: tuple[Row, ...]
    made: tuple[Made, ...] = ()


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of work of a suite: what an interrupted run loses at most."""

    key: str  # unique, and safe as the name of a file
    run: Callable[[], Outcome]
