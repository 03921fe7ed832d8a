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

"""The gait head."""

import torch

from utt_ros.models.gait_head import LOG_RMS_LIMITS, GaitHead
from utt_ros.models.modalities import modality
from utt_ros.models.settings import ModelSettings
from utt_ros.motion.gait import BAND_HZ

MODEL = ModelSettings(width=8, heads=2)


def random_head() -> GaitHead:
    """A head with random outputs, unlike an untrained one."""
    head = GaitHead(MODEL, modality('imu').scale)
    torch.nn.init.normal_(head.say.weight)
    return head


def test_an_untrained_head_predicts_weak_motion() -> None:
    gait = GaitHead(MODEL, modality('imu').scale)(torch.ones(3), torch.ones(3, 2))
    assert gait.cadence.shape == (3,)
    assert gait.log_rms.shape == (3, 6, 5)
    assert gait.log_rms.exp().max() < 0.5


def test_predictions_depend_on_the_speed_alone_and_only_where_it_is_known() -> None:
    velocity = torch.tensor([[0.6, 0.8], [1.0, 0.0], [0.3, 0.0]])
    head = random_head()
    gait, unknown = head(torch.ones(3), velocity), head(torch.zeros(3), velocity)
    torch.testing.assert_close(gait.log_rms[0], gait.log_rms[1])
    assert (gait.log_rms[1] - gait.log_rms[2]).abs().max() > 1e-3
    torch.testing.assert_close(unknown.log_rms[0], unknown.log_rms[2])


def test_absurd_velocities_and_weights_are_limited() -> None:
    head = random_head()
    velocity = torch.tensor([[1e9, 0.0], [1.0, 0.0]])
    torch.testing.assert_close(
        head(torch.ones(2), velocity).log_rms[0], head(torch.ones(2), 2 * velocity).log_rms[0])
    torch.nn.init.normal_(head.say.weight, std=100.0)
    gait = head(torch.ones(2), velocity)
    assert BAND_HZ[0] <= gait.cadence.min()
    assert gait.cadence.max() <= BAND_HZ[1]
    assert LOG_RMS_LIMITS[0] <= gait.log_rms.min()
    assert gait.log_rms.max() <= LOG_RMS_LIMITS[1]
