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

"""Position baselines by name; other packages add theirs by `register` or an entry point.

An entry point of the group `utt_ros.baselines` names a `Baseline`. `utt evaluate` runs units in
processes of their own, which find entry points but not calls of `register` in another process.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from utt_ros.evaluation.baselines.bearing import back_projection, bearing_and_range
from utt_ros.evaluation.baselines.kalman import kalman_track
from utt_ros.evaluation.baselines.pdr_particle_filter import pdr_track
from utt_ros.evaluation.baselines.settings import BaselineSettings
from utt_ros.evaluation.ground_truth import SubjectTrajectory, TrackEstimate
from utt_ros.plugins import Registry
from utt_ros.settings import AreaSettings, WindowSettings

Estimator = Callable[[AreaSettings, SubjectTrajectory, WindowSettings], TrackEstimate]

TRUTH_STEP_NS = 100_000_000  # step over which the true velocity is computed
SETTINGS = BaselineSettings()


@dataclass(frozen=True, slots=True)
class Baseline:
    """A method that estimates the track of one subject, and the rows it is evaluated in."""

    estimate: Estimator
    sources: str  # modalities that it reads, such as 'camera+ftm'
    predicts: bool = False  # it has future displacements: rows of `trajectory`
    survives_outages: bool = False  # it estimates without a camera: rows of outages
    reads_truth: bool = False  # a reference for paths, without rows of `position`


def _true_constant_velocity(
    _: AreaSettings, walk: SubjectTrajectory, window: WindowSettings,
) -> TrackEstimate:
    """Predict at constant velocity from the ground truth: a reference for predicted paths."""
    now, before = walk.truth_m(), walk.truth_m(-TRUTH_STEP_NS)
    velocity = (now - before) / (TRUTH_STEP_NS / 1e9)
    seconds = window.period * np.arange(1, window.horizon + 1)
    displacements = velocity[:, None] * seconds[:, None]
    covariance = np.full((len(now), 2, 2), np.nan, np.float32)
    return TrackEstimate(now.astype(np.float32), covariance, displacements.astype(np.float32))


BASELINES: Registry[Baseline] = Registry('baseline', 'utt_ros.baselines', {
    'back_projection': Baseline(lambda area, walk, _: back_projection(area, walk), 'camera'),
    'bearing_range': Baseline(
        lambda area, walk, _: bearing_and_range(area, walk, SETTINGS), 'camera+ftm',
        survives_outages=True),
    'kalman_camera': Baseline(
        lambda area, walk, window: kalman_track(area, walk, window, SETTINGS, ranges=False),
        'camera', predicts=True, survives_outages=True),
    'kalman_range': Baseline(
        lambda area, walk, window: kalman_track(area, walk, window, SETTINGS, ranges=True),
        'camera+ftm', predicts=True, survives_outages=True),
    'particles': Baseline(
        lambda area, walk, window: pdr_track(area, walk, window, SETTINGS), 'camera+ftm+imu',
        survives_outages=True),
    'particles_known_start': Baseline(
        lambda area, walk, window: pdr_track(area, walk, window, SETTINGS, resets=False),
        'camera+ftm+imu'),
    'constant_velocity_truth': Baseline(
        _true_constant_velocity, 'truth', predicts=True, reads_truth=True)})
