"""Ways in which a federation may go about mapping, each with the same number of updates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from utt_ros.evaluation.federated.asynchronous import AsynchronousPlan, follow, paced
from utt_ros.evaluation.federated.communication_cost import LINK_BPS
from utt_ros.evaluation.federated.personalisation import Personal, scale_locally
from utt_ros.evaluation.metrics.translation import Bench, translate
from utt_ros.models.operations import Pair
from utt_ros.models.twin import UnifiedTwin, initial_weights
from utt_ros.training.dataset import take
from utt_ros.training.offline_trainer import Recipe, make_learners
from utt_ros.training.recordings import Data
from utt_ros.training.simulated_rounds import Plan, distribute
from utt_ros.types import FloatArray

WAYS = ('together', 'sampled', 'asynchronous', 'personal', 'personal_scaled')
ROUNDS = 12  # of all areas; no model is chosen, so that all ways train as long
TOGETHER = 3  # rounds before areas no longer wait for each other
MAX_SLOWDOWN = 4.0  # times as long as the quickest area needs for an update


@dataclass(frozen=True, slots=True)
class Gone:
    """The model of each area that trained, and how long mapping took on a simulated clock."""

    twins: dict[str, UnifiedTwin]
    seconds: float  # where the quickest area trains for 1 s and the slowest for MAX_SLOWDOWN

    def says(self, bench: Bench, rows: npt.NDArray[np.intp], pair: Pair) -> FloatArray:
        """What each area's model makes of its own windows; an area without one asks another."""
        some = next(iter(self.twins.values()))
        areas = np.array([bench.sequences[row].partition('/')[0] for row in rows])
        made = np.zeros_like(bench.columns[pair[1]][rows])
        for area in sorted(set(areas)):
            here = areas == area
            made[here] = translate(
                self.twins.get(area, some), take(bench.columns, rows[here]), pair)
        return made


def go(data: Data, recipe: Recipe, way: str, seed: int) -> Gone:
    """Map all areas in one of WAYS.

    `together` all areas wait for each other; `sampled` a half of them takes part in a round;
    `asynchronous` nobody waits after a few rounds; `personal` each keeps its fusor to itself, and
    with `personal_scaled` its scaling as well.
    """
    learners = make_learners(data, recipe, seed)
    weights = initial_weights(recipe.model, data.shape, seed)
    plan = Plan(rounds=ROUNDS, local_steps=recipe.local_steps, seed=seed)
    paces = _paces(learners)
    if way == 'asynchronous':
        updates = (ROUNDS - TOGETHER) * len(learners)
        begin = replace(plan, rounds=TOGETHER)
        found = follow(learners, weights, AsynchronousPlan(begin, updates), paces, LINK_BPS)
        for learner in learners.values():
            learner.load(found.weights)
        return Gone({area: one.twin for area, one in learners.items()}, found.seconds)
    if way == 'personal_scaled':
        for learner in learners.values():
            scale_locally(learner.twin, learner.kept.all())
    if way == 'sampled':
        half = (len(learners) + 1) // 2
        plan = replace(plan, sampled=half, rounds=round(ROUNDS * len(learners) / half))
    own = {area: Personal(one) for area, one in learners.items()} if 'personal' in way else {}
    mapped = distribute(own or learners, weights, plan)
    for area, learner in learners.items():
        learner.load(own[area].model(mapped.weights) if own else mapped.weights)
    seconds = sum(paced(mapped.rounds, paces, LINK_BPS))
    return Gone({area: one.twin for area, one in learners.items()}, seconds)


def _paces(areas: Mapping[str, object]) -> dict[str, float]:
    """Seconds for an update of each area, in even steps by name."""
    paces = np.linspace(1.0, MAX_SLOWDOWN, len(areas)).tolist()
    return dict(zip(sorted(areas), paces, strict=True))
