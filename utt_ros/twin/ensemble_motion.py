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

"""Prediction of ensembles: particles move along the compass heading, or in a random walk.

Velocity v = R(heading + error) (u + e): u is the model's velocity, its error e an
Ornstein-Uhlenbeck process, as are the compass error and the biases of ranges [D]. Without a prior
u = 0 and e has the deviation `walk_std`. In steps of the area frame:

    v' = a R(heading' - heading) v + R(heading' + error') (u' - a u + noise)
"""

import numpy as np

from utt_ros.twin.filter_types import MotionPrior
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.subject_ensembles import BIAS, COMPASS, FURTHER_BIAS, VX, VY, SubjectEnsembles
from utt_ros.types import FloatArray, Indices, MaskArray


def predict_ensembles(
    ensembles: SubjectEnsembles, rows: Indices, elapsed: FloatArray, prior: MotionPrior | None,
    unseen: MaskArray,
) -> None:
    """Move every particle of subjects through `elapsed` seconds (S,).

    `unseen` (S,): the camera has not seen them for long. They do not begin the guidance by a
    prior with the velocity of a random walk.
    """
    own, seconds = ensembles.settings, elapsed[:, None]
    guided = np.zeros(len(rows), bool) if prior is None else prior.heading_valid
    reference, std = _reference_motion(own, guided, prior)
    was_guided = ensembles.guided[rows]
    old = np.where((was_guided == guided)[:, None], ensembles.reference[rows], reference)
    keep = np.exp(-elapsed / np.where(guided, own.velocity_tau, own.walk_tau))
    keep[unseen & guided & ~was_guided] = 0.0  # drop a random walk's velocity
    keep = keep.astype(np.float32)[:, None]
    ensembles.reference[rows], ensembles.guided[rows] = reference, guided

    noise = ensembles.take_noise(rows)
    states = ensembles.states[rows]
    last = np.exp(-seconds / np.float32(own.heading_tau))
    states[:, COMPASS] *= last
    states[:, COMPASS] += own.heading_std * np.sqrt(1 - last**2) * noise[:, 0]
    last = np.exp(-seconds / np.float32(own.range_bias_tau))
    states[:, BIAS] *= last
    states[:, FURTHER_BIAS:] *= last[..., None]
    ensembles.bias_variance[rows] += (1 - last**2) * (
        own.range_bias_std**2 - ensembles.bias_variance[rows])

    change = reference[:, 1:] - keep * old[:, 1:]
    change = change[..., None] + (np.sqrt(1 - keep**2) * std)[..., None] * noise[:, 1:]
    heading = reference[:, :1] + states[:, COMPASS]
    cos, sin = np.cos(heading), np.sin(heading)
    turn = reference[:, :1] - old[:, :1]
    keep_cos, keep_sin = keep * np.cos(turn), keep * np.sin(turn)
    vx, vy = states[:, VX], states[:, VY]
    states[:, VX], states[:, VY] = (
        keep_cos * vx - keep_sin * vy + cos * change[:, 0] - sin * change[:, 1],
        keep_sin * vx + keep_cos * vy + sin * change[:, 0] + cos * change[:, 1])
    states[:, :2] += seconds[..., None] * states[:, VX:VY + 1]
    ensembles.states[rows] = states


def _reference_motion(
        own: ParticleFilterSettings, guided: MaskArray, prior: MotionPrior | None,
) -> tuple[FloatArray, FloatArray]:
    """Return heading and velocity (S, 3) of the prior and the velocity's deviation (S, 2)."""
    reference = np.zeros((len(guided), 3), np.float32)
    std = np.full((len(guided), 2), own.walk_std, np.float32)
    if prior is not None:
        motion = np.concatenate([prior.heading[:, None], prior.velocity], axis=1)
        reference[guided] = motion[guided]
        std[guided] = np.maximum(prior.velocity_std[guided], own.velocity_std_floor)
    return reference, std
