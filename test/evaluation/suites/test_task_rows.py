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

"""Rows of the tasks suite, of a perfect track."""

import numpy as np
import pytest

from utt_ros.evaluation.ground_truth import SubjectTrajectory, TrackEstimate
from utt_ros.evaluation.suites.task_rows import (
    TaskLabel,
    TrackedWalk,
    path_rows,
    position_prediction,
    position_rows,
)
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.recordings import RecordedSequence
from utt_ros.types import Session

LABEL = TaskLabel('perfect', 'truth', 'none', 0)
WINDOW = WindowSettings()


@pytest.fixture
def tracked(area: AreaSettings, walk: SubjectTrajectory) -> TrackedWalk:
    ticks = len(walk.stamps_ns)
    future = walk.future_m(WINDOW.period, WINDOW.horizon) - walk.truth_m()[:, None]
    track = TrackEstimate(
        walk.truth_m().astype(np.float32), np.tile(np.eye(2, dtype=np.float32), (ticks, 1, 1)),
        future.astype(np.float32))
    session = Session('a', 'one', 'test', None, {}, {walk.subject: walk.truth})
    recording = RecordedSequence(area, 'one', 'test', (), session)
    return TrackedWalk(recording, walk, track, np.zeros(ticks, bool))


def test_perfect_track_has_no_position_error(tracked: TrackedWalk) -> None:
    values = {(row.operation, row.target, row.metric): row.value
              for row in position_rows([tracked], LABEL)}
    assert values['position', 'camera', 'p90_m'] < 1e-6
    assert values['interval', 'camera', 'coverage_90'] == 1.0
    assert not [target for _, target, _ in values if target != 'camera']  # always in view


def test_perfect_paths_have_no_error_within_the_horizon(tracked: TrackedWalk) -> None:
    values = {(row.target, row.metric): row.value
              for row in path_rows([tracked], [tracked], LABEL, WINDOW)}
    assert values['1s', 'ade_m'] < 1e-5
    assert values['5s', 'min_ade_20_m'] <= values['5s', 'ade_m']


def test_prediction_has_one_row_per_tick(tracked: TrackedWalk) -> None:
    prediction = position_prediction([tracked], LABEL, np.zeros(2))
    assert prediction.prediction.shape == (len(tracked.walk.stamps_ns), 1, 2)
    assert prediction.mask.all()
    assert set(prediction.subject) == {'somebody'}
