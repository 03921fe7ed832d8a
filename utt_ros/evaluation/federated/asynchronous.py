"""Areas that do not wait for each other, in one process and on a simulated clock."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from utt_ros.errors import SettingsError
from utt_ros.evaluation.federated.fedasync import AsynchronousServer, Mixing
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.types import GlobalModel, Update
from utt_ros.federation.wire import Tensors
from utt_ros.settings import check, setting
from utt_ros.training.simulated_rounds import (
    FEDERATION,
    Learner,
    Mapped,
    Plan,
    Round,
    distribute,
    learn,
)
from utt_ros.types import FloatArray


@dataclass(frozen=True, slots=True)
class AsynchronousPlan:
    """Some rounds together, and then everybody at their own pace."""

    initial: Plan = field(default_factory=lambda: Plan(rounds=3))
    updates: int = setting(60, 'updates after the rounds together', low=1, high=1_000_000)
    mixing: Mixing = field(default_factory=Mixing)

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class Merge:
    """One update, mixed in or refused."""

    stamp_s: float  # simulated, since the begin of the first round
    area: str
    staleness: int
    refused: str  # why; empty when it was mixed in
    loss: float
    bytes_down: int
    bytes_up: int


@dataclass(frozen=True, slots=True)
class Followed:
    """The outcome of an asynchronous mapping."""

    weights: dict[str, FloatArray]
    initial: Mapped
    merges: tuple[Merge, ...]

    @property
    def seconds(self) -> float:
        """Simulated time until the last update; making a model of it takes no time."""
        return self.merges[-1].stamp_s


Stop = Callable[[Merge, Tensors], bool]


def follow(
    learners: Mapping[str, Learner], weights: Tensors, plan: AsynchronousPlan,
    pace_s: Mapping[str, float], link_bps: float, *, stop: Stop = lambda _merge, _weights: False,
) -> Followed:
    """Map all areas, the fast ones more often than the slow ones.

    `pace_s` is how long each area trains for an update, on the simulated clock; its link of so
    many bits/s is its own. So the outcome does not depend on the machine. Raises SettingsError
    where the pace of an area is missing or not above 0.
    """
    for area in learners:
        if not pace_s.get(area, 0.0) > 0.0:
            raise SettingsError(f'the pace of area {area!r} is {pace_s.get(area)} s: '
                                'it must be above 0')
    initial = distribute(learners, weights, plan.initial)
    begin = Checkpoint(FEDERATION, len(initial.rounds), '{}', initial.weights)
    server = AsynchronousServer(plan.initial.aggregator, plan.mixing, begin)
    clock = _Clock(server, pace_s, link_bps)
    now_s = sum(paced(initial.rounds, pace_s, link_bps))
    for area in sorted(learners):
        clock.hand_out(area, now_s)
    merges: list[Merge] = []
    while len(merges) < plan.updates:
        now_s, area, job = clock.next()
        if isinstance(job, GlobalModel):
            clock.hand_in(area, now_s, _train(area, learners[area], job, plan.initial))
            continue
        merges.append(_merge(server, now_s, area, job))
        if stop(merges[-1], server.checkpoint.tensors):
            break
        clock.hand_out(area, now_s)
    return Followed(dict(server.checkpoint.tensors), initial, tuple(merges))


def paced(
    rounds: Iterable[Round], pace_s: Mapping[str, float], link_bps: float,
) -> Iterator[float]:
    """Duration [s] of each round on the simulated clock of `follow`."""
    for each in rounds:
        paces = {area: pace_s[area] for area in each.train_s}
        yield replace(each, train_s=paces, aggregate_s=0.0).seconds(link_bps)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What comes back from an area that has trained."""

    loss: float
    update: Update | None
    bytes_down: int

    @property
    def bytes_up(self) -> int:
        return len(self.update.payload) if self.update is not None else 0


Job = GlobalModel | _Answer


class _Clock:
    """What every area is at, by when it is done: a model to train, or an answer under way."""

    def __init__(
        self, server: AsynchronousServer, pace_s: Mapping[str, float], link_bps: float,
    ) -> None:
        self._server, self._pace_s, self._link_bps = server, pace_s, link_bps
        self._jobs: list[tuple[float, str, Job]] = []  # one of each area: jobs are never compared

    def hand_out(self, area: str, now_s: float) -> None:
        """Let an area get the newest model and train it."""
        model = self._server.model
        down_s = 8 * len(model.payload) / self._link_bps
        heappush(self._jobs, (now_s + down_s + self._pace_s[area], area, model))

    def hand_in(self, area: str, now_s: float, answer: _Answer) -> None:
        """Let an area send its answer."""
        heappush(self._jobs, (now_s + 8 * answer.bytes_up / self._link_bps, area, answer))

    def next(self) -> tuple[float, str, Job]:
        """What is done next, by name of the area where two are done at once."""
        return heappop(self._jobs)


def _train(area: str, learner: Learner, model: GlobalModel, plan: Plan) -> _Answer:
    limit = plan.aggregator.max_update_bytes
    loss, update = learn(area, learner, model, plan.local_steps, limit)
    return _Answer(loss, update, len(model.payload))


def _merge(server: AsynchronousServer, now_s: float, area: str, answer: _Answer) -> Merge:
    refused, staleness = 'nothing could be trained', 0
    if answer.update is not None:
        staleness = server.model.round - answer.update.round
        refused = server.receive(answer.update) or ''
    return Merge(
        now_s, area, staleness, refused, answer.loss, answer.bytes_down, answer.bytes_up)
