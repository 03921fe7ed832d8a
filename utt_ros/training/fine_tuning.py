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

"""Fine-tuning of a copy of a model: chosen decodings on chosen windows, in steps.

A part of the training windows selects the best weights; windows that judge the result are read
by `judge` alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import ceil, inf, isfinite, nan
from operator import and_, or_
from time import monotonic

import numpy as np
import numpy.typing as npt

from utt_ros.errors import SettingsError
from utt_ros.models.operations import Operation, Pair
from utt_ros.models.twin import UnifiedTwin, Weights, load_weights, read_weights
from utt_ros.settings import check, setting
from utt_ros.training.columns import CENTRE, RANGE_SETS, Columns, take
from utt_ros.training.metrics import relative_errors, training_means
from utt_ros.training.optimization import cosine_factor
from utt_ros.training.replay_buffer import ReplayBuffer, ReplayMemory
from utt_ros.training.settings import LearningSettings
from utt_ros.training.trainer import LocalTrainer
from utt_ros.types import CHANNELS, MaskArray

PASSES = 24  # over the training windows, at most
RATE_SHARE = 0.5  # of the learning rate of ordinary training
SELECTION_SHARE = 0.2  # of the windows, the newest
GUARD_SHARE = 0.05  # between training and selection: neighbouring windows overlap
MAX_SELECTION = 256  # windows
EVALUATION_STEPS = 10
PATIENCE = 8  # evaluations without a better score
FIRST_PATIENCE = 4  # evaluations without any that is better than the first weights
MIN_WINDOWS = 40  # for fine-tuning: fewer leave too few to select by


@dataclass(frozen=True, slots=True)
class FineTuningBudget:
    """Limits of a fine-tuning; none at all when both are 0."""

    max_windows: int = setting(0, 'newest windows to train on; 0: all', low=0, high=1_000_000)
    max_seconds: float = setting(0.0, 'duration [s]; 0: unlimited', low=0.0, high=86400.0)

    def __post_init__(self) -> None:
        check(self)

    @property
    def is_zero(self) -> bool:
        """True when nothing is to be trained."""
        return not self.max_windows and not self.max_seconds


@dataclass(frozen=True, slots=True)
class FineTuningProgress:
    """Progress of a fine-tuning; `steps` is a maximum."""

    step: int = 0
    steps: int = 0
    loss: float = nan
    windows: int = 0
    seconds_left: float = nan


@dataclass(frozen=True, slots=True)
class Judgement:
    """Error of one decoding on windows that it was not trained on, by channel of its target."""

    windows: int
    nmse: dict[str, float]  # NMSE_var, without channels that never vary
    std: dict[str, float]  # root mean square of the residual at the newest tick, in units

    @property
    def mean_nmse(self) -> float:
        """Mean NMSE_var over the channels; NaN when none varies."""
        return float(np.mean(list(self.nmse.values()))) if self.nmse else nan


class FineTuning:
    """Trains decodings (sources, target) of a model on windows, in steps. For one thread."""

    def __init__(
        self, twin: UnifiedTwin, examples: Columns, pairs: Sequence[Pair], *,
        learning: LearningSettings, budget: FineTuningBudget,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Begin with the weights of `twin`, which is trained in place.

        `examples`: as of `newest_examples`, oldest first; `clock` [s] measures the duration.
        Raises SettingsError when there are fewer than MIN_WINDOWS.
        """
        count = len(examples[CENTRE])
        if count < MIN_WINDOWS:
            raise SettingsError(f'there are {count} windows to train on: '
                                f'fine-tuning needs at least {MIN_WINDOWS}')
        training, self._selection = split_for_selection(examples)
        memory = ReplayMemory(replace(learning, capacity=len(training[CENTRE])))
        memory.training.add(training)
        names = pair_modalities(pairs)
        self.twin, self.windows = twin, count
        self._trainer = LocalTrainer(
            twin, memory, learning, modalities=names, heads=(),
            wanted=[Operation('transfer' if len(sources) == 1 else 'merge', sources, (target,))
                    for sources, target in pairs])
        self._pairs, self._clock = tuple(pairs), clock
        self._means = training_means(training, names)
        self._rate = RATE_SHARE * learning.learning_rate
        self._steps = ceil(PASSES * memory.training.capacity / learning.batch)
        self._step, self._loss = 0, nan
        self._max_seconds = budget.max_seconds or inf
        self._begin_s = clock()
        self._best, self._best_score, self._since_best = read_weights(twin), self._score(), 0
        self.has_gained = False  # a step scored better than the first weights

    @property
    def done(self) -> bool:
        """True when the budget is spent or the score no longer improves."""
        patience = PATIENCE if self.has_gained else FIRST_PATIENCE
        return (self._step >= self._steps or self._since_best >= patience
                or self.seconds >= self._max_seconds)

    @property
    def seconds(self) -> float:
        """Time since the beginning [s]."""
        return self._clock() - self._begin_s

    @property
    def progress(self) -> FineTuningProgress:
        per_step_s = self.seconds / self._step if self._step else nan
        left_s = min(per_step_s * (self._steps - self._step), self._max_seconds - self.seconds)
        return FineTuningProgress(self._step, self._steps, self._loss, self.windows, left_s)

    def step(self) -> None:
        """Take a gradient step; score the weights from time to time."""
        share = max(self._step / self._steps, min(1.0, self.seconds / self._max_seconds))
        self._trainer.set_rate(self._rate * cosine_factor(share))
        self._loss = self._trainer.train(1)
        self._step += 1
        if self._step % EVALUATION_STEPS == 0 or self._step == self._steps:
            self._keep_best()

    def finish(self) -> Weights:
        """Load the best weights into the model and return them."""
        if self._step % EVALUATION_STEPS:
            self._keep_best()
        load_weights(self.twin, self._best)
        return self._best

    def _keep_best(self) -> None:
        score = self._score()
        self._since_best += 1
        if score < self._best_score:
            self._best, self._best_score, self._since_best = read_weights(self.twin), score, 0
            self.has_gained = True

    def _score(self) -> float:
        """Mean NMSE_var of the decodings on the selection windows; inf when none is defined."""
        errors = relative_errors(self.twin, self._selection, self._pairs, self._means)
        finite = [error.nmse_var for error in errors.values() if isfinite(error.nmse_var)]
        return float(np.mean(finite)) if finite else inf


