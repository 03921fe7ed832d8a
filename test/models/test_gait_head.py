"""The head that says how phones swing."""

import torch

from utt_ros.models.gait_head import LOG_RMS, StrideHead
from utt_ros.models.modalities import modality
from utt_ros.models.settings import ModelSettings
from utt_ros.motion.gait import BAND_HZ

MODEL = ModelSettings(width=8, heads=2)


def lively() -> StrideHead:
    """A head that says something, unlike an untrained one."""
    head = StrideHead(MODEL, modality('imu').scale)
    torch.nn.init.normal_(head.say.weight)
    return head


def test_an_untrained_head_lets_phones_hardly_swing() -> None:
    swing = StrideHead(MODEL, modality('imu').scale)(torch.ones(3), torch.ones(3, 2))
    assert swing.cadence.shape == (3,)
    assert swing.log_rms.shape == (3, 6, 5)
    assert swing.log_rms.exp().max() < 0.5


def test_only_the_speed_counts_and_only_where_it_is_known() -> None:
    velocity = torch.tensor([[0.6, 0.8], [1.0, 0.0], [0.3, 0.0]])
    head = lively()
    swing, unknown = head(torch.ones(3), velocity), head(torch.zeros(3), velocity)
    torch.testing.assert_close(swing.log_rms[0], swing.log_rms[1])
    assert (swing.log_rms[1] - swing.log_rms[2]).abs().max() > 1e-3
    torch.testing.assert_close(unknown.log_rms[0], unknown.log_rms[2])


def test_absurd_velocities_and_weights_are_limited() -> None:
    head = lively()
    velocity = torch.tensor([[1e9, 0.0], [1.0, 0.0]])
    torch.testing.assert_close(
        head(torch.ones(2), velocity).log_rms[0], head(torch.ones(2), 2 * velocity).log_rms[0])
    torch.nn.init.normal_(head.say.weight, std=100.0)
    swing = head(torch.ones(2), velocity)
    assert BAND_HZ[0] <= swing.cadence.min()
    assert swing.cadence.max() <= BAND_HZ[1]
    assert LOG_RMS[0] <= swing.log_rms.min()
    assert swing.log_rms.max() <= LOG_RMS[1]
