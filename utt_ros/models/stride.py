"""How a subject's phone swings as he walks, from what camera and ranges say of his pace [D].

The decoder of the IMU is trained on squared errors, so what it says is smooth: nothing tells the
phase of a step. How often and how strongly somebody steps can be told, and that is said here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utt_ros.geometry.context import FASTEST
from utt_ros.geometry.gait import BAND_HZ
from utt_ros.geometry.stride import HARMONICS, SWINGING
from utt_ros.models.modalities import modality
from utt_ros.models.settings import ModelSettings

SOURCES = ('camera', 'ftm')  # never the IMU
USUAL_HZ = 1.9  # [R]
FAINT = 0.1  # of the registry's scale of a channel: how strong an untrained head says all is [R]
LOG_RMS = (-7.0, 3.0)
SHORTEST_S2 = 2.0  # sum of squared instants of ranges about their mean that tell a speed


@dataclass(frozen=True, slots=True)
class Swing:
    """What phones of N subjects feel."""

    cadence: Tensor  # (N,) of steps [Hz]
    log_rms: Tensor  # (N, 6, HARMONICS + 1) of harmonics of the stride and of the rest


class StrideHead(nn.Module):
    """A small network that reads two speeds, each with whether it is known.

    Features of encoders are no part of it: amplitudes were worse with them on walks that were not
    learned from. What it reads of each source is weighted by a tensor of its own, so that an area
    that lacks the source leaves it alone.
    """

    usual: Tensor

    def __init__(self, model: ModelSettings) -> None:
        super().__init__()
        self.read = nn.ModuleDict(
            {name: nn.Linear(2, model.width, bias=False) for name in SOURCES})
        self.bias = nn.Parameter(torch.empty(model.width).uniform_(-1.0, 1.0))
        self.say = nn.Linear(model.width, 1 + SWINGING * (HARMONICS + 1))
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)
        faint = [log(FAINT * scale) for scale in modality('imu').scale[:SWINGING]]
        usual = torch.tensor(faint).repeat_interleave(HARMONICS + 1)
        self.register_buffer('usual', usual, persistent=False)

    def forward(self, paces: Mapping[str, Tensor]) -> Swing:
        """Of what one or both of SOURCES say, (N, 2) each."""
        told = [self.read[name](pace) for name, pace in sorted(paces.items())]
        said = self.say(F.relu(sum(told, self.bias)))
        log_rms = (self.usual + said[:, 1:]).clamp(*LOG_RMS)
        return Swing((USUAL_HZ + said[:, 0]).clamp(*BAND_HZ),
                     log_rms.unflatten(1, (SWINGING, HARMONICS + 1)))


def camera_pace(known: Tensor, velocity: Tensor) -> Tensor:
    """Whether a velocity is known and how fast that is [m/s] (N, 2), of (N,) and (N, 2)."""
    speed = velocity.square().sum(dim=1).sqrt().clamp(max=FASTEST)
    return torch.stack([known, known * speed], dim=1)


def ftm_pace(ranges: Tensor, measured: Tensor, period: float) -> Tensor:
    """Whether it is known how fast ranges (N, T) grow or shrink, and how fast [m/s] (N, 2)."""
    weight = measured.to(ranges.dtype)
    seconds = period * torch.arange(ranges.shape[1], dtype=ranges.dtype, device=ranges.device)
    mean = (weight @ seconds / weight.sum(dim=1).clamp(min=1.0)).unsqueeze(1)
    apart = weight * (seconds - mean)
    spread = (apart * (seconds - mean)).sum(dim=1)
    slope = (apart * torch.where(measured, ranges, 0.0)).sum(dim=1) / spread.clamp(min=SHORTEST_S2)
    known = (spread >= SHORTEST_S2).to(ranges.dtype)
    return torch.stack([known, known * slope.abs().clamp(max=FASTEST)], dim=1)