def pair_modalities(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Return the modalities of decodings, sorted."""
    return tuple(sorted({name for sources, target in pairs for name in (*sources, target)}))


def complete_windows(columns: Columns, pairs: Sequence[Pair]) -> MaskArray:
    """Return a mask (N,) of windows that have all sources and the target of some decoding."""
    measured = {name: columns[f'{name}_mask'].any(1) for name in pair_modalities(pairs)}
    return np.asarray(reduce(or_, (
        reduce(and_, (measured[name] for name in (*sources, target)))
        for sources, target in pairs)))


def newest_examples(buffer: ReplayBuffer, pairs: Sequence[Pair], count: int = 0) -> Columns:
    """Copy the newest `count` (0: all) windows that are complete for `pairs`, oldest first.

    Columns are those that translation reads; none of them has rows when nothing is complete.
    """
    names = [CENTRE, *(column for name in pair_modalities(pairs)
                       for column in (name, f'{name}_mask'))]
    everything = buffer.all()
    if not everything:
        return {CENTRE: np.zeros(0, np.float32)}
    columns = {name: everything[name] for name in names}
    if 'ftm' in columns:
        columns |= {name: everything[name] for name in RANGE_SETS if name in everything}
    rows = buffer.rows_by_age()
    rows = rows[complete_windows(columns, pairs)[rows]]
    return take(columns, rows[-count:] if count else rows)


def split_for_selection(examples: Columns) -> tuple[Columns, Columns]:
    """Divide windows, oldest first, into those that train and the newest, which select.

    Some in between are in neither.
    """
    count = len(examples[CENTRE])
    begin = count - ceil(SELECTION_SHARE * count)
    selection = np.arange(begin, count)[::ceil((count - begin) / MAX_SELECTION)]
    return (take(examples, slice(begin - ceil(GUARD_SHARE * count))),
            take(examples, selection))


def judge(
    twin: UnifiedTwin, held_out: Columns, training: Columns, pair: Pair,
) -> Judgement:
    """Judge one decoding on held-out windows, relative to the mean of training windows.

    Windows without all its sources, or without its target, do not count.
    """
    target = pair[1]
    means = training_means(
        training if len(training[CENTRE]) else held_out, [target])
    of_windows = relative_errors(twin, held_out, [pair], means)[pair]
    newest = held_out | {f'{target}_mask': _newest_tick(held_out[f'{target}_mask'], twin)}
    at_newest = relative_errors(twin, newest, [pair], means)[pair].rms_of_channels
    std = np.where(np.isfinite(at_newest), at_newest, of_windows.rms_of_channels)
    return Judgement(
        int(complete_windows(held_out, [pair]).sum()),
        _by_channel(target, of_windows.nmse_var_of_channels), _by_channel(target, std))


def _newest_tick(mask: MaskArray, twin: UnifiedTwin) -> MaskArray:
    """Clear a mask (N, T_m) but for the rows of the last tick."""
    newest = np.zeros_like(mask)
    rows = mask.shape[1] // twin.window.ticks
    newest[:, -rows:] = mask[:, -rows:]
    return newest


def _by_channel(target: str, values: npt.NDArray[np.float64]) -> dict[str, float]:
    named = zip(CHANNELS[target], values.tolist(), strict=True)
    return {name: value for name, value in named if isfinite(value)}
