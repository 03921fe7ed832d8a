"""Training and tuning of the baselines of association: train split to learn, val to choose."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from math import inf
from typing import Any

import numpy as np
import torch
from torch import nn

from utt_ros.association.assignment import Costs
from utt_ros.association.vifi import PUBLISHED_WEIGHTS, BipartiteSettings, VifiBipartite, combine
from utt_ros.evaluation.association.encounters import Encounter, cut_encounters
from utt_ros.evaluation.baselines.learner import BaselineLearner, Loss, load_net, read_net
from utt_ros.evaluation.baselines.scaling import Example, stack_examples
from utt_ros.evaluation.baselines.vifi_deep import DeepMatcher, VifiDeep, deep_example, deep_loss
from utt_ros.evaluation.baselines.vitag import (
    VitagMatcher,
    XTranslator,
    vitag_examples,
    vitag_loss,
    weigh,
)
from utt_ros.evaluation.metrics.association import (
    EncounterSplit,
    mean_idp,
    memoize,
    score_assignments,
)
from utt_ros.federation.wire import Tensors
from utt_ros.training.recordings import Recordings
from utt_ros.training.simulated_rounds import FederationPlan, SimulatedRound, run_federation
from utt_ros.types import MODALITIES, FloatArray

WEIGHTS = (0.1, 0.3, 1.0, 3.0)  # tried of trajectory and of heading, with 0.8 of range
STEPS_M = (0.55, 0.65, 0.75)
ROUNDS = 20
STEPS = 50  # of a round, in one place
AREA_STEPS = 5  # of each area of a federation
VITAG_WEIGHTS = (0.0, 0.3, 1.0, 3.0)
JUDGED = 1024  # examples of val
DENSE_TICKS = 4  # between windows of ViTag

Cost = Callable[[Encounter], Costs]
Found = Mapping[str, Sequence[Example]]  # examples by area


def tune_bipartite(
    val: EncounterSplit, biases: Mapping[str, float], steps_m: Sequence[float] = STEPS_M, *,
    slant: bool,
) -> BipartiteSettings:
    """Step length and weights of the highest IDP on val."""
    scored = {}
    for step_m in steps_m:
        own = BipartiteSettings(step_m=step_m, slant=slant, heading_bias=biases)
        parts = memoize(_bipartite_parts(own))
        for path, heading in product(WEIGHTS, WEIGHTS):
            weights = (path, heading, PUBLISHED_WEIGHTS[2])
            scored[step_m, weights] = mean_idp(
                score_assignments(val.tuning, _combined(parts, weights)))
    step_m, weights = max(scored, key=lambda key: scored[key])
    return BipartiteSettings(weights, step_m, slant, heading_bias=biases)


def _bipartite_parts(own: BipartiteSettings) -> Cost:
    return lambda one: VifiBipartite(one.area, own).parts(one.candidates)


def _combined(parts: Cost, weights: tuple[float, ...]) -> Cost:
    return lambda one: combine(parts(one), weights)


def bipartite_cost(own: BipartiteSettings) -> Cost:
    """Costs by these settings."""
    return lambda one: VifiBipartite(one.area, own).cost(one.candidates)


def deep(train: EncounterSplit, val: EncounterSplit, seed: int, *, federated: bool) -> Cost:
    """Vi-Fi's deep association, trained."""
    def found(split: EncounterSplit) -> dict[str, list[Example]]:
        return _group((one.area.area, deep_example(one.candidates, one.owners))
                      for one in split.examples())
    net = fit(VifiDeep, deep_loss, found(train), found(val), seed, federated=federated)
    matcher = DeepMatcher(net)
    return lambda one: matcher.cost(one.candidates)


def vitag(data: Recordings, version: str, seed: int, *, federated: bool) -> XTranslator:
    """An X-Translator, trained on whoever is seen with their phone, also alone."""
    def found(split: str) -> dict[str, list[Example]]:
        return _group(
            (one.area.area, item) for recording in data.of(split)
            for one in cut_encounters(
                recording, data.window, stride=DENSE_TICKS, max_ticks=10, min_phones=1)
            for item in vitag_examples(one.candidates, one.owners.tolist()))
    net: XTranslator = fit(
        partial(XTranslator, version), vitag_loss, found('train'), found('val'), seed,
        federated=federated)
    return net


def vitag_cost(net: XTranslator, weights: Mapping[str, float]) -> Cost:
    """Costs by these weights of the distances."""
    matcher = VitagMatcher(net, weights)
    return lambda one: matcher.cost(one.candidates)


def tune_vitag(net: XTranslator, val: EncounterSplit) -> dict[str, float]:
    """Weights of the distances with the highest IDP on val."""
    parts = memoize(lambda one: VitagMatcher(net, {}).parts(one.candidates))
    scored: dict[tuple[float, ...], float] = {}
    for values in product(VITAG_WEIGHTS, repeat=len(MODALITIES)):
        if max(values) == 1.0:  # the others are the same up to a factor
            weights = dict(zip(MODALITIES, values, strict=True))
            scored[values] = _scored(val, parts, weights)
    best = max(scored, key=lambda key: scored[key])
    return dict(zip(MODALITIES, best, strict=True))


def _scored(val: EncounterSplit, parts: Cost, weights: Mapping[str, float]) -> float:
    return mean_idp(score_assignments(val.tuning, lambda one: weigh(parts(one), weights)))


def fit(
    make: Callable[[], Any], loss: Loss, train: Found, val: Found, seed: int, *, federated: bool,
    batch: int = 64, learning_rate: float = 2e-3,
) -> Any:
    """A network of least loss on val after any round of the distributed mapping.

    All data in one place is a federation of one, with as many steps in all.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = make()
    if not federated:
        train = {'all': [item for items in train.values() for item in items]}
    learners = {
        area: BaselineLearner(
            make(), loss, stack_examples(items), MODALITIES, seed=1000 * seed + number,
            batch=batch, learning_rate=learning_rate)
        for number, (area, items) in enumerate(sorted(train.items()))}
    plan = FederationPlan(rounds=ROUNDS, local_steps=AREA_STEPS if federated else STEPS, seed=seed)
    search = _Search(net, loss, [item for items in val.values() for item in items])
    run_federation(learners, read_net(net), plan, stop=search)
    load_net(net, search.best)
    return net.eval()


class _Search:
    """Keeps the weights of least loss."""

    def __init__(self, net: nn.Module, loss: Loss, items: Sequence[Example]) -> None:
        rows = np.linspace(0, len(items) - 1, min(JUDGED, len(items))).astype(int)
        self._net, self._loss = net, loss
        self._batch = {name: torch.from_numpy(values) for name, values in stack_examples(
            [items[row] for row in rows]).items()}
        self.best: dict[str, FloatArray] = {}
        self._least = inf

    def __call__(self, _round: SimulatedRound, weights: Tensors) -> bool:
        load_net(self._net, weights)
        with torch.no_grad():
            loss = float(self._loss(self._net, self._batch))
        if not self.best or loss < self._least:
            self.best = {name: np.array(values, np.float32) for name, values in weights.items()}
            self._least = loss
        return False


def _group(items: Iterator[tuple[str, Example]]) -> dict[str, list[Example]]:
    groups: dict[str, list[Example]] = {}
    for area, item in items:
        groups.setdefault(area, []).append(item)
    return groups
