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

"""An offered belief must agree with what is measured."""

import numpy as np
import pytest

from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.twin.belief_gate import BeliefGate
from utt_ros.twin.ftm_model import FtmRangeModel
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.subject_belief import SubjectBelief

AREA = AreaSettings(area='hall')
CAMERA = CameraModel(AREA)
SETTINGS = ParticleFilterSettings()


@pytest.fixture
def gate() -> BeliefGate:
    return BeliefGate(CAMERA, (FtmRangeModel(AREA, SETTINGS),), SETTINGS)


def at(x: float, y: float, std: float = 0.3) -> SubjectBelief:
    return SubjectBelief(np.array([x, y, 1.0, 0.0, 0.0]), std**2 * np.eye(5), None)


def test_a_box_is_near_the_belief_or_contradicts_it(gate: BeliefGate) -> None:
    box = CAMERA.project(np.array([[6.0, 1.0]]))[0].astype(np.float32)
    assert gate.admits_box(at(6.3, 1.2), box)
    assert not gate.admits_box(at(6.0, 5.0), box)
    assert gate.admits_box(at(6.0, 5.0, std=2.0), box)
    assert not gate.admits_box(at(6.0, 1.0), np.full(5, np.nan, np.float32))


def test_ranges_contradict_a_belief_on_another_ring(gate: BeliefGate) -> None:
    model = FtmRangeModel(AREA, SETTINGS)
    measured = np.array([float(model.expected_range(np.array(6.0), np.array(0.0)))])
    assert gate.admits_ranges(at(6.0, 0.0), measured)
    assert gate.admits_ranges(at(0.0, 6.0), measured)  # a range has no bearing
    assert not gate.admits_ranges(at(20.0, 0.0), measured)
    assert gate.admits_ranges(at(20.0, 0.0), np.array([np.nan]))


def test_an_ensemble_elsewhere_contradicts_a_belief(gate: BeliefGate) -> None:
    assert gate.admits_ensemble(at(6.0, 0.0), np.array([0.0, 0.0]), 16.0 * np.eye(2))
    assert not gate.admits_ensemble(at(6.0, 0.0), np.array([0.0, 0.0]), np.eye(2))
