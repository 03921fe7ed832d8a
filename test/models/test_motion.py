"""The motion head."""

import torch

from utt_ros.models.motion import FASTEST, MotionHead, knot_weights
from utt_ros.models.settings import ModelSettings
from utt_ros.settings import WindowSettings

MODEL = ModelSettings(width=8, heads=2, knots=2)
WINDOW = WindowSettings(period=0.5, horizon=4)


def test_knots_are_interpolated_linearly_and_the_first_holds_before_itself() -> None:
    torch.testing.assert_close(
        knot_weights(2, 4), torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]))


def test_an_untrained_head_says_that_all_go_on_as_they_were_seen() -> None:
    context = torch.tensor([[1.0, 1.2, 0.0, 1.0], [1.0, 1.2, 0.0, 0.0], [1.0, 0.0, 0.0, 1.0]])
    motion = MotionHead(MODEL, WINDOW)(torch.randn(3, 8), context)
    torch.testing.assert_close(motion.velocity[0], torch.tensor([1.2, 0.0]))
    torch.testing.assert_close(motion.future[0, :, 0], torch.tensor([0.6, 1.2, 1.8, 2.4]))
    assert not motion.velocity[1:].any()
    assert not motion.future[1:].any()
    torch.testing.assert_close(motion.velocity_log_std.exp(), torch.ones(3, 2))
    seconds = torch.tensor([0.5, 1.0, 1.5, 2.0])[None, :, None].expand(3, 4, 2)
    torch.testing.assert_close(motion.future_log_std.exp(), seconds)


def test_the_future_is_constant_velocity_and_a_residual() -> None:
    head = MotionHead(MODEL, WINDOW)
    with torch.no_grad():
        head.say.bias[:3] = torch.tensor([0.1, 0.2, 0.5])  # correction and gate
        head.say.bias[7:9] = torch.tensor([0.4, 0.0])  # residual at the last knot
    motion = head(torch.randn(1, 8), torch.tensor([[1.0, 1.0, -1.0, 1.0]]))
    torch.testing.assert_close(motion.velocity, torch.tensor([[1.6, -1.3]]))
    torch.testing.assert_close(motion.future, torch.tensor([[
        [0.8, -0.65], [1.6, -1.3], [1.5 * (1.6 + 0.2), -1.95], [2 * (1.6 + 0.4), -2.6]]]))


def test_an_invalid_prior_does_not_count_and_an_absurd_one_is_limited() -> None:
    head = MotionHead(MODEL, WINDOW)
    torch.nn.init.normal_(head.say.weight)
    feature = torch.randn(1, 8)
    said = [head(feature, torch.tensor([[0.0, speed, 0.0, valid]])).velocity
            for speed, valid in ((3.0, 0.0), (-2.0, 0.0), (1e6, 1.0), (FASTEST, 1.0))]
    torch.testing.assert_close(said[0], said[1])
    torch.testing.assert_close(said[2], said[3])
