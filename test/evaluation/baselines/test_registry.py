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

"""Baselines by name, built in and from outside."""

import numpy as np
import pytest

from utt_ros.errors import SettingsError
from utt_ros.evaluation.baselines.registry import BASELINES, Baseline
from utt_ros.evaluation.ground_truth import SubjectTrajectory
from utt_ros.settings import AreaSettings, WindowSettings

WINDOW = WindowSettings()


@pytest.mark.parametrize('name', BASELINES.names())
def test_baseline_estimates_every_tick_and_predicts_if_it_claims_to(
    area: AreaSettings, walk: SubjectTrajectory, name: str,
) -> None:
    track = BASELINES[name].estimate(area, walk, WINDOW)
    assert track.position.shape == (len(walk.stamps_ns), 2)
    assert np.isfinite(track.position).all()
    assert (track.future_displacements is not None) == BASELINES[name].predicts


def test_reference_from_the_truth_predicts_a_straight_line(
    area: AreaSettings, walk: SubjectTrajectory,
) -> None:
    track = BASELINES['constant_velocity_truth'].estimate(area, walk, WINDOW)
    assert track.future_displacements is not None
    assert np.abs(np.diff(track.future_displacements, 2, axis=1)).max() < 1e-5
    assert np.array_equal(track.position, walk.truth_m().astype(np.float32))


def test_baseline_of_another_package_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BASELINES, '_values', dict(BASELINES._values))
    mine = Baseline(BASELINES['kalman_camera'].estimate, 'camera')
    BASELINES.register('mine', mine)
    assert BASELINES['mine'] is mine
    with pytest.raises(SettingsError, match='registered already'):
        BASELINES.register('mine', BASELINES['particles'])
    with pytest.raises(SettingsError, match='must be one of'):
        BASELINES['unknown']
