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

"""Likelihood of a missed detection, given visibility and occlusion."""

import numpy as np

from utt_ros.geometry.camera import DEPTH_LIMITS_M, CameraModel
from utt_ros.types import FloatArray, MaskArray

CELL_M = 0.25
MISS_PROBABILITY = 0.1  # of a visible person, for MISS_INTERVAL_TICKS
OCCLUSION_PROBABILITY = 0.1  # prior, for about OCCLUSION_TAU_S
OCCLUSION_TAU_S = 3.0
MISS_INTERVAL_TICKS = 5  # misses of neighbouring frames are not independent


class VisibilityMap:
    """The floor in a camera's view, as a lookup table: it is read for every particle."""

    def __init__(self, camera: CameraModel) -> None:
        reach = DEPTH_LIMITS_M[1] * 1.5  # depth is less than distance
        centres = np.arange(-reach, reach, CELL_M) + CELL_M / 2
        self._table = camera.in_view(np.stack(np.meshgrid(centres, centres, indexing='ij'), -1))
        self._table[[0, -1]] = self._table[:, [0, -1]] = False  # and so beyond
        self._reach = np.float32(reach)

    def covers(self, x: FloatArray, y: FloatArray) -> MaskArray:
        """Return whether people at x, y (...) [m] are in view (...)."""
        last = len(self._table) - 1
        i, j = (np.clip((at + self._reach) / np.float32(CELL_M), 0, last) for at in (x, y))
        return np.asarray(self._table[i.astype(np.intp), j.astype(np.intp)])

    def missed_detection(
            self, x: FloatArray, y: FloatArray, occluded: FloatArray, elapsed: FloatArray,
    ) -> tuple[FloatArray, FloatArray]:
        """Return likelihoods (S, P) of a miss and posterior probabilities of occlusion (S, P).

        A person in view is missed by chance or because of an occlusion, which tends to last:
        `occluded` (S, P) is its probability for each particle, given all misses so far; in
        `elapsed` seconds (S, 1) without evidence it returns towards OCCLUSION_PROBABILITY. So a
        long series of misses is evidence for no more than being out of view or occluded, and one
        empty frame of a covered camera cannot rule out its whole view [D].
        """
        decay = np.exp(-elapsed / np.float32(OCCLUSION_TAU_S))
        occluded = OCCLUSION_PROBABILITY + (occluded - OCCLUSION_PROBABILITY) * decay
        inside = self.covers(x, y)
        missed = occluded + (1 - occluded) * np.float32(MISS_PROBABILITY)
        likelihood = np.where(inside, missed, np.float32(1))
        return likelihood, np.where(inside, occluded / likelihood, occluded)
