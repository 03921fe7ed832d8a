"""How a subject moves, from a few numbers: velocity now, displacement in the next ticks [D].

All of it is in the heading frame (docs/model.md): x along the compass heading of the phone, y to
the left. Where the compass heading is unknown, x is the direction in which the camera saw
somebody go.
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

LOG_STD = (-4.0, 2.0)
MEMBERS = 4  # one alone predicts paths slightly worse [S: Lakshminarayanan et al., NIPS 2017]


@dataclass(frozen=True, slots=True)
class Motion:
    """Gaussian predictions for N subjects, diagonal in the heading frame."""

    velocity: Tensor  # (N, 2) at the window's last tick [m/s]
    velocity_log_std: Tensor  # (N, 2)
    future: Tensor  # (N, H, 2) displacement from the last tick [m]
    future_log_std: Tensor  # (N, H, 2)


def knot_weights(knots: int, horizon: int) -> Tensor:
    """(H, K): linear interpolation of ticks 1..H between K equidistant knots, the last at H."""
    ticks = torch.arange(1, horizon + 1, dtype=torch.float32)
    place = (ticks * knots / horizon - 1.0).clamp(min=0.0)  # knot 0 holds before itself
    return (1.0 - (place.unsqueeze(1) - torch.arange(knots)).abs()).clamp(min=0.0)


class Layers(nn.Module):
    """A linear layer of each of M networks that do not know of each other."""

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        limit = inputs**-0.5  # as nn.Linear
        self.weight = nn.Parameter((torch.rand(members, inputs, outputs) * 2 - 1) * limit)
        self.bias = nn.Parameter((torch.rand(members, 1, outputs) * 2 - 1) * limit)

    def forward(self, values: Tensor) -> Tensor:  # (M, N, inputs) -> (M, N, outputs)
        return torch.baddbmm(self.bias, values, self.weight)


class MotionHead(nn.Module):
    """Velocity = seen + gate * seen + correction; up to each knot, mean velocity + residual.

    Each, and each logarithm of a standard deviation, is the mean of what MEMBERS networks say;
    that they differ adds nothing to the deviations. What the camera has seen is the velocity of
    the course. Features of encoders are no part of it: paths and paces were worse with them on
    walks that were not learned from (docs/model.md). The last layer starts at zero: an untrained
    head says that all go on as the camera saw them, and that nobody else moves, give or take
    1 m/s.
    """

    seconds: Tensor
    weights: Tensor
    scales: Tensor

    def __init__(self, model: ModelSettings, window: WindowSettings) -> None:
        super().__init__()
        self.knots = min(model.knots, window.horizon)
        hidden = 2 * model.width
        self.read = Layers(MEMBERS, len(CONTEXT), hidden)
        self.think = Layers(MEMBERS, hidden, hidden)
        self.say = Layers(MEMBERS, hidden, 5 + 4 * self.knots)
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)
        self.register_buffer('scales', torch.tensor(CONTEXT_SCALES), persistent=False)
        seconds = window.period * torch.arange(1, window.horizon + 1, dtype=torch.float32)
        self.register_buffer('seconds', seconds[:, None], persistent=False)  # (H, 1)
        self.register_buffer('weights', knot_weights(self.knots, window.horizon), persistent=False)

    def forward(self, context: Tensor) -> Motion:  # (N, C) CONTEXT
        return self._motion(context, self._said(context).mean(dim=0))

    def apart(self, context: Tensor) -> Motion:
        """What each network says alone, as they are trained: of (N, C), motion of (M N)."""
        said = self._said(context)
        return self._motion(context.repeat(MEMBERS, 1), said.flatten(0, 1))

    def _said(self, context: Tensor) -> Tensor:  # (N, C) -> (M, N, 5 + 4 K)
        told = (context / self.scales).clamp(-MAX_SCALED_CONTEXT, MAX_SCALED_CONTEXT)
        told = told.expand(MEMBERS, -1, -1)
        said: Tensor = self.say(F.relu(self.think(F.relu(self.read(told)))))
        moves, velocity_spread, residual, spread = torch.split(
            said, [3, 2, 2 * self.knots, 2 * self.knots], dim=2)
        return torch.cat([moves, velocity_spread.clamp(*LOG_STD), residual,
                          spread.clamp(*LOG_STD)], dim=2)

    def _motion(self, context: Tensor, said: Tensor) -> Motion:
        seen = context[:, VELOCITY_COLUMNS].clamp(-MAX_SPEED_MPS, MAX_SPEED_MPS)
        velocity = seen + said[:, 2:3] * seen + said[:, :2]
        residual, spread = said[:, 5:].reshape(-1, 2, self.knots, 2).unbind(1)  # (N, K, 2)
        mean_velocity = velocity.unsqueeze(1) + self.weights @ residual  # (N, H, 2)
        return Motion(velocity, said[:, 3:5], self.seconds * mean_velocity,
                      self.seconds.log() + self.weights @ spread)
