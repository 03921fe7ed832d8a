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

"""Means and slopes of windows, and channels derived from them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.compass import compass_heading
from utt_ros.models.window_statistics import (
    MAX_SCALED,
    WindowStatistics,
    compass_and_dynamic_acceleration,
    lateral_offset,
    moving_mean,
    no_derived_channels,
)
from utt_ros.settings import AreaSettings


def ones(rows: int, count: int = 1) -> torch.Tensor:
    return torch.ones(count, 1, rows)


def statistics(rows: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """The means and slopes that enter the network."""
    network, inputs = WindowStatistics(rows.shape[1], rows.shape[2], 4), []
    network.read.register_forward_hook(lambda _, arguments, __: inputs.append(arguments[0]))
    network(rows, seen)
    return inputs[0]


def test_statistics_are_the_mean_and_the_slope_of_each_channel() -> None:
    position = torch.linspace(-1.0, 1.0, 30)
    rows = torch.stack([2.0 + 0.0 * position, 1.0 + 0.5 * position])[None]
    found = statistics(rows, ones(30))
    torch.testing.assert_close(found[0, :3], torch.tensor([2.0, 1.0, 0.0]), atol=1e-5, rtol=0)
    assert found[0, 3].item() == pytest.approx(3.0 * 0.5, rel=0.1)  # shrunk a little


def test_masked_rows_are_left_out_and_an_empty_window_is_finite() -> None:
    position = torch.linspace(-1.0, 1.0, 30)
    seen = (position > 0).float()[None, None]
    found = statistics(torch.stack([1.0 + 0.5 * position])[None] * seen, seen)
    assert found[0, 0].item() == pytest.approx(1.0 + 0.5 * position[position > 0].mean().item())
    assert 0.5 < found[0, 1].item() < 1.5
    nothing = torch.zeros(1, 1, 30)
    assert WindowStatistics(1, 30, 4)(nothing, nothing).isfinite().all()


def test_the_lateral_offset_of_boxes_is_that_of_people() -> None:
    people = np.array([[8.0, 3.0], [5.0, -2.0], [12.0, 0.0]])
    boxes = torch.tensor(CameraModel(AreaSettings()).project(people), dtype=torch.float32)
    offset = lateral_offset(boxes.T[None], ones(3))[0, 0]
    np.testing.assert_allclose(4.0 * offset.numpy(), people[:, 1], rtol=0.02, atol=0.03)


def test_a_moving_mean_takes_rows_beyond_the_window_for_zero() -> None:
    values = 9.81 + torch.randn(2, 3, 150)
    expected = F.avg_pool1d(values, 51, 1, 25)
    torch.testing.assert_close(moving_mean(values, 51), expected, rtol=0, atol=1e-4)
    torch.testing.assert_close(moving_mean(values, 1), values, rtol=0, atol=1e-3)


def test_the_derived_heading_is_that_of_the_compass(rng: np.random.Generator) -> None:
    imu = np.zeros((1, 150, 9), np.float32)
    imu[..., :3] = np.array([0.3, 2.0, 9.4]) + rng.normal(0, 1.0, (1, 150, 3))
    imu[..., 6:] = 1e-5, 2.5e-5, -3e-5
    heading, valid = compass_heading(imu, np.ones((1, 150), bool), 0.02, 0.0)
    channels = torch.from_numpy(imu).transpose(1, 2)
    derived = compass_and_dynamic_acceleration(channels, ones(150), 0.02)[0]
    cos, sin = derived[:2].mean(dim=1).tolist()
    assert valid[0]
    assert np.arctan2(sin, cos) == pytest.approx(heading[0], abs=0.02)


def test_dynamic_acceleration_separates_steps_from_standing_and_is_limited() -> None:
    dynamic = []
    for amplitude in (0.0, 3.0, 1e6):
        imu = torch.zeros(1, 9, 150)
        imu[:, 2] = 9.81 + amplitude * torch.sin(torch.arange(150) / 4.0)
        dynamic.append(compass_and_dynamic_acceleration(imu, ones(150), 0.02)[0, 2])
    assert dynamic[0].max() < 1e-3 < 0.5 < dynamic[1].mean()
    assert dynamic[2].max() == MAX_SCALED
    nothing = compass_and_dynamic_acceleration(
        torch.zeros(1, 9, 150), torch.zeros(1, 1, 150), 0.02)
    assert nothing.isfinite().all()
    assert not nothing.any()


def test_no_channel_is_derived_by_default() -> None:
    assert no_derived_channels(torch.ones(2, 3, 4), ones(4, 2)).shape == (2, 0, 4)
