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

"""The motion head."""

from dataclasses import fields

import torch

from utt_ros.models.motion_head import ENSEMBLE_MEMBERS, MotionHead, knot_weights
from utt_ros.models.settings import ModelSettings
from utt_ros.motion.features import CONTEXT, MAX_SPEED_MPS
from utt_ros.settings import WindowSettings

MODEL = ModelSettings(width=8, heads=2, knots=2)
WINDOW = WindowSettings(period=0.5, horizon=4)


def context_of(*people: tuple[float, float, float]) -> torch.Tensor:
    """Context of people with a camera velocity (x, y), valid where the third number is 1."""
    context = torch.zeros(len(people), len(CONTEXT))
    context[:, 0] = 1.0
    for row, (x, y, valid) in enumerate(people):
        context[row, 1:4] = torch.tensor([valid, x, y])
    return context


def test_knots_are_interpolated_linearly_and_the_first_holds_before_itself() -> None:
    torch.testing.assert_close(
        knot_weights(2, 4), torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]))


def test_an_untrained_head_predicts_constant_camera_velocity() -> None:
    context = context_of((1.2, 0.0, 1.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    motion = MotionHead(MODEL, WINDOW)(context)
    torch.testing.assert_close(motion.velocity[0], torch.tensor([1.2, 0.0]))
    torch.testing.assert_close(motion.future[0, :, 0], torch.tensor([0.6, 1.2, 1.8, 2.4]))
    assert not motion.velocity[1:].any()
    assert not motion.future[1:].any()
    torch.testing.assert_close(motion.velocity_log_std.exp(), torch.ones(3, 2))
    seconds = torch.tensor([0.5, 1.0, 1.5, 2.0])[None, :, None].expand(3, 4, 2)
    torch.testing.assert_close(motion.future_log_std.exp(), seconds)


def test_the_future_is_constant_velocity_plus_a_residual() -> None:
    head = MotionHead(MODEL, WINDOW)
    with torch.no_grad():
        head.say.bias[..., :3] = torch.tensor([0.1, 0.2, 0.5])  # correction and gate
        head.say.bias[..., 7:9] = torch.tensor([0.4, 0.0])  # residual at the last knot
    motion = head(context_of((1.0, -1.0, 1.0)))
    torch.testing.assert_close(motion.velocity, torch.tensor([[1.6, -1.3]]))
    torch.testing.assert_close(motion.future, torch.tensor([[
        [0.8, -0.65], [1.6, -1.3], [1.5 * (1.6 + 0.2), -1.95], [2 * (1.6 + 0.4), -2.6]]]))


def test_an_absurd_context_is_limited() -> None:
    head = MotionHead(MODEL, WINDOW)
    torch.nn.init.normal_(head.say.weight)
    absurd = torch.full((1, len(CONTEXT)), 1e6)
    motion = head(absurd)
    torch.testing.assert_close(motion.velocity, head(1e3 * absurd).velocity)
    limited = head(context_of((MAX_SPEED_MPS, 0.0, 1.0))).velocity
    torch.testing.assert_close(head(context_of((1e6, 0.0, 1.0))).velocity, limited)


def test_the_prediction_is_the_mean_of_the_members_predictions() -> None:
    head = MotionHead(MODEL, WINDOW)
    torch.nn.init.normal_(head.say.weight, std=0.1)
    context = context_of((1.0, -1.0, 1.0), (0.0, 0.0, 0.0))
    mean, members = head(context), head.member_outputs(context)
    for field in fields(mean):
        values = getattr(members, field.name).unflatten(0, (ENSEMBLE_MEMBERS, 2))
        torch.testing.assert_close(getattr(mean, field.name), values.mean(dim=0))
        assert values.std(dim=0).min() > 0, field.name
