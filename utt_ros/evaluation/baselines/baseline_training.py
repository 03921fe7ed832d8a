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

"""Training (train split) and tuning (val split) of the baselines of association."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from math import inf
from typing import Any

import numpy as np
import torch
from torch import nn

from utt_ros.association.assignment import Costs
from utt_ros.association.vifi_bipartite import (
    PUBLISHED_WEIGHTS,
    BipartiteSettings,
    VifiBipartite,
    combine,
)
from utt_ros.evaluation.association.encounters import Encounter, cut_encounters
from utt_ros.evaluation.baselines.learner import BaselineLearner, NetworkLoss, load_net, read_net
from utt_ros.evaluation.baselines.scaling import Example, stack_examples
from utt_ros.evaluation.baselines.vifi_deep import DeepMatcher, VifiDeep, deep_example, deep_loss
from utt_ros.evaluation.baselines.vitag import (
    VitagMatcher,
    XTranslator,
    vitag_examples,
    vitag_loss,
    weighted_sum,
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

WEIGHTS = (0.1, 0.3, 1.0, 3.0)  # candidates for trajectory and heading, with 0.8 for range
STEPS_M = (0.55, 0.65, 0.75)
ROUNDS = 20
STEPS = 50  # of a centralised round
AREA_STEPS = 5  # of each area in a federated round
VITAG_WEIGHTS = (0.0, 0.3, 1.0, 3.0)
MAX_VAL_EXAMPLES = 1024
DENSE_TICKS = 4  # between windows of ViTag

CostFunction = Callable[[Encounter], Costs]
ExamplesByArea = Mapping[str, Sequence[Example]]


def tune_bipartite(
    val: EncounterSplit, biases: Mapping[str, float], steps_m: Sequence[float] = STEPS_M, *,
    slant: bool,
) -> BipartiteSettings:
    """Choose step length and weights of the highest IDP on val."""
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


def _bipartite_parts(own: BipartiteSettings) -> CostFunction:
    return lambda encounter: VifiBipartite(encounter.area, own).parts(encounter.candidates)


def _combined(parts: CostFunction, weights: tuple[float, ...]) -> CostFunction:
    return lambda encounter: combine(parts(encounter), weights)


def bipartite_cost(own: BipartiteSettings) -> CostFunction:
    """Return the cost function of these settings."""
    return lambda encounter: VifiBipartite(encounter.area, own).cost(encounter.candidates)


def train_vifi_deep(
    train: EncounterSplit, val: EncounterSplit, seed: int, *, federated: bool,
) -> CostFunction:
    """Train the deep association of Vi-Fi; return its cost function."""
    def examples(split: EncounterSplit) -> dict[str, list[Example]]:
        return _group((encounter.area.area, deep_example(encounter.candidates, encounter.owners))
                      for encounter in split.examples())
    net = fit_network(
        VifiDeep, deep_loss, examples(train), examples(val), seed, federated=federated)
    matcher = DeepMatcher(net)
    return lambda encounter: matcher.cost(encounter.candidates)


def train_vitag(data: Recordings, version: str, seed: int, *, federated: bool) -> XTranslator:
    """Train an X-Translator on every track with its phone, single ones included."""
    def examples(split: str) -> dict[str, list[Example]]:
        return _group(
            (encounter.area.area, item) for recording in data.of(split)
            for encounter in cut_encounters(
                recording, data.window, stride=DENSE_TICKS, max_ticks=10, min_phones=1)
            for item in vitag_examples(encounter.candidates, encounter.owners.tolist()))
    net: XTranslator = fit_network(
        partial(XTranslator, version), vitag_loss, examples('train'), examples('val'), seed,
        federated=federated)
    return net


def vitag_cost(net: XTranslator, weights: Mapping[str, float]) -> CostFunction:
    """Return the cost function with these weights of the distances."""
    matcher = VitagMatcher(net, weights)
    return lambda encounter: matcher.cost(encounter.candidates)


def tune_vitag(net: XTranslator, val: EncounterSplit) -> dict[str, float]:
    """Choose weights of the distances with the highest IDP on val."""
    matcher = VitagMatcher(net, {})
    parts = memoize(lambda encounter: matcher.parts(encounter.candidates))
    scored: dict[tuple[float, ...], float] = {}
    for values in product(VITAG_WEIGHTS, repeat=len(MODALITIES)):
        if max(values) == 1.0:  # other weights are equal up to a factor
            weights = dict(zip(MODALITIES, values, strict=True))
            scored[values] = _scored(val, parts, weights)
    best = max(scored, key=lambda key: scored[key])
    return dict(zip(MODALITIES, best, strict=True))


def _scored(
    val: EncounterSplit, parts: Callable[[Encounter], Mapping[str, Costs]],
    weights: Mapping[str, float],
) -> float:
    return mean_idp(score_assignments(
        val.tuning, lambda encounter: weighted_sum(parts(encounter), weights)))


def fit_network(
    make: Callable[[], Any], loss: NetworkLoss, train: ExamplesByArea, val: ExamplesByArea,
    seed: int, *, federated: bool, batch: int = 64, learning_rate: float = 2e-3,
) -> Any:
    """Train a network by simulated rounds; return that of the round with minimum loss on val.

    Centralised training is a federation of one, with as many steps in all.
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
    """Stop condition that keeps the weights of minimum loss."""

    def __init__(self, net: nn.Module, loss: NetworkLoss, items: Sequence[Example]) -> None:
        rows = np.linspace(0, len(items) - 1, min(MAX_VAL_EXAMPLES, len(items))).astype(int)
        self._net, self._loss = net, loss
        self._batch = {name: torch.from_numpy(values) for name, values in stack_examples(
            [items[row] for row in rows]).items()}
        self.best: dict[str, FloatArray] = {}
        self._min_loss = inf

    def __call__(self, _round: SimulatedRound, weights: Tensors) -> bool:
        load_net(self._net, weights)
        with torch.no_grad():
            loss = float(self._loss(self._net, self._batch))
        if not self.best or loss < self._min_loss:
            self.best = {name: np.array(values, np.float32) for name, values in weights.items()}
            self._min_loss = loss
        return False


def _group(items: Iterator[tuple[str, Example]]) -> dict[str, list[Example]]:
    groups: dict[str, list[Example]] = {}
    for area, item in items:
        groups.setdefault(area, []).append(item)
    return groups
