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

"""Normal belief about one subject, as areas hand it over: moments, frames, age and ensembles.

The state is x, y [m], velocity x, y [m/s] and compass error [rad], as the first five numbers of a
particle.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from utt_ros.errors import MeasurementError
from utt_ros.map_pose import MAX_MAP_COORDINATE_M, MapPose
from utt_ros.sensor_limits import is_name, is_ros_stamp
from utt_ros.settings import AREA_NAME
from utt_ros.twin.output_limits import MAX_PERSON_SPEED_MPS
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.types import Array, FloatArray

STATE_SIZE = 5
MAX_BELIEF_SUBJECTS = 1000  # of one area, as the largest `max_subjects`
MAX_BELIEF_VARIANCES = (1e4, 1e4, 1e3, 1e3, 1e2)  # of the state
MAX_ANGLE_RAD = 100.0  # of a compass error or heading, neither of which is wrapped
MAX_BELIEF_SPEED_MPS = 2 * MAX_PERSON_SPEED_MPS
MIN_STATE_VARIANCES = np.array([1e-4, 1e-4, 1e-4, 1e-4, 1e-6])  # against ensembles of a point
WALK_STD_MPS = 1.0  # growth of the uncertainty of a position with its age, as in a building


@dataclass(frozen=True, slots=True)
class SubjectBelief:
    """Mean and covariance of a state, and the motion prior that moved it last."""

    mean: Array  # (5,)
    covariance: Array  # (5, 5)
    motion: Array | None  # (3,) compass heading [rad], velocity ahead and left [m/s]; None: none

    @property
    def position_variance(self) -> float:
        """Sum of the variances of x and y [m^2]."""
        return float(self.covariance[0, 0] + self.covariance[1, 1])


@dataclass(frozen=True, slots=True)
class AreaBeliefs:
    """Sure beliefs of one area at a tick, by subject, in the frame `map`."""

    area: str
    stamp_ns: int
    subjects: Mapping[str, SubjectBelief]


def summarize_ensemble(
    states: FloatArray, weights: FloatArray, motion: Array | None,
) -> SubjectBelief:
    """Summarize particles (>= 5, P) of weights (P,) by their moments."""
    used = states[:STATE_SIZE].astype(np.float64)
    share = weights / weights.sum(dtype=np.float64)
    mean = used @ share
    deviation = used - mean[:, None]
    covariance = (deviation * share) @ deviation.T + np.diag(MIN_STATE_VARIANCES)
    return SubjectBelief(mean, covariance, motion)


def draw_ensemble(belief: SubjectBelief, normal: Array) -> Array:
    """Turn normal numbers (5, P) into states (5, P) of a belief."""
    return np.asarray(
        belief.mean[:, None] + np.linalg.cholesky(belief.covariance) @ normal)


def transform_belief(belief: SubjectBelief, pose: MapPose) -> SubjectBelief:
    """Transform a belief of an area with that pose to `map`; with its inverse, the other way."""
    rotation = np.eye(STATE_SIZE)
    rotation[:2, :2] = rotation[2:4, 2:4] = pose.rotation()
    mean = rotation @ belief.mean
    mean[:2] += pose.x, pose.y
    motion = None if belief.motion is None else belief.motion + np.array([pose.yaw, 0.0, 0.0])
    return SubjectBelief(mean, rotation @ belief.covariance @ rotation.T, motion)


def age_belief(
    belief: SubjectBelief, age_s: float, settings: ParticleFilterSettings,
) -> SubjectBelief:
    """Predict a belief by `age_s`, which may be negative: it moves, and becomes unsure."""
    seconds = abs(age_s)
    move = np.eye(STATE_SIZE)
    move[0, 2] = move[1, 3] = age_s
    move[4, 4] = np.exp(-seconds / settings.heading_tau)
    changed = 1.0 - np.exp(-2 * seconds / settings.walk_tau)
    noise = np.array([
        (WALK_STD_MPS * seconds)**2, (WALK_STD_MPS * seconds)**2,
        settings.walk_std**2 * changed, settings.walk_std**2 * changed,
        settings.heading_std**2 * (1.0 - move[4, 4]**2)])
    return SubjectBelief(
        move @ belief.mean, move @ belief.covariance @ move.T + np.diag(noise), belief.motion)


def check_beliefs(beliefs: AreaBeliefs) -> None:
    """Raise MeasurementError for names, stamps or numbers that no area can believe."""
    if not AREA_NAME.fullmatch(beliefs.area):
        raise MeasurementError(f'{beliefs.area!r:.80} is not the name of an area')
    if not is_ros_stamp(beliefs.stamp_ns):
        raise MeasurementError(
            f'the stamp of beliefs is {beliefs.stamp_ns} ns: it must be after 0')
    if len(beliefs.subjects) > MAX_BELIEF_SUBJECTS:
        raise MeasurementError(f'there are beliefs about {len(beliefs.subjects)} subjects: at '
                               f'most {MAX_BELIEF_SUBJECTS}')
    for subject, belief in beliefs.subjects.items():
        if not is_name(subject):
            raise MeasurementError(f'{subject!r:.80} is not the name of a subject')
        _check_belief(subject, belief)


def _check_belief(subject: str, belief: SubjectBelief) -> None:
    limits = np.array([MAX_MAP_COORDINATE_M] * 2 + [MAX_BELIEF_SPEED_MPS] * 2 + [MAX_ANGLE_RAD])
    if not (np.abs(belief.mean) <= limits).all():
        raise MeasurementError(f'the belief about {subject} is {belief.mean.tolist()}: its '
                               f'numbers must be within {limits.tolist()}')
    variances = np.diag(belief.covariance)
    if not (np.abs(belief.covariance) <= max(MAX_BELIEF_VARIANCES)).all() or not (
            variances <= MAX_BELIEF_VARIANCES).all():
        raise MeasurementError(f'the belief about {subject} has the variances '
                               f'{variances.tolist()}: at most {list(MAX_BELIEF_VARIANCES)}')
    symmetric = np.allclose(belief.covariance, belief.covariance.T, rtol=1e-6, atol=1e-9)
    if not symmetric or np.linalg.eigvalsh(belief.covariance)[0] <= 0.0:
        raise MeasurementError(
            f'the covariance of the belief about {subject} is not symmetric and positive definite')
    if belief.motion is not None and not (
            np.abs(belief.motion) <= (MAX_ANGLE_RAD, *[MAX_BELIEF_SPEED_MPS] * 2)).all():
        raise MeasurementError(f'the motion of {subject} is {belief.motion.tolist()}: within '
                               f'{MAX_ANGLE_RAD:g} rad and {MAX_BELIEF_SPEED_MPS:g} m/s')
