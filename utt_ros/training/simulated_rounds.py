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

"""Algorithm 1 in one process: areas take turns, and time and bytes are counted.

Rounds are closed by the same `FederationServer` as live, from updates in the same wire form and
after the same validation; bytes are those of the payloads.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import process_time
from typing import Protocol

import numpy as np
import numpy.typing as npt

from utt_ros.errors import ModelError, SettingsError
from utt_ros.federation.checkpoints import Checkpoint, NullStore
from utt_ros.federation.client_messages import make_update, open_model, whole_checksum
from utt_ros.federation.compression import ErrorFeedback
from utt_ros.federation.root_of_trust import RootOfTrust
from utt_ros.federation.server import FederationServer
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.types import PLAIN, GlobalModel, Update
from utt_ros.federation.wire import Tensors
from utt_ros.settings import check, setting
from utt_ros.types import NS_PER_S, FloatArray

FEDERATION = 'simulated'


class Learner(Protocol):
    """Training of one area: `training.trainer.LocalTrainer`, or a baseline."""

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities of the area."""

    @property
    def window_count(self) -> int:
        """Number of training windows; it may weight the update."""

    def load(self, weights: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Start from these weights."""

    def train(self, steps: int) -> float:
        """Take gradient steps; return their mean loss, NaN when none had an effect."""

    def update(self) -> Mapping[str, FloatArray]:
        """Return the tensors trained since `load`, float32."""


@dataclass(slots=True)
class AreaMemory:
    """State of an area that compression needs: its model, and what its updates left out."""

    checksum: str = ''  # of the whole model
    tensors: Tensors = field(default_factory=dict)
    feedback: ErrorFeedback = field(default_factory=ErrorFeedback)


@dataclass(frozen=True, slots=True)
class FederationPlan:
    """Length and aggregation of a simulated federation."""

    rounds: int = setting(20, 'rounds', low=1, high=100_000)
    local_steps: int = setting(40, 'training steps of an area in a round', low=1, high=100_000)
    sampled: int = setting(0, 'areas drawn in each round; 0: all', low=0, high=1024)
    seed: int = setting(0, 'seed of the draws', low=0, high=2**31 - 1)
    # aggregation, compression and limits of updates; FedAvg as published has no screening
    aggregator: AggregatorSettings = field(
        default_factory=lambda: AggregatorSettings(screening=False))

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class SimulatedRound:
    """Cost and outcome of one round; mappings are by area."""

    number: int
    windows: dict[str, int]  # of accepted updates
    refused: dict[str, str]  # reason
    losses: dict[str, float]  # mean training loss
    train_s: dict[str, float]  # to open the model, train and pack the update
    aggregate_s: float  # to validate all updates and compute the next model
    bytes_down: dict[str, int]  # payload of the model
    bytes_up: dict[str, int]  # payload of the update; absent where there was none
    suspected: dict[str, str] = field(default_factory=dict)  # reason

    def seconds(self, link_bps: float) -> float:
        """Return wall time with areas in parallel, each on its own link of `link_bps` [bit/s]."""
        slowest = max(
            spent + 8 * (self.bytes_down[area] + self.bytes_up.get(area, 0)) / link_bps
            for area, spent in self.train_s.items())
        return slowest + self.aggregate_s


@dataclass(frozen=True, slots=True)
class FederationResult:
    """Weights and rounds of a simulated federation."""

    weights: dict[str, FloatArray]
    rounds: tuple[SimulatedRound, ...]
    bytes_final: int  # payload of the last model: its change where all have the one before

    def seconds(self, link_bps: float) -> float:
        """Return wall time until every area has the last model; see `SimulatedRound.seconds`."""
        rounds_s = sum(item.seconds(link_bps) for item in self.rounds)
        return rounds_s + 8 * self.bytes_final / link_bps

    def bytes_moved(self, areas: int) -> int:
        """Return the bytes over all links in both directions, the last model included."""
        return self.bytes_final * areas + sum(
            sum(item.bytes_down.values()) + sum(item.bytes_up.values()) for item in self.rounds)


SecondsClock = Callable[[], float]
StopRule = Callable[[SimulatedRound, Tensors], bool]
"""Called with a round and the model after it; true ends the federation."""


def never_stop(_round: SimulatedRound, _weights: Tensors) -> bool:
    """Continue until the last round."""
    return False


def run_federation(
    learners: Mapping[str, Learner], weights: Tensors, plan: FederationPlan, *,
    stop: StopRule = never_stop, clock: SecondsClock = process_time,
    root: RootOfTrust | None = None,
) -> FederationResult:
    """Train all areas together, from these weights.

    The default clock counts the processor time of this process, so other load on the machine does
    not lengthen the times; use `perf_counter` where a device computes. A `root` of trust makes the
    rule fltrust. An area that can train
    nothing is left out of its round. Raises SettingsError when more areas are to be drawn than
    there are.
    """
    names = sorted(learners)
    if not names or plan.sampled > len(names):
        raise SettingsError(f'sampled is {plan.sampled}: there are {len(names)} areas')
    rng = np.random.default_rng(plan.seed)
    settings = replace(plan.aggregator, quorum=1, deadline=0.0, max_rounds=0)
    initial = Checkpoint(FEDERATION, 0, '{}', weights)
    server = FederationServer(settings, NullStore(), initial, 0, root=root)
    memories = {name: AreaMemory() for name in names}
    rounds: list[SimulatedRound] = []
    for number in range(plan.rounds):
        drawn = {name: (learners[name], memories[name])
                 for name in sample_areas(names, plan.sampled, rng)}
        rounds.append(_run_round(server, drawn, number, plan, clock))
        if stop(rounds[-1], server.tensors):
            break
    change = server.change
    last = change if change and all(
        change.base == memory.checksum for memory in memories.values()) else server.model
    return FederationResult(dict(server.tensors), tuple(rounds), len(last.payload))


def sample_areas(names: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    """Return the areas of a round in order of names: `count` drawn ones, or all where it is 0."""
    if not count:
        return list(names)
    return sorted(rng.choice(names, count, replace=False).tolist())


def _run_round(
    server: FederationServer, areas: Mapping[str, tuple[Learner, AreaMemory]], number: int,
    plan: FederationPlan, clock: SecondsClock,
) -> SimulatedRound:
    limit = plan.aggregator.max_update_bytes
    losses: dict[str, float] = {}
    train_s: dict[str, float] = {}
    bytes_down: dict[str, int] = {}
    updates: list[Update] = []
    for area, (learner, memory) in areas.items():
        change = server.change
        model = change if change and change.base == memory.checksum else server.model
        bytes_down[area] = len(model.payload)
        begin = clock()
        losses[area], update = train_locally(
            area, learner, model, plan.local_steps, limit, memory=memory)
        train_s[area] = clock() - begin
        if plan.aggregator.compression != PLAIN:  # the area has opened the same
            memory.checksum, memory.tensors = server.model.checksum, server.tensors
        updates += [update] if update is not None else []
    begin = clock()
    refused = {update.area: reason for update in updates
               if (reason := server.receive(update, number * NS_PER_S)) is not None}
    for area in refused:  # what is left of a refused update is not to be sent later
        areas[area][1].feedback = ErrorFeedback()
    closed = server.step(number * NS_PER_S)
    return SimulatedRound(
        number, {update.area: update.windows for update in updates if update.area not in refused},
        refused, losses, train_s, clock() - begin, bytes_down,
        {update.area: len(update.payload) for update in updates},
        closed.suspected if closed is not None else {})


def train_locally(
    area: str, learner: Learner, model: GlobalModel, steps: int, limit_bytes: int,
    *, memory: AreaMemory | None = None,
) -> tuple[float, Update | None]:
    """Return the loss of an area and its update, None when it could train nothing.

    Raises ModelError when the model does not fit the learner.
    """
    memory = memory or AreaMemory()
    try:
        before = open_model(model, limit_bytes, memory.checksum, memory.tensors)
        learner.load(before)
    except ModelError as err:
        raise ModelError(f'area {area!r}: {err}') from err
    loss, tensors = learner.train(steps), learner.update()
    if not tensors:
        return loss, None
    return loss, make_update(
        model, area, learner.window_count, learner.modalities,
        memory.feedback.pack(tensors, before, model.compression),
        base=whole_checksum(model, before))
