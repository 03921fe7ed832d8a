"""Training for experiments: areas together or all data in one place, best model by validation.

Both run Algorithm 1 (`study.distributed`) with the trainer that runs live; all data in one place
is a federation of one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import cos, inf, isfinite, nan, pi
from time import perf_counter, process_time

import numpy as np
import torch

from utt_ros.errors import SessionError, SettingsError
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.models.operations import Operation, operations, unique_pairs
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin, Weights, initial_weights, load_weights
from utt_ros.settings import AreaSettings, check, setting
from utt_ros.training.augmentation import in_heading_frame
from utt_ros.training.dataset import Columns
from utt_ros.training.evaluation import relative_errors, training_means
from utt_ros.training.losses import Objective
from utt_ros.training.recordings import Data
from utt_ros.training.settings import TERMS, LearningSettings
from utt_ros.training.simulated_rounds import Mapped, Plan, Round, distribute
from utt_ros.training.trainer import LocalTrainer
from utt_ros.training.windows import (
    PAST,
    TRAIN_STRIDE,
    VAL_STRIDE,
    paired_examples,
    plain_examples,
    turned,
    unified_examples,
)
from utt_ros.types import MODALITIES, FloatArray

PLANS = ('federated', 'centralised')
TRANSLATION, MOTION = 'translation', 'motion'  # parts of a model and its score
UNJUDGED = 'stride.'  # names of weights that no score is of begin so: the newest are kept
MAX_SCORE_CHANGE = 0.002  # of NMSE_var: less is no reason to go on
MIN_RATE = 0.05  # at the end, of the rate at the begin
CENTRAL_BATCH = 2  # batches of one area in a batch of all data


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is trained, where, and for how long."""

    model: ModelSettings = field(default_factory=ModelSettings)
    plan: str = setting('federated', f'where: {" or ".join(PLANS)}')
    terms: tuple[str, ...] = setting(TERMS, 'terms of the loss')
    wanted: tuple[Operation, ...] = ()  # instead of the operations of the terms
    rounds: int = setting(30, 'rounds at most', low=1, high=100_000)
    local_steps: int = setting(6, 'steps of an area in a round', low=1, high=100_000)
    batch: int = setting(32, 'windows of an area per step', low=1, high=4096)
    learning_rate: float = setting(3e-3, 'step size at the begin', low=0.0, high=1.0)
    patience: int = setting(8, 'rounds without a better model before the end', low=1)
    server: str = setting('fedavg', 'what makes a model of the average')
    server_rate: float = setting(0.01, 'step size of an adaptive server', low=1e-9, high=1e3)
    weighting: str = setting('windows', 'how areas are weighted')

    def __post_init__(self) -> None:
        check(self)
        if self.plan not in PLANS:
            raise SettingsError(f'plan is {self.plan!r}: it must be {" or ".join(PLANS)}')

    @property
    def operations(self) -> tuple[Operation, ...]:
        """What the model is trained for, and judged on."""
        return self.wanted or tuple(operations(
            self.model.modalities, [term for term in self.terms if term != 'motion']))


@dataclass(frozen=True, slots=True)
class Progress:
    """One round as a watcher sees it."""

    round: Round
    score: float  # on validation, less is better
    rounds: int  # at most


@dataclass(frozen=True, slots=True)
class Trained:
    """The best model on validation."""

    twin: UnifiedTwin
    score: float
    best_round: int  # rounds that led to it
    history: tuple[float, ...]  # score after each round
    mapped: Mapped
    windows: int  # that it was trained on


def device() -> str:
    """Where models are trained: on CUDA where there is one."""
    return 'cuda' if torch.cuda.is_available() else 'cpu'


class Pupil(LocalTrainer):
    """A trainer whose windows were all recorded for training, of any modalities in the registry.

    Which windows are held out is a matter of whole sequences here, not of blocks of time.
    """

    def __init__(self, recipe: Recipe, data: Data, columns: Columns, seed: int) -> None:
        count = len(next(iter(columns.values())))
        learning = LearningSettings(
            terms=recipe.terms, batch=recipe.batch, learning_rate=recipe.learning_rate,
            capacity=count, seed=seed)
        super().__init__(recipe.model, data.shape, AreaSettings(), learning)
        self.twin.to(device())
        self.kept.add(columns)
        self.modalities = tuple(
            name for name in recipe.model.modalities if columns[f'{name}_mask'].any())
        self._objective = Objective(self.twin, self.modalities, recipe.terms, recipe.wanted)


def train(
    data: Data, recipe: Recipe, seed: int, watch: Callable[[Progress], None] | None = None,
) -> Trained:
    """Train on the train split and keep the best model on the val split; no other is read.

    Raises SessionError when no sequence is long enough.
    """
    learners = make_learners(data, recipe, seed)
    judge = Judge(data, recipe)
    weights = initial_weights(recipe.model, data.shape, seed)
    search = _Search(recipe, learners, judge, watch)
    clock = perf_counter if device() == 'cuda' else process_time
    mapped = distribute(learners, weights, _plan(data, recipe, seed), stop=search, clock=clock)
    load_weights(judge.twin, search.best)
    return Trained(judge.twin, search.score, search.best_round, tuple(search.history), mapped,
                   sum(len(learner.kept) for learner in learners.values()))


