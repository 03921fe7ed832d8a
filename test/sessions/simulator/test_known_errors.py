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

"""Errors that area files of simulated areas state: of boxes, and of places without a camera."""

from itertools import islice

import numpy as np
import pytest

from utt_ros.evaluation.metrics.position import coverage_90, squared_mahalanobis
from utt_ros.geometry.camera import CameraModel
from utt_ros.models.model_card import load_model
from utt_ros.models.onnx_export import export_onnx
from utt_ros.orchestration.arguments import PRETRAINED_FILE
from utt_ros.sessions.simulator.detections import detect_people, frame_times
from utt_ros.sessions.simulator.known_errors import SIMULATED_BELIEF
from utt_ros.sessions.simulator.trajectories import simulate_walk
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session
from utt_ros.settings import AreaSettings, WindowSettings, from_mapping
from utt_ros.sync.offline_sync import synchronize
from utt_ros.twin.engine import TwinEngine
from utt_ros.twin.graph_layout import MIN_SEVERAL
from utt_ros.twin.model_service import REPLAY_WAIT_S
from utt_ros.twin.onnx_model import OnnxModel
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.types import CHI2_90_2D, Array

WINDOW = WindowSettings()


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


@pytest.mark.slow
def test_ellipses_without_a_camera_hold_90_percent_of_the_truth_and_not_all_of_it() -> None:
    twin, _ = load_model(PRETRAINED_FILE)
    model = OnnxModel(export_onnx(twin, MIN_SEVERAL), WINDOW)
    squares = np.concatenate([half_a_minute(seed, model) for seed in range(400, 408)])
    assert len(squares) > 5000
    assert 0.88 < coverage_90(squares) < 0.98


def half_a_minute(seed: int, model: OnnxModel) -> Array:
    """Squared Mahalanobis distances of the truth, in an area of three access points."""
    plan = plan_sessions(1, 3.0, seed, ['area0'], access_points=3)[0]
    area, session = plan.area.settings, simulate_session(plan)
    engine = TwinEngine(area, WINDOW, from_mapping(ParticleFilterSettings, SIMULATED_BELIEF),
                        max_wait_s=REPLAY_WAIT_S)
    engine.deploy(model)
    batches = islice(synchronize(
        session, modalities=area.modalities, windows=WINDOW,
        access_points=area.ap_addresses), 300)
    return np.concatenate([
        squared_mahalanobis(session.truth[name], np.array([tick.stamp_ns]), position[None],
                            covariance[None])
        for tick in map(engine.step, batches)
        for name, position, covariance in zip(
            tick.subjects, tick.position, tick.covariance, strict=True)])
