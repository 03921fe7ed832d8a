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

"""Window statistics: mean and slope of each channel, added to the encoder output.

Convolutions memorize the few walks of a data set. Means and slopes give position and direction,
and cannot tell one walk from another [D].
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utt_ros.geometry.compass import GRAVITY_SPAN_S

DerivedChannels = Callable[[Tensor, Tensor], Tensor]
"""Window (N, F, T) in physical units and mask (N, 1, T) of 1 and 0 -> channels (N, K, T) of order
1."""

HIDDEN_UNITS = 32
RIDGE_SHARE = 0.02  # of all rows: shrinks the slope of few rows towards 0 [R]
FOCAL_PX, CENTRE_PX = 530.0, 640.0  # of a usual camera [R]; biased for another one
OFFSET_UNIT_M = 4.0
MAX_SCALED = 5.0
NOMINAL_GRAVITY_MPS2 = 9.81  # as trained models have it, not types.GRAVITY_MPS2
DYNAMIC_UNIT_MPS2 = 2.0
NEXT_AXES, LAST_AXES = [1, 2, 0], [2, 0, 1]  # cyclic, of a cross product


class WindowStatistics(nn.Module):
    """Small network on mean and slope of scaled and derived channels over a window."""

    position: Tensor

    def __init__(self, channels: int, rows: int, width: int) -> None:
        super().__init__()
        self.ridge = RIDGE_SHARE * rows
        self.register_buffer('position', torch.linspace(-1.0, 1.0, rows), persistent=False)
        self.read = nn.Linear(2 * channels, HIDDEN_UNITS)
        self.say = nn.Linear(HIDDEN_UNITS, width)

    def forward(self, rows: Tensor, seen: Tensor, code: Tensor | None = None) -> Tensor:
        """Map channels (N, K, T), which are 0 where `seen` (N, 1, T) is, to (N, d).

        `code` (N, HIDDEN_UNITS or more) is added before the nonlinearity.
        """
        count = seen.sum(dim=2, keepdim=True).clamp(min=1.0)
        centred = (self.position - (seen @ self.position[:, None]) / count) * seen  # (N, 1, T)
        mean = rows.sum(dim=2) / count[:, 0]
        moment = (rows @ centred.transpose(1, 2))[..., 0]  # (N, K)
        slope = 3.0 * moment / (centred.square().sum(dim=2) + self.ridge)
        hidden = self.read(torch.cat([mean, slope], dim=1))
        if code is not None:
            hidden = hidden + code[:, :HIDDEN_UNITS]
        output: Tensor = self.say(F.relu(hidden))
        return output


def no_derived_channels(values: Tensor, _: Tensor) -> Tensor:
    """Derive no channel: (N, 0, T)."""
    return values[:, :0]


def lateral_offset(values: Tensor, _: Tensor) -> Tensor:
    """Derive the offset of boxes to the left of the optical axis: depth times tan(bearing)."""
    offset = (CENTRE_PX - values[:, :1]) / FOCAL_PX * values[:, 2:3]
    return (offset / OFFSET_UNIT_M).clamp(-MAX_SCALED, MAX_SCALED)


def compass_and_dynamic_acceleration(values: Tensor, seen: Tensor, row_period_s: float) -> Tensor:
    """Derive cosine and sine of a phone's compass heading, and its dynamic acceleration.

    The heading is that of the y axis from magnetic east, row by row, as in `geometry.compass` for
    a lying phone. Dynamic acceleration is the deviation of the norm from gravity, in units of
    DYNAMIC_UNIT_MPS2, squared.
    """
    accel, field = (values[:, :3] * seen), (values[:, 6:9] * seen)
    up = moving_mean(accel, 2 * round(GRAVITY_SPAN_S / row_period_s / 2) + 1)
    east = _cross(field, up)
    north = _cross(up, east)
    level = torch.stack([east[:, 1] * up.square().sum(dim=1).sqrt(), north[:, 1]], dim=1)
    heading = level / level.square().sum(dim=1, keepdim=True).clamp(min=1e-20).sqrt()
    dynamic = accel.square().sum(dim=1, keepdim=True).sqrt() - NOMINAL_GRAVITY_MPS2 * seen
    dynamic = (dynamic / DYNAMIC_UNIT_MPS2).square().clamp(max=MAX_SCALED)
    return torch.cat([heading, dynamic], dim=1)


def moving_mean(values: Tensor, rows: int) -> Tensor:
    """Average (N, K, T) over an odd number of rows around each row; 0 beyond the window."""
    sums = F.pad(values, (rows // 2 + 1, rows // 2)).cumsum(dim=2)
    return (sums[..., rows:] - sums[..., :-rows]) / rows


def _cross(a: Tensor, b: Tensor) -> Tensor:
    """Compute cross products (N, 3, T)."""
    return a[:, NEXT_AXES] * b[:, LAST_AXES] - a[:, LAST_AXES] * b[:, NEXT_AXES]
