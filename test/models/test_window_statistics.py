"""Levels and trends of windows, and channels derived from them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.compass import compass_heading
from utt_ros.models.window_statistics import (
    MAX_SCALED,
    Trends,
    bearing_and_effort,
    moving_mean,
    nothing,
    to_the_side,
)
from utt_ros.settings import AreaSettings


def seen(rows: int, count: int = 1) -> torch.Tensor:
    return torch.ones(count, 1, rows)


def read(trends: Trends, rows: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
    """The means and slopes that the network of `trends` is told."""
    told = []
    trends.read.register_forward_hook(lambda _, inputs, __: told.append(inputs[0]))
    trends(rows, there)
    return told[0]


def test_trends_are_the_mean_and_the_slope_of_each_channel() -> None:
    place = torch.linspace(-1.0, 1.0, 30)
    rows = torch.stack([2.0 + 0.0 * place, 1.0 + 0.5 * place])[None]
    told = read(Trends(2, 30, 4), rows, seen(30))
    torch.testing.assert_close(told[0, :3], torch.tensor([2.0, 1.0, 0.0]), atol=1e-5, rtol=0)
    assert told[0, 3].item() == pytest.approx(3.0 * 0.5, rel=0.1)  # few rows count less


def test_masked_rows_count_nowhere_and_a_window_of_none_is_finite() -> None:
    place = torch.linspace(-1.0, 1.0, 30)
    there = (place > 0).float()[None, None]
    rows = torch.stack([1.0 + 0.5 * place])[None] * there
    told = read(Trends(1, 30, 4), rows, there)
    assert told[0, 0].item() == pytest.approx(1.0 + 0.5 * place[place > 0].mean().item())
    assert 0.5 < told[0, 1].item() < 1.5
    assert Trends(1, 30, 4)(torch.zeros(1, 1, 30), torch.zeros(1, 1, 30)).isfinite().all()


def test_boxes_lie_as_far_to_the_side_as_people_do() -> None:
    people = np.array([[8.0, 3.0], [5.0, -2.0], [12.0, 0.0]])
    boxes = torch.tensor(CameraModel(AreaSettings()).project(people), dtype=torch.float32)
    side = to_the_side(boxes.T[None], seen(3))[0, 0]
    np.testing.assert_allclose(4.0 * side.numpy(), people[:, 1], rtol=0.02, atol=0.03)


def test_a_moving_mean_takes_rows_beyond_the_window_for_zero() -> None:
    values = 9.81 + torch.randn(2, 3, 150)
    expected = F.avg_pool1d(values, 51, 1, 25)
    torch.testing.assert_close(moving_mean(values, 51), expected, rtol=0, atol=1e-4)
    torch.testing.assert_close(moving_mean(values, 1), values, rtol=0, atol=1e-3)


def test_a_bearing_is_the_heading_of_the_compass(rng: np.random.Generator) -> None:
    felt = np.zeros((1, 150, 9), np.float32)
    felt[..., :3] = np.array([0.3, 2.0, 9.4]) + rng.normal(0, 1.0, (1, 150, 3))
    felt[..., 6:] = 1e-5, 2.5e-5, -3e-5
    heading, valid = compass_heading(felt, np.ones((1, 150), bool), 0.02, 0.0)
    made = bearing_and_effort(torch.from_numpy(felt).transpose(1, 2), seen(150), 0.02)[0]
    cos, sin = made[:2].mean(dim=1).tolist()
    assert valid[0]
    assert np.arctan2(sin, cos) == pytest.approx(heading[0], abs=0.02)


def test_effort_tells_steps_from_standing_and_is_limited() -> None:
    still, shaken, thrown = (torch.zeros(1, 9, 150) for _ in range(3))
    for felt, size in ((still, 0.0), (shaken, 3.0), (thrown, 1e6)):
        felt[:, 2] = 9.81 + size * torch.sin(torch.arange(150) / 4.0)
    efforts = [bearing_and_effort(felt, seen(150), 0.02)[0, 2] for felt in (still, shaken, thrown)]
    assert efforts[0].max() < 1e-3 < 0.5 < efforts[1].mean()
    assert efforts[2].max() == MAX_SCALED
    made = bearing_and_effort(torch.zeros(1, 9, 150), torch.zeros(1, 1, 150), 0.02)
    assert made.isfinite().all()
    assert not made.any()


def test_nothing_is_derived_by_default() -> None:
    assert nothing(torch.ones(2, 3, 4), seen(4, 2)).shape == (2, 0, 4)
