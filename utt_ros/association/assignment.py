"""From costs to pairs."""

from math import inf
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from utt_ros.association.candidates import Candidates

Costs = npt.NDArray[np.float64]
NOBODY = -1


class Matcher(Protocol):
    """A way to tell how badly tracks and phones fit."""

    def cost(self, seen: Candidates) -> Costs:
        """Costs (K, P), lower where track and phone fit better; NaN where nothing tells."""


def assign(cost: Costs, nobody: float = inf) -> npt.NDArray[np.intp]:
    """The phone (K,) of each track, NOBODY where there is none: least total cost, each once.

    A track costs `nobody` that gets no phone; with inf it gets one as long as phones last. A cost
    that is not a number counts as the mean of the others.
    """
    tracks, phones = cost.shape
    if not tracks or not phones:
        return np.full(tracks, NOBODY, np.intp)
    known = np.isfinite(cost)
    filled = np.where(known, cost, cost[known].mean() if known.any() else 0.0)
    lonely = nobody if np.isfinite(nobody) else 1e3 * (1.0 + np.abs(filled).max())
    rows, columns = linear_sum_assignment(np.hstack([filled, np.full((tracks, tracks), lonely)]))
    found = np.full(tracks, NOBODY, np.intp)
    found[rows] = np.where(columns < phones, columns, NOBODY)
    return found
