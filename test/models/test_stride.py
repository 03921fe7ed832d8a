"""The head that says how phones swing."""

import torch
from torch import Tensor

from utt_ros.geometry.gait import BAND_HZ
from utt_ros.models.settings import ModelSettings
from utt_ros.models.stride import LOG_RMS, StrideHead, camera_pace, ftm_pace

MODEL = ModelSettings(width=8, heads=2)
PERIOD_S, TICKS = 0.1, 30


def ranges(speed: float, every: int = 3) -> tuple[Tensor, Tensor]:
    """Windows of somebody who goes away, with garbage where nothing was measured."""
    measured = torch.arange(TICKS)[None] % every == 0
    distance = 5.0 + speed * PERIOD_S * torch.arange(TICKS)[None]
    return torch.where(measured, distance, torch.nan), measured


def test_the_pace_of_ranges_is_the_slope_of_those_that_were_measured() -> None:
    for speed in (1.2, -1.2):
        torch.testing.assert_close(
            ftm_pace(*ranges(speed), PERIOD_S), torch.tensor([[1.0, 1.2]]))


def test_few_ranges_tell_no_pace() -> None:
    distance, measured = ranges(1.2)
    measured[:, 7:] = False
    assert not ftm_pace(distance, measured, PERIOD_S).any()
    assert not ftm_pace(distance, torch.zeros_like(measured), PERIOD_S).any()


def test_the_pace_of_a_course_does_not_depend_on_its_frame() -> None:
    velocity = torch.tensor([[0.6, 0.8], [1.0, 0.0], [3.0, 4.0]])
    known = torch.tensor([1.0, 1.0, 0.0])
    torch.testing.assert_close(
        camera_pace(known, velocity), torch.tensor([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]]))


def test_an_untrained_head_lets_phones_hardly_swing() -> None:
    swing = StrideHead(MODEL)({'camera': torch.ones(3, 2), 'ftm': torch.ones(3, 2)})
    assert swing.cadence.shape == (3,)
    assert swing.log_rms.shape == (3, 6, 5)
    assert swing.log_rms.exp().max() < 0.5


def test_absurd_paces_and_weights_are_limited() -> None:
    head = StrideHead(MODEL)
    torch.nn.init.normal_(head.say.weight, std=100.0)
    pace = camera_pace(torch.ones(2), torch.tensor([[1e9, 0.0], [1.0, 0.0]]))
    swing = head({'camera': pace})
    assert BAND_HZ[0] <= swing.cadence.min()
    assert swing.cadence.max() <= BAND_HZ[1]
    assert LOG_RMS[0] <= swing.log_rms.min()
    assert swing.log_rms.max() <= LOG_RMS[1]
