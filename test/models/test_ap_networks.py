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

import pytest
import torch
from torch import Tensor

from utt_ros.access_point_list import MAX_ACCESS_POINTS
from utt_ros.models.ap_networks import (
    AccessPointDecoder,
    AccessPointEncoder,
    masked_mean,
    multilaterate,
)
from utt_ros.models.decoders import WindowDecoder
from utt_ros.models.encoders import WindowEncoder
from utt_ros.models.layers import PhysicalScale
from utt_ros.models.settings import ModelSettings

ROWS, COUNT = 12, 5
MODEL = ModelSettings(width=16, heads=2, feedforward=16)
SCALE = PhysicalScale((10.0, 0.5), (7.0, 0.35))


@pytest.fixture
def encoder() -> AccessPointEncoder:
    torch.manual_seed(1)
    return AccessPointEncoder(SCALE, ROWS, (2,), MODEL, period=0.1)


@pytest.fixture
def decoder() -> AccessPointDecoder:
    torch.manual_seed(2)
    return AccessPointDecoder(SCALE, ROWS, (4, 4), MODEL)


def ranges(access_points: int, count: int = COUNT) -> tuple[Tensor, Tensor, Tensor]:
    """Return windows of ranges (N, A, T, 2), a mask with gaps and the geometry (N, A, 3)."""
    torch.manual_seed(access_points)
    shape = (count, access_points, ROWS)
    return (10.0 * torch.rand(*shape, 2), torch.rand(shape) < 0.4,
            8.0 * torch.randn(count, access_points, 3))


@torch.no_grad()
@pytest.mark.parametrize('access_points', [2, 3, 5, MAX_ACCESS_POINTS])
def test_access_points_are_encoded_in_any_order(
    encoder: AccessPointEncoder, access_points: int,
) -> None:
    given = ranges(access_points)
    expected = encoder(*given)
    for _ in range(10):
        order = torch.randperm(access_points)
        found = encoder(*(part[:, order] for part in given))
        # a product of matrices may round the same row differently at another place
        torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-6)


@torch.no_grad()
def test_features_of_access_points_have_the_same_mean_in_any_order() -> None:
    features = torch.randn(COUNT, MAX_ACCESS_POINTS, MODEL.width)
    present = torch.rand(COUNT, MAX_ACCESS_POINTS) < 0.7
    expected = masked_mean(features, present)
    for _ in range(20):
        order = torch.randperm(MAX_ACCESS_POINTS)
        assert torch.equal(masked_mean(features[:, order], present[:, order]), expected)


@torch.no_grad()
def test_one_access_point_is_encoded_as_without_geometry(encoder: AccessPointEncoder) -> None:
    values, mask, _ = ranges(1)
    without = encoder(values[:, 0], mask[:, 0])
    assert torch.equal(encoder(values, mask, torch.zeros(COUNT, 1, 3)), without)
    torch.manual_seed(1)
    plain = WindowEncoder(SCALE, ROWS, (2,), MODEL)
    assert torch.equal(plain(values[:, 0], mask[:, 0]), without)
    assert plain.state_dict().keys() == encoder.state_dict().keys()


@torch.no_grad()
def test_an_access_point_without_a_range_changes_nothing(encoder: AccessPointEncoder) -> None:
    values, mask, geometry = ranges(3)
    mask[:, 1] = False
    kept = [0, 2]
    torch.testing.assert_close(
        encoder(values, mask, geometry),
        encoder(values[:, kept], mask[:, kept], geometry[:, kept]), rtol=0.0, atol=1e-6)


@torch.no_grad()
def test_a_window_without_any_range_has_a_finite_feature(encoder: AccessPointEncoder) -> None:
    values, mask, geometry = ranges(3)
    assert encoder(values, mask & False, geometry).isfinite().all()


@torch.no_grad()
@pytest.mark.parametrize('changed', ['geometry', 'age'])
def test_geometry_and_age_of_an_access_point_matter(
    encoder: AccessPointEncoder, changed: str,
) -> None:
    values, mask, geometry = ranges(2)
    mask[:] = True
    other, shifted = mask.clone(), geometry.clone()
    if changed == 'age':
        other[:, 1, -4:] = False
    else:
        shifted[:, 1, 0] += 3.0
    difference = encoder(values, mask, geometry) - encoder(values, other, shifted)
    assert (difference.abs().amax(dim=1) > 1e-3).all()


@torch.no_grad()
def test_the_geometry_of_an_access_point_asks_for_its_ranges(decoder: AccessPointDecoder) -> None:
    feature = torch.randn(COUNT, MODEL.width)
    at_camera = decoder(feature, geometry=torch.zeros(COUNT, 3))
    assert torch.equal(at_camera, decoder(feature))
    torch.manual_seed(2)
    plain = WindowDecoder(SCALE, ROWS, (4, 4), MODEL)
    assert torch.equal(plain(feature), at_camera)
    assert plain.state_dict().keys() == decoder.state_dict().keys()
    elsewhere = decoder(feature, geometry=torch.full((COUNT, 3), 5.0))
    assert ((elsewhere - at_camera).abs().amax(dim=(1, 2)) > 1e-3).all()
    torch.testing.assert_close(
        decoder(feature, 1, torch.full((COUNT, 3), 5.0)), elsewhere[:, -1:])


@torch.no_grad()
def test_ranges_to_three_access_points_tell_the_position() -> None:
    torch.manual_seed(4)
    points = torch.tensor([[[0.0, 0.0, 0.0], [13.0, -2.0, 0.0], [9.0, 7.0, 0.0]]])
    places = torch.tensor([5.0, -1.0]) + 4.0 * torch.randn(20, 1, 2)
    distances = (places - points[..., :2]).norm(dim=2)
    present = torch.ones(20, 3, dtype=torch.bool)
    found = multilaterate(distances, present, points.expand(20, -1, -1))
    assert (found - places[:, 0]).norm(dim=1).max() < 1.0
    one = multilaterate(distances, present & torch.tensor([True, False, False]), points)
    assert not one.any()
