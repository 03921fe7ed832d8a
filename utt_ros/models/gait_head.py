"""How a subject's phone swings as he walks, from how fast the camera saw him go [D].

The decoder of the IMU is trained on squared errors, so what it says is smooth: nothing tells the
phase of a step. How often and how strongly somebody steps can be told, and that is said here.
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

USUAL_HZ = 1.9  # [R]
FAINT = 0.1  # of the registry's scale of a channel: how strong an untrained head says all is [R]
LOG_RMS = (-7.0, 3.0)


@dataclass(frozen=True, slots=True)
class Swing:
    """What phones of N subjects feel."""

    cadence: Tensor  # (N,) of steps [Hz]
    log_rms: Tensor  # (N, 6, HARMONICS + 1) of harmonics of the stride and of the rest


class StrideHead(nn.Module):
    """A small network that reads a speed; where none is known, it says what is usual.

    Features of encoders are no part of it: strengths were worse with them on walks that were not
    learned from. Nor are ranges, which hardly tell a speed, nor the IMU itself.
    """

    usual: Tensor

    def __init__(self, model: ModelSettings, imu_scale: Sequence[float]) -> None:
        """`imu_scale`: order of magnitude of each IMU channel, in its physical unit."""
        super().__init__()
        said = 1 + INERTIAL_CHANNELS * (HARMONICS + 1)
        self.read = nn.Linear(1, model.width)
        self.say = nn.Linear(model.width, said)
        self.unknown = nn.Parameter(torch.zeros(said))  # all that an area without a camera learns
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)
        faint = [log(FAINT * scale) for scale in imu_scale[:INERTIAL_CHANNELS]]
        usual = torch.tensor(faint).repeat_interleave(HARMONICS + 1)
        self.register_buffer('usual', usual, persistent=False)

    def forward(self, known: Tensor, velocity: Tensor) -> Swing:
        """Of 1 where a velocity is known (N,), and the velocity (N, 2) in any frame [m/s]."""
        speed = velocity.square().sum(dim=1).sqrt().clamp(max=MAX_SPEED_MPS)
        told = self.say(F.relu(self.read(speed.unsqueeze(1))))
        said = torch.where(known.unsqueeze(1) > 0, told, self.unknown)
        log_rms = (self.usual + said[:, 1:]).clamp(*LOG_RMS)
        return Swing((USUAL_HZ + said[:, 0]).clamp(*BAND_HZ),
                     log_rms.reshape(-1, INERTIAL_CHANNELS, HARMONICS + 1))
