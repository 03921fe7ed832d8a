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

"""Encoder and decoder of ranges to any number of access points, in any order.

They have the weights of a window encoder and a window decoder. The geometry of an access point,
how much older its newest range is than the newest of all, and the position that all ranges tell
are coded as positions of tokens are [S: Vaswani et al., NIPS 2017]. The code of 0 is 0: one access
point is encoded and decoded as if there was no geometry.
"""

import torch
from torch import Tensor, nn

from utt_ros.models.decoders import WindowDecoder
from utt_ros.models.encoders import WindowEncoder
from utt_ros.models.layers import PhysicalScale
from utt_ros.models.settings import ModelSettings
from utt_ros.models.window_statistics import HIDDEN_UNITS, DerivedChannels, no_derived_channels

WAVE_SCALES_M = (8.0, 16.0, 4.0, 32.0, 5.6, 11.0, 22.0, 3.0)  # of a radian [R]
RIDGE_M2 = 1.0  # of the spread of access points [R]
MAX_COORDINATE_M = 40.0
AGE_SPEED_MPS = 4.0  # an age of 1 s is coded as this distance [R]


class GeometryCode(nn.Module):
    """Sines and cosines of geometries; it has no weights."""

    scales: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.register_buffer('scales', torch.tensor(WAVE_SCALES_M)[:, None], persistent=False)

    def forward(self, geometry: Tensor) -> Tensor:  # (N, K) [m] -> (N, width)
        angles = geometry.unsqueeze(1) / self.scales  # (N, scales, K)
        waves = torch.stack([angles.sin(), angles.cos() - 1.0], dim=3).flatten(1)
        code: Tensor = nn.functional.pad(waves, (0, self.width))[:, :self.width]
        return code


class AccessPointEncoder(WindowEncoder):
    """Window encoder of the ranges to each access point, and the mean of their features.

    The mean is over the access points with a range. The code of the position that all ranges tell
    is added.
    """

    order: Tensor

    def __init__(
        self, scale: PhysicalScale, rows: int, strides: tuple[int, ...], model: ModelSettings,
        derived: DerivedChannels = no_derived_channels, *, period: float,
    ) -> None:
        super().__init__(scale, rows, strides, model, derived)
        self.age_unit = period * AGE_SPEED_MPS
        self.code = GeometryCode(max(model.width, HIDDEN_UNITS))
        self.register_buffer('order', torch.arange(1.0, rows + 1.0), persistent=False)

    def forward(
        self, values: Tensor, mask: Tensor, geometry: Tensor | None = None,
    ) -> Tensor:
        """Encode (N, A, T, 2) with masks (N, A, T) and geometry (N, A, 3) to (N, d).

        Without geometry: (N, T, 2) and (N, T), of one access point.
        """
        if geometry is None:
            return super().forward(values, mask)
        newest = (mask.to(values.dtype) * self.order).amax(dim=2, keepdim=True)  # (N, A, 1)
        present = newest.squeeze(2) > 0.0
        age = (newest.amax(dim=1, keepdim=True) - newest) * self.age_unit
        measured = torch.where(mask, values[..., 0], 0.0).sum(dim=2)
        mean_range = measured / mask.sum(dim=2).clamp(min=1)
        position: Tensor = self.code(multilaterate(mean_range, present, geometry))[:, :self.width]
        code = self.code(torch.cat([geometry, age], dim=2).flatten(0, 1))
        features = super().forward(values.flatten(0, 1), mask.flatten(0, 1), code)
        feature: Tensor = masked_mean(features.reshape(*present.shape, self.width), present)
        return feature + position


def multilaterate(ranges: Tensor, present: Tensor, geometry: Tensor) -> Tensor:
    """Estimate positions (N, 2) [m] from ranges (N, A) where present, by linear least squares.

    The square of a range is linear in the position, but for a term that all ranges share. 0 along
    directions that the access points do not tell, as for one alone.
    """
    weight = present.double() / present.double().sum(dim=1, keepdim=True).clamp(min=1.0)
    points = geometry[..., :2].double()
    squares = ranges.double().square() - points.square().sum(dim=2)
    apart = points - (weight.unsqueeze(2) * points).sum(dim=1, keepdim=True)
    above = squares - (weight * squares).sum(dim=1, keepdim=True)
    x, y = apart[..., 0], apart[..., 1]
    xx, yy = ((weight * axis.square()).sum(dim=1) + RIDGE_M2 for axis in (x, y))
    xy, x_above, y_above = ((weight * a * b).sum(dim=1) for a, b in (
        (x, y), (x, above), (y, above)))
    scale = -0.5 / (xx * yy - xy.square())
    solved = torch.stack([yy * x_above - xy * y_above, xx * y_above - xy * x_above], dim=1)
    position = (scale.unsqueeze(1) * solved).clamp(-MAX_COORDINATE_M, MAX_COORDINATE_M)
    return position.to(geometry.dtype)


def masked_mean(features: Tensor, present: Tensor) -> Tensor:
    """Average features (N, A, d) where present (N, A), 0 where none is; in any order the same.

    Sums of float32 numbers of about the same size are exact in double precision.
    """
    total = torch.where(present.unsqueeze(2), features.double(), 0.0).sum(dim=1)
    count = present.double().sum(dim=1, keepdim=True).clamp(min=1.0)
    return (total / count).to(features.dtype)


class AccessPointDecoder(WindowDecoder):
    """Window decoder of the ranges to an access point, which its geometry selects."""

    def __init__(
        self, scale: PhysicalScale, rows: int, strides: tuple[int, ...], model: ModelSettings,
    ) -> None:
        super().__init__(scale, rows, strides, model)
        self.code = GeometryCode(model.width)

    def forward(
        self, feature: Tensor, newest: int | None = None, geometry: Tensor | None = None,
    ) -> Tensor:
        """Decode (B, d), for access points at geometry (B, 3), to (B, T, 2); see the base."""
        return super().forward(feature, newest, None if geometry is None else self.code(geometry))
