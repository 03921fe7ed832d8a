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

"""Motion head: present velocity and displacement in the next ticks, from context features [D].

All vectors are in the heading frame (docs/model.md): x along the compass heading of the phone, y
to the left. Where the compass heading is unknown, x is the direction of the camera velocity.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utt_ros.models.settings import ModelSettings
from utt_ros.motion.features import (
    CONTEXT,
    CONTEXT_SCALES,
    MAX_SCALED_CONTEXT,
    MAX_SPEED_MPS,
    VELOCITY_COLUMNS,
)
from utt_ros.settings import WindowSettings

LOG_STD_LIMITS = (-4.0, 2.0)
ENSEMBLE_MEMBERS = 4  # deep ensemble [S: Lakshminarayanan et al., NIPS 2017]; 1 is slightly worse


@dataclass(frozen=True, slots=True)
class MotionPrediction:
    """Gaussian predictions for N subjects, diagonal in the heading frame."""

    velocity: Tensor  # (N, 2) at the window's last tick [m/s]
    velocity_log_std: Tensor  # (N, 2)
    future: Tensor  # (N, H, 2) displacement from the last tick [m]
    future_log_std: Tensor  # (N, H, 2)


def knot_weights(knots: int, horizon: int) -> Tensor:
    """Interpolate ticks 1..H linearly between K equidistant knots, the last at H: (H, K)."""
    ticks = torch.arange(1, horizon + 1, dtype=torch.float32)
    position = (ticks * knots / horizon - 1.0).clamp(min=0.0)  # knot 0 holds before itself
    return (1.0 - (position.unsqueeze(1) - torch.arange(knots)).abs()).clamp(min=0.0)


class EnsembleLinear(nn.Module):
    """Linear layers of M independent networks."""

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        limit = inputs**-0.5  # as nn.Linear
        self.weight = nn.Parameter((torch.rand(members, inputs, outputs) * 2 - 1) * limit)
        self.bias = nn.Parameter((torch.rand(members, 1, outputs) * 2 - 1) * limit)

    def forward(self, values: Tensor) -> Tensor:  # (M, N, inputs) -> (M, N, outputs)
        return torch.baddbmm(self.bias, values, self.weight)


class MotionHead(nn.Module):
    """Velocity = seen + gate * seen + correction; up to each knot, mean velocity + residual.

    `seen` is the camera velocity of the context. Every output, log standard deviations included,
    is the mean over ENSEMBLE_MEMBERS networks; their disagreement is not added to the deviations.
    Encoder features are not used: paths and velocities of unseen walks were worse with them
    (docs/model.md). The last layer starts at zero: an untrained head continues at the camera
    velocity, or stands where there is none, with a standard deviation of 1 m/s.
    """

    seconds: Tensor
    weights: Tensor
    scales: Tensor

    def __init__(self, model: ModelSettings, window: WindowSettings) -> None:
        super().__init__()
        self.knots = min(model.knots, window.horizon)
        hidden = 2 * model.width
        self.read = EnsembleLinear(ENSEMBLE_MEMBERS, len(CONTEXT), hidden)
        self.think = EnsembleLinear(ENSEMBLE_MEMBERS, hidden, hidden)
        self.say = EnsembleLinear(ENSEMBLE_MEMBERS, hidden, 5 + 4 * self.knots)
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)
        self.register_buffer('scales', torch.tensor(CONTEXT_SCALES), persistent=False)
        seconds = window.period * torch.arange(1, window.horizon + 1, dtype=torch.float32)
        self.register_buffer('seconds', seconds[:, None], persistent=False)  # (H, 1)
        self.register_buffer('weights', knot_weights(self.knots, window.horizon), persistent=False)

    def forward(self, context: Tensor) -> MotionPrediction:  # (N, C) CONTEXT
        return self._prediction(context, self._raw_outputs(context).mean(dim=0))

    def member_outputs(self, context: Tensor) -> MotionPrediction:
        """Predict (M N) motions from (N, C), per ensemble member, as they are trained."""
        outputs = self._raw_outputs(context)
        return self._prediction(context.repeat(ENSEMBLE_MEMBERS, 1), outputs.flatten(0, 1))

    def _raw_outputs(self, context: Tensor) -> Tensor:  # (N, C) -> (M, N, 5 + 4 K)
        inputs = (context / self.scales).clamp(-MAX_SCALED_CONTEXT, MAX_SCALED_CONTEXT)
        inputs = inputs.expand(ENSEMBLE_MEMBERS, -1, -1)
        outputs: Tensor = self.say(F.relu(self.think(F.relu(self.read(inputs)))))
        means, velocity_log_std, residual, log_std = torch.split(
            outputs, [3, 2, 2 * self.knots, 2 * self.knots], dim=2)
        return torch.cat([means, velocity_log_std.clamp(*LOG_STD_LIMITS), residual,
                          log_std.clamp(*LOG_STD_LIMITS)], dim=2)

    def _prediction(self, context: Tensor, outputs: Tensor) -> MotionPrediction:
        seen = context[:, VELOCITY_COLUMNS].clamp(-MAX_SPEED_MPS, MAX_SPEED_MPS)
        velocity = seen + outputs[:, 2:3] * seen + outputs[:, :2]
        residual, log_std = outputs[:, 5:].reshape(-1, 2, self.knots, 2).unbind(1)  # (N, K, 2)
        mean_velocity = velocity.unsqueeze(1) + self.weights @ residual  # (N, H, 2)
        return MotionPrediction(velocity, outputs[:, 3:5], self.seconds * mean_velocity,
                                self.seconds.log() + self.weights @ log_std)
