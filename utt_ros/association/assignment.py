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

"""Minimum-cost assignment of phones to tracks (Hungarian method)."""

from math import inf

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from utt_ros.types import Indices

Costs = npt.NDArray[np.float64]
UNASSIGNED = -1


def assign(cost: Costs, no_phone_cost: float = inf) -> Indices:
    """Return the phone (K,) of each track, UNASSIGNED for none, at minimum total cost.

    A phone is assigned once at most. A track without a phone costs `no_phone_cost`; with inf,
    tracks stay without one only when phones run out. A cost (K, P) that is not finite counts as
    the mean of the finite ones.
    """
    tracks, phones = cost.shape
    if not tracks or not phones:
        return np.full(tracks, UNASSIGNED, np.intp)
    known = np.isfinite(cost)
    filled = np.where(known, cost, cost[known].mean() if known.any() else 0.0)
    unassigned = (no_phone_cost if np.isfinite(no_phone_cost)
                  else 1e3 * (1.0 + np.abs(filled).max()))
    rows, columns = linear_sum_assignment(
        np.hstack([filled, np.full((tracks, tracks), unassigned)]))
    assigned = np.full(tracks, UNASSIGNED, np.intp)
    assigned[rows] = np.where(columns < phones, columns, UNASSIGNED)
    return assigned
