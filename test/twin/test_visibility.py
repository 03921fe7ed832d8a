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

import numpy as np

from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.twin.visibility import OCCLUSION_PROBABILITY, VisibilityMap

CAMERA = CameraModel(AreaSettings(area='hall'))
VISIBILITY = VisibilityMap(CAMERA)
NOW = np.zeros((1, 1), np.float32)


def test_the_map_agrees_with_the_camera_except_at_its_edges(rng):
    at = rng.uniform(-30, 30, (5000, 2)).astype(np.float32)
    agree = VISIBILITY.covers(at[:, 0], at[:, 1]) == CAMERA.in_view(at)
    assert agree.mean() > 0.98


def test_distant_positions_are_out_of_view():
    far = np.array([1e6, -1e6, 26.9, -26.9], np.float32)
    assert not VISIBILITY.covers(far, np.zeros(4, np.float32)).any()
    assert not VISIBILITY.covers(np.full(4, 8, np.float32), far).any()


def test_misses_are_bounded_evidence_against_being_in_view():
    x, y = np.array([[8.0, -8.0]], np.float32), np.zeros((1, 2), np.float32)
    occluded = np.full((1, 2), OCCLUSION_PROBABILITY, np.float32)
    total = np.ones(2)
    for _ in range(100):
        likelihood, occluded = VISIBILITY.missed_detection(x, y, occluded, NOW)
        total *= likelihood[0]
    assert total[1] == 1
    # no number of misses is stronger evidence than an occlusion
    assert 0.5 * OCCLUSION_PROBABILITY < total[0] < OCCLUSION_PROBABILITY + 0.01
    assert occluded[0, 0] > 0.99


def test_the_probability_of_occlusion_returns_to_its_prior():
    x = y = np.full((1, 1), -8.0, np.float32)
    elapsed = np.full((1, 1), 30.0, np.float32)
    _, occluded = VISIBILITY.missed_detection(x, y, np.ones((1, 1), np.float32), elapsed)
    np.testing.assert_allclose(occluded, OCCLUSION_PROBABILITY, atol=1e-3)
