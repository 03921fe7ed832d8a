"""How methods of association are prepared and judged: the same encounters for all of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, nan
from typing import Any

import numpy as np
import numpy.typing as npt

from utt_ros.association.assignment import Costs, assign
from utt_ros.association.dead_reckoning import headings
from utt_ros.association.pair_features import MIN_SPEED_MPS, follow
from utt_ros.evaluation.association.encounters import EVERY_TICKS, Encounter, crowd, encounters
from utt_ros.training.recordings import Data

AGES_S = (1, 3, 5, 10)
CROWD, CROWD_S, CROWD_SEED = 8, 3, 20240


@dataclass(frozen=True, slots=True)
class Setting:
    """Encounters that are judged together."""

    name: str  # such as 'fixed 3 s'
    encounters: tuple[Encounter, ...]
    ages_s: tuple[float, float] = (0.0, inf)  # of the tracks that count: from, below


class Encounters:
    """All settings of a split, each made when it is first asked for."""

    def __init__(self, data: Data, split: str, every: int = EVERY_TICKS) -> None:
        self._data, self._split, self._every = data, split, every

    @cached_property
    def all(self) -> tuple[Encounter, ...]:
        """With windows of ten seconds."""
        return tuple(one for recording in self._data.of(self._split)
                     for one in encounters(
                         recording, self._data.shape, every=self._every))

    @cached_property
    def fixed(self) -> tuple[Setting, ...]:
        """Windows of fixed length, tracks as old as the window."""
        return tuple(
            Setting(f'fixed {age} s', tuple(self._cut(age))) for age in AGES_S)

    @cached_property
    def crowd(self) -> Setting:
        """Windows of three seconds among eight phones."""
        rng = np.random.default_rng(CROWD_SEED)
        return Setting(
            f'crowd {CROWD_S} s', tuple(crowd(tuple(self._cut(CROWD_S)), CROWD, rng)))

    @cached_property
    def growing(self) -> tuple[Setting, ...]:
        """All since a track appeared, ten seconds at most; tracks of about an age count."""
        slack = 1.5 * self._data.shape.period
        return tuple(
            Setting(f'growing {age} s', self.all,
                    (age - slack, inf if age == max(AGES_S) else age - slack + 1.0))
            for age in AGES_S)

    @property
    def tuning(self) -> tuple[Setting, ...]:
        """What choices are made by, on the val split."""
        return (*self.fixed, self.crowd)

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What is published."""
        return (*self.fixed, *self.growing, self.crowd)

    def examples(self) -> Iterator[Encounter]:
        """What networks learn from: each encounter once in each setting."""
        for setting in self.tuning:
            yield from setting.encounters
        yield from self.all

    def _cut(self, age_s: float) -> Iterator[Encounter]:
        for one in self.all:
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
        return self.right / self.tracks if self.tracks else nan


class Remembered:
    """A function of an encounter that is computed once for each."""

    def __init__(self, compute: Callable[[Encounter], Any]) -> None:
        self._compute = compute
        self._known: dict[int, Any] = {}

    def __call__(self, one: Encounter) -> Any:
        """Its value, now or from before; the encounter must live as long as this."""
        if id(one) not in self._known:
            self._known[id(one)] = self._compute(one)
        return self._known[id(one)]


def judge(
    settings: Sequence[Setting], cost: Callable[[Encounter], Costs],
) -> dict[str, Score]:
    """The score in each setting."""
    right = Remembered(lambda one: assign(cost(one)) == one.owners)
    scores = {}
    for setting in settings:
        found = [right(one)[_of_age(one, setting)] for one in setting.encounters]
        scores[setting.name] = Score(
            sum(int(part.sum()) for part in found), sum(len(part) for part in found))
    return scores


def _of_age(one: Encounter, setting: Setting) -> npt.NDArray[np.bool_]:
    low, high = setting.ages_s
    ages = one.seen.ages_s
    return np.asarray((ages >= low) & (ages < high))


def mean_idp(scores: Mapping[str, Score]) -> float:
    """The mean over settings that have tracks; by it choices are made. NaN where none has."""
    found = [score.idp for score in scores.values() if score.tracks]
    return float(np.mean(found)) if found else nan


def heading_biases(found: Sequence[Encounter]) -> dict[str, float]:
    """By area, how far phones point left of where their owners go, on average [rad].

    From labelled encounters of the train split: what an installer would calibrate once.
    """
    sums: dict[str, complex] = {}
    for one in found:
        angles, valid = headings(one.seen, one.area.magnetic_yaw)
        velocity = follow(one.seen, one.area).velocity
        going = np.nan_to_num(velocity[..., 0]) + 1j * np.nan_to_num(velocity[..., 1])
        use = valid[one.owners] & (np.abs(going) > MIN_SPEED_MPS)
        turn = np.exp(1j * (angles[one.owners] - np.angle(going)))
        sums[one.area.area] = sums.get(one.area.area, 0j) + complex(turn[use].sum())
    return {area: float(np.angle(total)) for area, total in sums.items()}
