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

"""Intersection over union, by hand and beside the differentiable form of the ViFiT loss."""

import numpy as np
import pytest
import torch

from utt_ros.evaluation.baselines.vifit import _overlap
from utt_ros.evaluation.metrics.box_iou import box_iou

BOX = np.array([640.0, 360.0, 5.0, 40.0, 100.0], np.float32)


def test_box_moved_by_half_its_width_shares_a_third() -> None:
    moved = BOX + np.float32([20, 0, 0, 0, 0])
    assert box_iou(BOX, moved) == pytest.approx(1 / 3)
    assert box_iou(BOX, BOX) == pytest.approx(1.0)
    assert box_iou(BOX, BOX + np.float32([500, 0, 0, 0, 0])) == 0.0


def test_predicted_box_of_negative_size_shares_nothing() -> None:
    assert box_iou(BOX * np.float32([1, 1, 1, -1, -1]), BOX) == 0.0


def test_metric_equals_the_differentiable_form_of_the_loss(rng: np.random.Generator) -> None:
    size = rng.uniform(1.0, 200.0, (2, 50, 7, 2))
    boxes = np.concatenate([rng.uniform(0.0, 500.0, (2, 50, 7, 3)), size], axis=-1)
    overlap, _ = _overlap(*(torch.from_numpy(part) for part in boxes))
    assert overlap.numpy() == pytest.approx(box_iou(*boxes))
