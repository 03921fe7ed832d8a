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

"""The detector of drawn figures, run as the camera's driver runs it."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from utt_ros.drivers.camera.detection import DetectionSettings, OnnxDetector
from utt_ros.geometry.camera import CameraModel
from utt_ros.sessions.simulator.drawing import draw_picture
from utt_ros.sessions.simulator.figure_detector import NETWORK_SIDE_PX, write_figure_detector
from utt_ros.sessions.simulator.live_area import BOX_ERROR_PX
from utt_ros.sessions.simulator.live_world import live_session_plan
from utt_ros.types import CHI2_90_2D

AREA = live_session_plan(0, 20.0).area.settings


@pytest.fixture(scope='module')
def detector(tmp_path_factory: pytest.TempPathFactory) -> OnnxDetector:
    path = tmp_path_factory.mktemp('network') / 'figures.onnx'
    write_figure_detector(AREA, path)
    return OnnxDetector(DetectionSettings(
        detector='onnx', model=str(path), input_size=NETWORK_SIDE_PX, score=0.5, overlap=0.3,
        threads=1))


def seen(positions_m: list[tuple[float, float]], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    boxes = CameraModel(AREA).project(np.array(positions_m).reshape(-1, 2))
    image = draw_picture(AREA, boxes, rng.uniform(0, 6, len(boxes)), rng)
    return cv2.imdecode(cv2.imencode('.jpg', image)[1], cv2.IMREAD_COLOR)


def test_drawn_people_are_found_where_they_stand(detector: OnnxDetector) -> None:
    model = CameraModel(AREA)
    places = [(3.5, 0.4), (6.0, -2.0), (9.0, 3.0), (14.0, -2.0)]
    for seed in range(5):
        people = detector.detect(seen(places, seed))
        boxes = people.boxes.copy()
        boxes[:, 2] = model.floor_depth(boxes)
        found = model.locate(boxes)[0]
        assert len(found) == len(places)
        for place in places:
            nearest = np.linalg.norm(found - place, axis=1).min()
            assert nearest < 0.1 * np.hypot(*place)


def test_steps_of_the_network_are_within_the_box_error_of_the_live_area(
    detector: OnnxDetector,
) -> None:
    rng, distances = np.random.default_rng(7), np.linspace(3.0, 15.0, 80)
    places = np.stack([distances, rng.uniform(-0.4, 0.4, 80) * distances], 1)
    found = [detector.detect(seen([(x, y)], seed)).boxes for seed, (x, y) in enumerate(places)]
    assert [len(boxes) for boxes in found] == [1] * len(places)
    boxes = np.concatenate(found)
    boxes[:, 2] = CameraModel(AREA).floor_depth(boxes)

    def coverage(box_error: float) -> float:
        camera = CameraModel(replace(AREA, depth_error=0.1), box_error)
        located, covariances = camera.locate(boxes)
        error = located - places
        square = np.einsum('ni,nij,nj->n', error, np.linalg.inv(covariances), error)
        return float((square <= CHI2_90_2D).mean())

    assert coverage(BOX_ERROR_PX) >= 0.95  # of independent boxes; those of a walk are not
    assert coverage(0.0) < 0.9


def test_nobody_is_found_in_an_empty_room(detector: OnnxDetector) -> None:
    for seed in range(5):
        assert len(detector.detect(seen([], seed)).boxes) == 0
