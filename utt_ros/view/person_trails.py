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

"""Trails of people: their last positions, bounded in time and number."""

from collections import deque
from collections.abc import Collection, Hashable

import numpy as np

from utt_ros.types import NS_PER_S, Array

MAX_TRAIL_POINTS = 48
TRAIL_STEP_NS = NS_PER_S // 5
MAX_TRAIL_AGE_NS = 10 * NS_PER_S
MAX_STEP_M = 3.0  # of a trail in TRAIL_STEP_NS: a longer one begins a new trail


class PersonTrails:
    """Ring of positions for each person."""

    def __init__(self) -> None:
        self._points: dict[Hashable, deque[tuple[int, float, float]]] = {}

    def add(self, person: Hashable, position: Array, now_ns: int) -> None:
        """Add a position (2,) [m] when the last one is TRAIL_STEP_NS old."""
        points = self._points.setdefault(person, deque(maxlen=MAX_TRAIL_POINTS))
        x, y = position.tolist()
        if points:
            last_ns, last_x, last_y = points[-1]
            if 0 <= now_ns - last_ns < TRAIL_STEP_NS:
                return
            if now_ns < last_ns or abs(x - last_x) + abs(y - last_y) > MAX_STEP_M:
                points.clear()
        points.append((now_ns, x, y))

    def trail(self, person: Hashable, now_ns: int) -> Array:
        """Return the recent points (N, 2) [m], the oldest first."""
        recent = [(x, y) for at_ns, x, y in self._points.get(person, ())
                  if now_ns - at_ns <= MAX_TRAIL_AGE_NS]
        return np.array(recent, np.float64).reshape(-1, 2)

    def keep_only(self, people: Collection[Hashable]) -> None:
        """Forget everybody else."""
        for person in self._points.keys() - set(people):
            del self._points[person]
