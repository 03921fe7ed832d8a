"""What a window says at a glance: level and trend of its channels, and of some derived ones.

Walks are few, and convolutions learn them by heart. Where somebody is and which way he goes are
told by means and slopes, which do not tell one walk from another [D].
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Derived = Callable[[Tensor, Tensor], Tensor]
"""Further channels (N, K, T) of order 1, of a window (N, F, T) in physical units and its mask
(N, 1, T) of 1 and 0."""

HIDDEN = 32
FEW = 0.02  # of all rows: the slope of few of them is drawn towards 0 [R]
FOCAL_PX, CENTRE_PX = 530.0, 640.0  # of a usual camera [R]; with another one it is off
OFFSET_M = 4.0
MAX_SCALED = 5.0
NOMINAL_GRAVITY_MPS2 = 9.81  # as trained models have it, not types.GRAVITY_MPS2
GRAVITY_SPAN_S = 1.0  # about two steps: walking cancels out of the mean acceleration
EFFORT_MPS2 = 2.0
AFTER, BEFORE = [1, 2, 0], [2, 0, 1]  # of axes in a cross product


class Trends(nn.Module):
    """Mean and slope of scaled and derived channels over a window, through a small network."""

    place: Tensor

    def __init__(self, channels: int, rows: int, width: int) -> None:
        super().__init__()
        self.few = FEW * rows
        self.register_buffer('place', torch.linspace(-1.0, 1.0, rows), persistent=False)
        self.read = nn.Linear(2 * channels, HIDDEN)
        self.say = nn.Linear(HIDDEN, width)

    def forward(self, rows: Tensor, seen: Tensor) -> Tensor:
        """Channels (N, K, T) that are 0 where `seen` (N, 1, T) is; to (N, d)."""
        count = seen.sum(dim=2, keepdim=True).clamp(min=1.0)
        apart = (self.place - (seen @ self.place[:, None]) / count) * seen  # (N, 1, T)
        mean = rows.sum(dim=2) / count[:, 0]
        moment = (rows @ apart.transpose(1, 2))[..., 0]  # (N, K)
        slope = 3.0 * moment / (apart.square().sum(dim=2) + self.few)
        said: Tensor = self.say(F.relu(self.read(torch.cat([mean, slope], dim=1))))
        return said


def nothing(values: Tensor, _: Tensor) -> Tensor:
    """No further channel."""
    return values[:, :0]


def to_the_side(values: Tensor, _: Tensor) -> Tensor:
    """How far left of the middle of the view boxes are: depth times tangent of the bearing."""
    across = (CENTRE_PX - values[:, :1]) / FOCAL_PX * values[:, 2:3]
    return (across / OFFSET_M).clamp(-MAX_SCALED, MAX_SCALED)


def bearing_and_effort(values: Tensor, seen: Tensor, row_period_s: float) -> Tensor:
    """Cosine and sine of a phone's compass heading, and how much its acceleration is not gravity.

    The heading is that of its y axis from magnetic east, row by row, as in `geometry.heading` for
    a phone that lies. The last is a square, in units of EFFORT_MPS2.
    """
    accel, field = (values[:, :3] * seen), (values[:, 6:9] * seen)
    up = moving_mean(accel, 2 * round(GRAVITY_SPAN_S / row_period_s / 2) + 1)
    east = _cross(field, up)
    north = _cross(up, east)
    level = torch.stack([east[:, 1] * up.square().sum(dim=1).sqrt(), north[:, 1]], dim=1)
    heading = level / level.square().sum(dim=1, keepdim=True).clamp(min=1e-20).sqrt()
    effort = accel.square().sum(dim=1, keepdim=True).sqrt() - NOMINAL_GRAVITY_MPS2 * seen
    return torch.cat([heading, (effort / EFFORT_MPS2).square().clamp(max=MAX_SCALED)], dim=1)


def moving_mean(values: Tensor, rows: int) -> Tensor:
    """Means of (N, K, T) over an odd number of rows around each row; 0 beyond the window."""
    sums = F.pad(values, (rows // 2 + 1, rows // 2)).cumsum(dim=2)
    return (sums[..., rows:] - sums[..., :-rows]) / rows


def _cross(a: Tensor, b: Tensor) -> Tensor:
    """Cross products (N, 3, T)."""
    return a[:, AFTER] * b[:, BEFORE] - a[:, BEFORE] * b[:, AFTER]
