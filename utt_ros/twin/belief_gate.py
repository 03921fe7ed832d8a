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

"""Whether the belief of another area can be that about a subject measured here."""

from collections.abc import Sequence

import numpy as np

from utt_ros.geometry.camera import CameraModel
from utt_ros.twin.ftm_model import Floats, FtmRangeModel
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.subject_belief import SubjectBelief
from utt_ros.types import Array, FloatArray

MAX_GATE_NIS = 16.0  # as of a box that contradicts the ensemble
MIN_GATE_DISTANCE_M = 0.1  # from an access point, where a range has a direction


class BeliefGate:
    """Compares offered beliefs with measurements of a tick and with an ensemble."""

    def __init__(
        self, camera: CameraModel, ftm: Sequence[FtmRangeModel], settings: ParticleFilterSettings,
    ) -> None:
        self._camera, self._ftm = camera, ftm
        self._range_variance = settings.range_bias_std**2 + settings.range_std**2

    def admits_box(self, offer: SubjectBelief, box: FloatArray) -> bool:
        """Whether a box (5,) can be that of the offered belief."""
        positions, covariances = self._camera.locate(box[None])
        return _is_near(offer, positions[0], covariances[0])

    def admits_ranges(self, offer: SubjectBelief, ranges: Array) -> bool:
        """Whether ranges (A,) [m], NaN where there is none, can be those of the offered belief."""
        heard = np.flatnonzero(np.isfinite(ranges)).tolist()
        return all(self._admits_range(offer, number, float(ranges[number])) for number in heard)

    def admits_ensemble(self, offer: SubjectBelief, mean: Floats, covariance: Floats) -> bool:
        """Whether an ensemble's position (2,) and covariance (2, 2) can be the offered one's."""
        return _is_near(offer, mean, covariance)

    def _admits_range(self, offer: SubjectBelief, number: int, measured_m: float) -> bool:
        model = self._ftm[number]
        x, y = offer.mean[:2]
        away = offer.mean[:2] - model.position
        away /= max(float(np.linalg.norm(away)), MIN_GATE_DISTANCE_M)
        expected = float(model.expected_range(np.array([x]), np.array([y]))[0])
        variance = away @ offer.covariance[:2, :2] @ away + self._range_variance
        return bool((measured_m - expected)**2 <= MAX_GATE_NIS * variance)


def _is_near(offer: SubjectBelief, position: Floats, covariance: Floats) -> bool:
    """Whether a position is one of the offered belief; false for one that is not finite."""
    residual = position - offer.mean[:2]
    squared = residual @ np.linalg.solve(offer.covariance[:2, :2] + covariance, residual)
    return bool(squared <= MAX_GATE_NIS)
