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

"""Gait head: cadence and strength of a phone's periodic motion, from the walking speed [D].

The IMU decoder is trained on squared errors, so its output is smooth: the phase of a step cannot
be predicted. Cadence and strength can, and this head predicts them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utt_ros.models.settings import ModelSettings
from utt_ros.motion.features import MAX_SPEED_MPS
from utt_ros.motion.gait import BAND_HZ, HARMONICS, INERTIAL_CHANNELS

TYPICAL_CADENCE_HZ = 1.9  # [R]
INITIAL_RMS_SHARE = 0.1  # of a channel's scale: RMS predicted by an untrained head [R]
LOG_RMS_LIMITS = (-7.0, 3.0)


@dataclass(frozen=True, slots=True)
class GaitPrediction:
    """Periodic motion of N subjects' phones."""

    cadence: Tensor  # (N,) of steps [Hz]
    log_rms: Tensor  # (N, 6, HARMONICS + 1) of harmonics of the stride and of the rest


class GaitHead(nn.Module):
    """Small network on the speed, and a learned constant where the speed is unknown.

    It does not use encoder features, with which strengths of unseen walks were worse, nor ranges,
    which carry little information on speed, nor the IMU itself.
    """

    typical_log_rms: Tensor

    def __init__(self, model: ModelSettings, imu_scale: Sequence[float]) -> None:
        """`imu_scale`: order of magnitude of each IMU channel, in its physical unit."""
        super().__init__()
        outputs = 1 + INERTIAL_CHANNELS * (HARMONICS + 1)
        self.read = nn.Linear(1, model.width)
        self.say = nn.Linear(model.width, outputs)
        self.unknown = nn.Parameter(torch.zeros(outputs))  # trained in areas without a camera
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)
        initial = [log(INITIAL_RMS_SHARE * scale) for scale in imu_scale[:INERTIAL_CHANNELS]]
        typical = torch.tensor(initial).repeat_interleave(HARMONICS + 1)
        self.register_buffer('typical_log_rms', typical, persistent=False)

    def forward(self, known: Tensor, velocity: Tensor) -> GaitPrediction:
        """Predict from velocities (N, 2) in any frame [m/s]; `known` (N,) is 1 where they are."""
        speed = velocity.square().sum(dim=1).sqrt().clamp(max=MAX_SPEED_MPS)
        outputs = self.say(F.relu(self.read(speed.unsqueeze(1))))
        outputs = torch.where(known.unsqueeze(1) > 0, outputs, self.unknown)
        log_rms = (self.typical_log_rms + outputs[:, 1:]).clamp(*LOG_RMS_LIMITS)
        return GaitPrediction((TYPICAL_CADENCE_HZ + outputs[:, 0]).clamp(*BAND_HZ),
                              log_rms.reshape(-1, INERTIAL_CHANNELS, HARMONICS + 1))
