"""The motion head."""

from dataclasses import fields

import torch

from utt_ros.models.motion_head import MEMBERS, MotionHead, knot_weights
from utt_ros.models.settings import ModelSettings
from utt_ros.motion.features import CONTEXT, MAX_SPEED_MPS
from utt_ros.settings import WindowSettings

MODEL = ModelSettings(width=8, heads=2, knots=2)
WINDOW = WindowSettings(period=0.5, horizon=4)


def told(*people: tuple[float, float, float]) -> torch.Tensor:
    """Context of people whose velocity (x, y) the camera tells, where the third number is 1."""
    context = torch.zeros(len(people), len(CONTEXT))
    context[:, 0] = 1.0
    for row, (x, y, valid) in enumerate(people):
        context[row, 1:4] = torch.tensor([valid, x, y])
    return context


def test_knots_are_interpolated_linearly_and_the_first_holds_before_itself() -> None:
    torch.testing.assert_close(
        knot_weights(2, 4), torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]))


def test_an_untrained_head_says_that_all_go_on_as_they_were_seen() -> None:
    context = told((1.2, 0.0, 1.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    motion = MotionHead(MODEL, WINDOW)(context)
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
        head.say.bias[..., :3] = torch.tensor([0.1, 0.2, 0.5])  # correction and gate
        head.say.bias[..., 7:9] = torch.tensor([0.4, 0.0])  # residual at the last knot
    motion = head(told((1.0, -1.0, 1.0)))
    torch.testing.assert_close(motion.velocity, torch.tensor([[1.6, -1.3]]))
    torch.testing.assert_close(motion.future, torch.tensor([[
        [0.8, -0.65], [1.6, -1.3], [1.5 * (1.6 + 0.2), -1.95], [2 * (1.6 + 0.4), -2.6]]]))


def test_an_absurd_context_is_limited() -> None:
    head = MotionHead(MODEL, WINDOW)
    torch.nn.init.normal_(head.say.weight)
    absurd = torch.full((1, len(CONTEXT)), 1e6)
    motion = head(absurd)
    torch.testing.assert_close(motion.velocity, head(1e3 * absurd).velocity)
    limited = head(told((MAX_SPEED_MPS, 0.0, 1.0))).velocity
    torch.testing.assert_close(head(told((1e6, 0.0, 1.0))).velocity, limited)


def test_a_head_says_the_mean_of_its_networks_which_are_trained_apart() -> None:
    head = MotionHead(MODEL, WINDOW)
    torch.nn.init.normal_(head.say.weight, std=0.1)
    context = told((1.0, -1.0, 1.0), (0.0, 0.0, 0.0))
    said, alone = head(context), head.apart(context)
    for field in fields(said):
        each = getattr(alone, field.name).unflatten(0, (MEMBERS, 2))
        torch.testing.assert_close(getattr(said, field.name), each.mean(dim=0))
        assert each.std(dim=0).min() > 0, field.name
