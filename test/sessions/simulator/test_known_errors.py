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

"""Errors that area files of simulated areas state: those of simulated boxes."""

import numpy as np
import pytest

from utt_ros.geometry.camera import CameraModel
from utt_ros.sessions.simulator.detections import detect_people, frame_times
from utt_ros.sessions.simulator.known_errors import SIMULATED_BELIEF
from utt_ros.sessions.simulator.trajectories import simulate_walk
from utt_ros.settings import AreaSettings, from_mapping
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.types import CHI2_90_2D


def test_ellipses_of_simulated_boxes_have_the_size_of_their_errors() -> None:
    rng, area = np.random.default_rng(5), AreaSettings()
    walks = [simulate_walk(rng, 1.2, np.array([[16.0, 0.0]]), 60.0) for _ in range(6)]
    times_s = frame_times(rng, 60.0)
    boxes, seen, _ = detect_people(rng, area, walks, times_s)
    places = np.stack([walk.at(times_s).position_m for walk in walks], axis=1)

    def coverage(settings: ParticleFilterSettings) -> float:
        camera = CameraModel(area, body_spread=settings.body_spread)
        found, covariances = camera.locate(boxes[seen])
        error = found - places[seen]
        square = np.einsum('ni,nij,nj->n', error, np.linalg.inv(covariances), error)
        return float((square <= CHI2_90_2D).mean())

    assert coverage(from_mapping(ParticleFilterSettings, SIMULATED_BELIEF)) == pytest.approx(
        0.9, abs=0.03)
    assert coverage(ParticleFilterSettings()) > 0.95, 'people differ more than simulated ones'
