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

"""Hand-over: unsure subjects of an area begin with what other areas believe about them."""

import numpy as np

from utt_ros.twin.belief_gate import BeliefGate
from utt_ros.twin.neighbour_beliefs import NeighbourBeliefs
from utt_ros.twin.subject_belief import SubjectBelief
from utt_ros.twin.subject_ensembles import SURE_VARIANCE_M2, SubjectEnsembles
from utt_ros.types import Array, FloatArray, Indices, MaskArray, SyncedBatch


class BeliefHandover:
    """Replaces ensembles by beliefs of other areas that contradict no measurement."""

    def __init__(
        self, neighbours: NeighbourBeliefs | None, gate: BeliefGate,
        ensembles: SubjectEnsembles,
    ) -> None:
        self._neighbours, self._gate, self._ensembles = neighbours, gate, ensembles

    def take_over(
        self, batch: SyncedBatch, served: Indices, rows: Indices, measured: MaskArray,
        ranges: Array,
    ) -> None:
        """Begin unsure subjects with a box or range at this tick by beliefs about them.

        `served`: samples of the subjects in `rows` (S,); `measured` (S, 3) by sensor; `ranges`
        (N, A) of all samples, NaN where there is none. A belief that contradicts these, or the
        ensemble, is not used.
        """
        if not self._neighbours:
            return
        known, sure = self._ensembles.known, self._ensembles.sure
        for index in np.flatnonzero(~sure[rows] & measured[:, :2].any(1)).tolist():
            sample, row = served[index], rows[index]
            offer = self._neighbours.offer(batch.subjects[sample], batch.stamp_ns)
            if offer is None or (known[row] and offer.position_variance > SURE_VARIANCE_M2):
                continue
            box = batch.camera[sample] if measured[index, 0] else None
            if self._admits(offer, row, box, ranges[sample]):
                self._ensembles.place_belief(row, offer)
                self._neighbours.taken += 1
            else:
                self._neighbours.contradicted += 1

    def _admits(
        self, offer: SubjectBelief, row: int, box: FloatArray | None, ranges: Array,
    ) -> bool:
        """Return whether an offered belief agrees with measurements and with an ensemble."""
        if box is not None and not self._gate.admits_box(offer, box):
            return False
        if self._ensembles.known[row]:
            mean, covariance = self._ensembles.moments(np.array([row]))
            if not self._gate.admits_ensemble(offer, mean[0, :2], covariance[0]):
                return False
        return self._gate.admits_ranges(offer, ranges)