def make_learners(data: Data, recipe: Recipe, seed: int) -> dict[str, Pupil]:
    """One per area, or one for all; areas without a training window are left out."""
    areas = list(data.areas) if recipe.plan == 'federated' else [None]
    found = {}
    for number, area in enumerate(areas):
        try:
            columns = examples(data, recipe.model, 'train', area, TRAIN_STRIDE)
        except SessionError:
            continue
        found[area or 'all'] = Pupil(recipe, data, columns, 1000 * seed + number)
    if not found:
        raise SessionError('no train sequence is long enough for a window')
    return found


def examples(
    data: Data, model: ModelSettings, split: str, area: str | None, stride: int,
) -> Columns:
    """What a model learns from, with the past where it reads any."""
    if any(name.endswith(PAST) for name in model.modalities):
        return turned(paired_examples(data, split, area, stride), data.shape)
    return unified_examples(data, split, area, stride)


class Judge:
    """Scores weights on the val split: mean NMSE_var over all decodings, and error of motion."""

    def __init__(self, data: Data, recipe: Recipe) -> None:
        self.twin = UnifiedTwin(recipe.model, data.shape)
        self._columns = examples(data, recipe.model, 'val', None, VAL_STRIDE)
        self._terms = recipe.terms
        self._pairs = unique_pairs(recipe.operations or operations(MODALITIES))
        targets = sorted({target for _, target in self._pairs})
        self._means = training_means(turned(plain_examples(data, 'train'), data.shape), targets)

    def __call__(self, weights: Weights) -> dict[str, float]:
        """By part of the model, less is better; infinite where nothing can be judged."""
        load_weights(self.twin, weights)
        errors = relative_errors(self.twin, self._columns, self._pairs, self._means)
        found = [error.nmse_var for error in errors.values() if isfinite(error.nmse_var)]
        scores = {TRANSLATION: float(np.mean(found)) if found else inf}
        if MOTION in self._terms:
            moved = [motion_error(self.twin, self._columns, seen=seen) for seen in (True, False)]
            scores[MOTION] = float(np.mean([each for each in moved if isfinite(each)] or [0.0]))
        return scores


@torch.no_grad()
def motion_error(twin: UnifiedTwin, columns: Columns, *, seen: bool) -> float:
    """Mean distance from the displacements of the next H ticks over that of staying.

    With or without the course that the camera saw. NaN where no label is valid.
    """
    targets = in_heading_frame(
        columns, columns['heading_valid'], columns['course'], columns['course_valid'] & seen,
        columns['gait'])
    made = twin.motion(torch.from_numpy(targets.context)).future.numpy()
    valid = targets.future_valid
    off, far = (np.linalg.norm(path[valid], axis=1).sum() for path in (
        made - targets.future, targets.future))
    return float(off / far) if far > 0 else nan


class _Search:
    """After each round: judge, keep the best, slow down, and say when to stop.

    Translation and motion share no weights, so the best of each is kept; of strides the last.
    """

    def __init__(
        self, recipe: Recipe, learners: Mapping[str, Pupil], judge: Judge,
        watch: Callable[[Progress], None] | None,
    ) -> None:
        self._recipe, self._learners, self._judge, self._watch = recipe, learners, judge, watch
        self.best: Weights = {}
        self.best_round = 0
        self.history: list[float] = []
        self._scores: dict[str, float] = {}
        self._marks: dict[str, float] = {}  # scores that counted as an improvement
        self._improved = 0  # round of the last one

    @property
    def score(self) -> float:
        """Of the best."""
        return sum(self._scores.values(), 0.0) if self._scores else inf

    def __call__(self, done: Round, weights: Mapping[str, FloatArray]) -> bool:
        scores = self._judge(dict(weights))
        score = sum(scores.values())
        self.history.append(score)
        for part, found in scores.items():
            if found < self._marks.get(part, inf) - MAX_SCORE_CHANGE:
                self._marks[part], self._improved = found, len(self.history)
            if part not in self._scores or found < self._scores[part]:
                self._scores[part], self.best_round = found, len(self.history)
                self.best |= {name: values.copy() for name, values in weights.items()
                              if (part == MOTION) == name.startswith(f'{MOTION}.')}
        self.best |= {name: values.copy() for name, values in weights.items()
                      if name.startswith(UNJUDGED)}
        if not self.best.keys() >= weights.keys():  # of a part that nothing judges
            self.best = {name: values.copy() for name, values in weights.items()} | self.best
        if self._watch is not None:
            self._watch(Progress(done, score, self._recipe.rounds))
        self._slow_down(len(self.history) / self._recipe.rounds)
        return len(self.history) - self._improved >= self._recipe.patience

    def _slow_down(self, share: float) -> None:
        """Half a cosine from the full rate to the slowest."""
        factor = MIN_RATE + (1.0 - MIN_RATE) * (1.0 + cos(pi * share)) / 2.0
        for learner in self._learners.values():
            learner.set_rate(factor * self._recipe.learning_rate)


def _plan(data: Data, recipe: Recipe, seed: int) -> Plan:
    """In one place a round has as many windows as in all areas together."""
    steps = recipe.local_steps
    if recipe.plan == 'centralised':
        steps = max(1, steps * len(data.areas) // CENTRAL_BATCH)
    return Plan(
        rounds=recipe.rounds, local_steps=steps, seed=seed,
        aggregator=AggregatorSettings(
            server=recipe.server, server_rate=recipe.server_rate, weighting=recipe.weighting))


def centralised(recipe: Recipe) -> Recipe:
    """The same with all data in one place, in larger batches."""
    return replace(recipe, plan='centralised', batch=CENTRAL_BATCH * recipe.batch)


