"""How methods of association are prepared and judged: the same encounters for all of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

import numpy as np
import numpy.typing as npt

from utt_ros.association.evidence import SLOWEST_MPS, follow
from utt_ros.association.matching import Costs, Matcher, assign
from utt_ros.association.steps import headings
from utt_ros.federation.wire import Tensors
from utt_ros.records import FloatArray
from utt_ros.settings import AreaSettings
from utt_ros.study.data import Data
from utt_ros.study.distributed import Learner, Plan, Round, distribute
from utt_ros.study.encounters import Encounter, crowd, encounters

AGES_S = (1, 3, 5, 10)
CROWD, CROWD_TICKS, CROWD_SEED = 8, 30, 20240
MakeMatcher = Callable[[AreaSettings], Matcher]


@dataclass(frozen=True, slots=True)
class Setting:
    """Encounters that are judged together."""

    name: str  # such as 'fixed 3 s'
    encounters: tuple[Encounter, ...]
    oldest_s: tuple[float, float] = (0.0, inf)  # ages of the tracks that count: from, below


class Encounters:
    """All settings of a split, made once. Costs that settings share are computed once, too."""

    def __init__(self, data: Data, split: str) -> None:
        self._data, self._split = data, split

    @cached_property
    def all(self) -> tuple[Encounter, ...]:
        """With windows of ten seconds."""
        return tuple(one for recording in self._data.of(self._split)
                     for one in encounters(recording, self._data.shape))

    @cached_property
    def fixed(self) -> tuple[Setting, ...]:
        """Windows of fixed length, tracks as old as the window."""
        return tuple(
            Setting(f'fixed {age} s', tuple(self._cut(self.all, age))) for age in AGES_S)

    @cached_property
    def crowd(self) -> Setting:
        """Windows of three seconds among eight phones."""
        rng = np.random.default_rng(CROWD_SEED)
        short = tuple(self._cut(self.all, CROWD_TICKS * self._data.shape.period))
        return Setting('crowd 3 s', tuple(crowd(short, CROWD, rng)))

    @cached_property
    def growing(self) -> tuple[Setting, ...]:
        """All since a track appeared, ten seconds at most; tracks of about an age count."""
        slack = 1.5 * self._data.shape.period
        return tuple(
            Setting(f'growing {age} s', self.all,
                    (age - slack, age - slack + 1.0 if age < max(AGES_S) else inf))
            for age in AGES_S)

    @property
    def tuning(self) -> tuple[Setting, ...]:
        """What choices are made by, on the val split."""
        return (*self.fixed, self.crowd)

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What is published."""
        return (*self.fixed, *self.growing, self.crowd)

    def _cut(self, found: Sequence[Encounter], age_s: float) -> Iterator[Encounter]:
        for one in found:
            short = one.last(round(age_s / self._data.shape.period))
            if len(short.owners):
                yield short


@dataclass(frozen=True, slots=True)
class Score:
    """Tracks that got the right phone, of all tracks in view."""

    right: int
    tracks: int

    @property
    def idp(self) -> float:
        """Share; NaN where there was no track."""
        return self.right / self.tracks if self.tracks else float('nan')


def judge(
    settings: Sequence[Setting], cost: Callable[[Encounter], Costs],
) -> dict[str, Score]:
    """The score in each setting. `cost` is asked once for each encounter."""
    known: dict[int, npt.NDArray[np.bool_]] = {}
    scores = {}
    for setting in settings:
        right = tracks = 0
        for one in setting.encounters:
            if id(one) not in known:
                known[id(one)] = assign(cost(one)) == one.owners
            counts = _of_age(one, setting)
            right += int(known[id(one)][counts].sum())
            tracks += int(counts.sum())
        scores[setting.name] = Score(right, tracks)
    return scores


def _of_age(one: Encounter, setting: Setting) -> npt.NDArray[np.bool_]:
    low, high = setting.oldest_s
    ages = one.seen.ages_s
    return np.asarray((ages >= low) & (ages < high))


def mean_idp(scores: Mapping[str, Score]) -> float:
    """The mean over settings that have tracks; by it choices are made."""
    return float(np.mean([score.idp for score in scores.values() if score.tracks]))


def by_area(make: MakeMatcher) -> Callable[[Encounter], Costs]:
    """Costs by each area's own matcher."""
    matchers: dict[str, Matcher] = {}

    def cost(one: Encounter) -> Costs:
        if one.area.area not in matchers:
            matchers[one.area.area] = make(one.area)
        return matchers[one.area.area].cost(one.seen)
    return cost


def heading_biases(found: Sequence[Encounter]) -> dict[str, float]:
    """By area, how far phones point left of where their owners go, on average [rad].

    From labelled encounters of the train split: what an installer would calibrate once.
    """
    sums: dict[str, complex] = {}
    for one in found:
        angles, valid = headings(one.seen, one.area.magnetic_yaw)
        velocity = follow(one.seen, one.area).velocity
        going = np.nan_to_num(velocity[..., 0] + 1j * velocity[..., 1])
        use = valid[one.owners] & (np.abs(going) > SLOWEST_MPS)
        turn = np.exp(1j * (angles[one.owners] - np.angle(going)))
        sums[one.area.area] = sums.get(one.area.area, 0j) + complex(turn[use].sum())
    return {area: float(np.angle(total)) for area, total in sums.items()}


def fit(
    learners: Mapping[str, Learner], weights: Tensors, loss: Callable[[Tensors], float],
    plan: Plan,
) -> dict[str, FloatArray]:
    """The weights of least `loss` after any round of the distributed mapping.

    One learner for all data is training in one place.
    """
    best, least = dict(weights), inf

    def watch(_round: Round, now: Tensors) -> bool:
        nonlocal best, least
        found = loss(now)
        if found < least:
            best, least = {name: values.copy() for name, values in now.items()}, found
        return False
    distribute(learners, weights, plan, stop=watch)
    return best


def choose(candidates: Mapping[str, Mapping[str, Score]]) -> str:
    """The candidate of the highest mean IDP; the first of equals."""
    return max(candidates, key=lambda name: mean_idp(candidates[name]))
