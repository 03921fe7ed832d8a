"""Algorithm 1 in one process, for research: the areas take turns, and their time is counted.

Rounds are closed by the same `Server` as live, from updates in the same wire form that passed the
same checks; bytes are those of the payloads.
"""

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, field, replace
from time import process_time
from typing import Protocol

import numpy as np
import numpy.typing as npt

from utt_ros.errors import ModelError, SettingsError
from utt_ros.federation.checkpoints import Checkpoint, Nowhere
from utt_ros.federation.client_messages import answer, open_model
from utt_ros.federation.server import Server
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.types import GlobalModel, Update
from utt_ros.federation.wire import Tensors
from utt_ros.settings import check, setting
from utt_ros.types import NS_PER_S, FloatArray

FEDERATION = 'study'


class Learner(Protocol):
    """One area's part; `learning.trainer.LocalTrainer` is one, a baseline may be another."""

    @property
    def modalities(self) -> tuple[str, ...]:
        """The sensors that the area has."""

    @property
    def kept(self) -> Sized:
        """The windows that it trains on; their number may weigh its update."""

    def load(self, weights: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Begin from these weights."""

    def train(self, steps: int) -> float:
        """Take gradient steps; return their mean loss, NaN when none counted."""

    def update(self) -> Mapping[str, FloatArray]:
        """The tensors that were trained since `load`, float32."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a federation maps its areas."""

    rounds: int = setting(20, 'rounds', low=1, high=100_000)
    local_steps: int = setting(40, 'training steps of an area in a round', low=1, high=100_000)
    sampled: int = setting(0, 'areas drawn in each round; 0: all', low=0, high=1024)
    seed: int = setting(0, 'seed of the draws', low=0, high=2**31 - 1)
    # how updates become the next model, and what is refused
    aggregator: AggregatorSettings = field(default_factory=AggregatorSettings)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class Round:
    """What one round took; mappings are by area."""

    number: int
    windows: dict[str, int]  # of the updates that counted
    refused: dict[str, str]  # why
    losses: dict[str, float]  # mean training loss
    train_s: dict[str, float]  # to open the model, train and pack the update
    aggregate_s: float  # to check all updates and make the next model
    bytes_down: dict[str, int]  # payload of the model
    bytes_up: dict[str, int]  # payload of the update; absent where there was none

    def seconds(self, link_bps: float) -> float:
        """Wall time with areas in parallel, each on a link of its own of so many bits/s."""
        slowest = max(
            spent + 8 * (self.bytes_down[area] + self.bytes_up.get(area, 0)) / link_bps
            for area, spent in self.train_s.items())
        return slowest + self.aggregate_s


@dataclass(frozen=True, slots=True)
class Mapped:
    """The outcome of a distributed mapping."""

    weights: dict[str, FloatArray]
    rounds: tuple[Round, ...]
    bytes_final: int  # payload of the last model, which every area gets

    def seconds(self, link_bps: float) -> float:
        """Wall time until every area has the last model; see `Round.seconds`."""
        rounds_s = sum(each.seconds(link_bps) for each in self.rounds)
        return rounds_s + 8 * self.bytes_final / link_bps

    def bytes_moved(self, areas: int) -> int:
        """Both ways over all links, with the last model brought to so many areas."""
        return self.bytes_final * areas + sum(
            sum(each.bytes_down.values()) + sum(each.bytes_up.values()) for each in self.rounds)


Clock = Callable[[], float]  # seconds
Stop = Callable[[Round, Tensors], bool]  # whether the model after this round is good enough


def never(_round: Round, _weights: Tensors) -> bool:
    """Go on until the last round."""
    return False


def distribute(
    learners: Mapping[str, Learner], weights: Tensors, plan: Plan, *,
    stop: Stop = never, clock: Clock = process_time,
) -> Mapped:
    """Map all areas together, from these weights.

    The default clock counts what this process computed, so other load on the machine does not
    lengthen the times; use `perf_counter` where a device computes. An area that can train nothing
    is left out of its round. Raises SettingsError when more areas are to be drawn than there are.
    """
    names = sorted(learners)
    if not names or plan.sampled > len(names):
        raise SettingsError(f'sampled is {plan.sampled}: there are {len(names)} areas')
    rng = np.random.default_rng(plan.seed)
    settings = replace(plan.aggregator, quorum=1, deadline=0.0, max_rounds=0)
    server = Server(settings, Nowhere(), Checkpoint(FEDERATION, 0, '{}', weights), 0)
    rounds: list[Round] = []
    for number in range(plan.rounds):
        drawn = {name: learners[name] for name in _draw(names, plan.sampled, rng)}
        rounds.append(_round(server, drawn, number, plan, clock))
        if stop(rounds[-1], server.tensors):
            break
    return Mapped(dict(server.tensors), tuple(rounds), len(server.model.payload))


def _draw(names: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    if not count:
        return list(names)
    return sorted(rng.choice(names, count, replace=False).tolist())


def _round(
    server: Server, learners: Mapping[str, Learner], number: int, plan: Plan, clock: Clock,
) -> Round:
    model, limit = server.model, plan.aggregator.max_update_bytes
    losses: dict[str, float] = {}
    train_s: dict[str, float] = {}
    updates: list[Update] = []
    for area, learner in learners.items():
        begin = clock()
        losses[area], update = learn(area, learner, model, plan.local_steps, limit)
        train_s[area] = clock() - begin
        updates += [update] if update is not None else []
    begin = clock()
    refused = {update.area: why for update in updates
               if (why := server.receive(update, number * NS_PER_S)) is not None}
    server.step(number * NS_PER_S)
    return Round(
        number, {each.area: each.windows for each in updates if each.area not in refused}, refused,
        losses, train_s, clock() - begin, dict.fromkeys(learners, len(model.payload)),
        {each.area: len(each.payload) for each in updates})


def learn(
    area: str, learner: Learner, model: GlobalModel, steps: int, limit_bytes: int,
) -> tuple[float, Update | None]:
    """The loss of an area and its update, None when it could train nothing.

    Raises ModelError when the model does not fit the learner.
    """
    try:
        learner.load(open_model(model, limit_bytes))
    except ModelError as err:
        raise ModelError(f'area {area!r}: {err}') from err
    loss, tensors = learner.train(steps), learner.update()
    if not tensors:
        return loss, None
    return loss, answer(model, area, len(learner.kept), learner.modalities, tensors)
