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

"""Asynchronous federation: staleness-weighted updates on a simulated clock, in one process.

After some synchronous rounds, as in the group's vertical and horizontal mapping [P], every update
is mixed in on arrival, with the weights of FedAsync [S: Xie et al., 2019].
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from utt_ros.errors import SettingsError, UpdateRefused
from utt_ros.federation.aggregation import average
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.server import to_global_model
from utt_ros.federation.settings import MAX_NAME_LENGTH, AggregatorSettings, valid_area
from utt_ros.federation.types import PLAIN, GlobalModel, Update
from utt_ros.federation.validation import validate_update
from utt_ros.federation.wire import Tensors
from utt_ros.settings import check, setting
from utt_ros.training.simulated_rounds import (
    FEDERATION,
    FederationPlan,
    FederationResult,
    Learner,
    SimulatedRound,
    run_federation,
    train_locally,
)
from utt_ros.types import FloatArray


@dataclass(frozen=True, slots=True)
class StalenessWeighting:
    """Weight of an update in the next model: `weight (1 + staleness)^-exponent`."""

    weight: float = setting(0.5, 'of an update of the newest model', low=1e-6, high=1.0)
    exponent: float = setting(0.5, 'decay of the weight with staleness', low=0.0, high=10.0)
    max_staleness: int = setting(
        16, 'number of newer models up to which an update is accepted', low=0)

    def __post_init__(self) -> None:
        check(self)

    def of(self, staleness: int) -> float:
        """Return the weight of an update that is `staleness` models old."""
        return float(self.weight * (1.0 + staleness) ** -self.exponent)


class AsynchronousServer:
    """Server without rounds: every accepted update makes a model, counted by `round`."""

    def __init__(
        self, limits: AggregatorSettings, weighting: StalenessWeighting, initial: Checkpoint,
    ) -> None:
        """`limits`: of updates."""
        self._limits, self._weighting = limits, weighting
        self.checkpoint = initial
        self.model = to_global_model(initial)

    def receive(self, update: Update) -> str | None:
        """Mix an update in, or return the reason for its refusal; tensors not in it stay."""
        now = self.checkpoint
        try:
            tensors = self._validate(update)
        except UpdateRefused as err:
            return str(err)
        weight = self._weighting.of(now.round - update.round)
        before = {name: now.tensors[name] for name in tensors}
        mixed = average([(tensors, weight), (before, 1.0 - weight)], now.tensors)
        self.checkpoint = Checkpoint(now.federation, now.round + 1, now.config, mixed)
        self.model = to_global_model(self.checkpoint)
        return None

    def _validate(self, update: Update) -> Tensors:
        now, limit = self.checkpoint, self._weighting.max_staleness
        staleness = now.round - update.round
        if not valid_area(update.area):
            raise UpdateRefused(f'area {update.area[:MAX_NAME_LENGTH]!r} is not a name of an area')
        if not 0 <= staleness <= limit:
            raise UpdateRefused(
                f'area {update.area!r}: it is {staleness} models old: 0..{limit} are allowed')
        return validate_update(update, now.tensors, now.federation, update.round, self._limits)


@dataclass(frozen=True, slots=True)
class AsynchronousPlan:
    """Synchronous rounds, followed by asynchronous updates."""

    initial: FederationPlan = field(default_factory=lambda: FederationPlan(rounds=3))
    updates: int = setting(60, 'updates after the synchronous rounds', low=1, high=1_000_000)
    weighting: StalenessWeighting = field(default_factory=StalenessWeighting)

    def __post_init__(self) -> None:
        check(self)
        compression = self.initial.aggregator.compression
        if compression != PLAIN:
            raise SettingsError(f'compression is {compression!r}: an asynchronous federation '
                                f'has {PLAIN!r} only, as its models are not changes of one before')


@dataclass(frozen=True, slots=True)
class MergedUpdate:
    """One update, mixed in or refused."""

    stamp_s: float  # simulated, since the start of the first round
    area: str
    staleness: int
    refused: str  # reason; empty when it was mixed in
    loss: float
    bytes_down: int
    bytes_up: int


@dataclass(frozen=True, slots=True)
class AsynchronousResult:
    """Weights and updates of an asynchronous federation."""

    weights: dict[str, FloatArray]
    initial: FederationResult
    merges: tuple[MergedUpdate, ...]

    @property
    def seconds(self) -> float:
        """Simulated time until the last update; aggregation takes no time."""
        return self.merges[-1].stamp_s


MergeStopRule = Callable[[MergedUpdate, Tensors], bool]
"""Called with an update and the model after it; true ends the federation."""


def run_asynchronous(
    learners: Mapping[str, Learner], weights: Tensors, plan: AsynchronousPlan,
    pace_s: Mapping[str, float], link_bps: float, *,
    stop: MergeStopRule = lambda _merge, _weights: False,
) -> AsynchronousResult:
    """Train all areas, the fast ones more often than the slow ones.

    `pace_s` is the time that each area trains for an update, on the simulated clock; each area has
    its own link of `link_bps` [bit/s]. So the outcome does not depend on the machine. Raises
    SettingsError when the pace of an area is missing or not above 0.
    """
    for area in learners:
        if not pace_s.get(area, 0.0) > 0.0:
            raise SettingsError(f'the pace of area {area!r} is {pace_s.get(area)} s: '
                                'it must be above 0')
    initial = run_federation(learners, weights, plan.initial)
    start = Checkpoint(FEDERATION, len(initial.rounds), '{}', initial.weights)
    server = AsynchronousServer(plan.initial.aggregator, plan.weighting, start)
    queue = _EventQueue(server, pace_s, link_bps)
    now_s = sum(simulated_durations(initial.rounds, pace_s, link_bps))
    for area in sorted(learners):
        queue.send_model(area, now_s)
    merges: list[MergedUpdate] = []
    while len(merges) < plan.updates:
        now_s, area, event = queue.pop()
        if isinstance(event, GlobalModel):
            queue.send_update(area, now_s, _train(area, learners[area], event, plan.initial))
            continue
        merges.append(_merge(server, now_s, area, event))
        if stop(merges[-1], server.checkpoint.tensors):
            break
        queue.send_model(area, now_s)
    return AsynchronousResult(dict(server.checkpoint.tensors), initial, tuple(merges))


def simulated_durations(
    rounds: Iterable[SimulatedRound], pace_s: Mapping[str, float], link_bps: float,
) -> Iterator[float]:
    """Yield the duration [s] of each round on the simulated clock of `run_asynchronous`."""
    for item in rounds:
        paces = {area: pace_s[area] for area in item.train_s}
        yield replace(item, train_s=paces, aggregate_s=0.0).seconds(link_bps)


@dataclass(frozen=True, slots=True)
class _LocalResult:
    """Loss and update of an area that has trained."""

    loss: float
    update: Update | None
    bytes_down: int

    @property
    def bytes_up(self) -> int:
        return len(self.update.payload) if self.update is not None else 0


class _EventQueue:
    """Next event of each area by its time: a model that was trained, or an update that arrived."""

    def __init__(
        self, server: AsynchronousServer, pace_s: Mapping[str, float], link_bps: float,
    ) -> None:
        self._server, self._pace_s, self._link_bps = server, pace_s, link_bps
        self._events: list[tuple[float, str, GlobalModel | _LocalResult]] = []
        # one per area, so that heapq never compares the third item

    def send_model(self, area: str, now_s: float) -> None:
        """Schedule the training of the newest model by an area."""
        model = self._server.model
        down_s = 8 * len(model.payload) / self._link_bps
        heappush(self._events, (now_s + down_s + self._pace_s[area], area, model))

    def send_update(self, area: str, now_s: float, result: _LocalResult) -> None:
        """Schedule the arrival of an area's update."""
        heappush(self._events, (now_s + 8 * result.bytes_up / self._link_bps, area, result))

    def pop(self) -> tuple[float, str, GlobalModel | _LocalResult]:
        """Remove and return the next event; simultaneous ones in order of area names."""
        return heappop(self._events)


def _train(
    area: str, learner: Learner, model: GlobalModel, plan: FederationPlan,
) -> _LocalResult:
    limit = plan.aggregator.max_update_bytes
    loss, update = train_locally(area, learner, model, plan.local_steps, limit)
    return _LocalResult(loss, update, len(model.payload))


def _merge(
    server: AsynchronousServer, now_s: float, area: str, result: _LocalResult,
) -> MergedUpdate:
    refused, staleness = 'nothing could be trained', 0
    if result.update is not None:
        staleness = server.model.round - result.update.round
        refused = server.receive(result.update) or ''
    return MergedUpdate(
        now_s, area, staleness, refused, result.loss, result.bytes_down, result.bytes_up)
