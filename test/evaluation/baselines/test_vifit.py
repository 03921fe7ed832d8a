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

import numpy as np
import pytest
import torch

from utt_ros.evaluation.baselines.scaling import scale_values
from utt_ros.evaluation.baselines.vifit import (
    FRAMES,
    RequiredFrames,
    Vifit,
    distance_iou,
    predict_boxes,
    repeat_first_box,
    required_frames,
    vifit_loss,
    vifit_rows,
)
from utt_ros.evaluation.metrics.box_iou import box_iou

BOX = np.array([640.0, 360.0, 5.0, 40.0, 100.0], np.float32)


def window(boxes):
    """A window (1, T) with silent phones and these true boxes."""
    ticks = len(boxes)
    silent, fast = np.zeros((1, ticks), bool), np.zeros((1, 5 * ticks), bool)
    rows = vifit_rows(
        boxes[:1], (np.zeros((1, ticks, 2), np.float32), silent),
        (np.zeros((1, 5 * ticks, 9), np.float32), fast), (np.zeros(fast.shape, np.float32), fast))
    return {**rows, 'boxes': scale_values('camera', boxes[None], np.ones((1, ticks), bool)),
            'seen': np.ones((1, ticks), bool), 'true': boxes[None]}


def test_overlap_of_boxes_by_hand() -> None:
    moved = BOX + np.float32([20, 0, 0, 0, 0])  # half of the width
    assert box_iou(BOX, moved) == pytest.approx(1 / 3)
    assert box_iou(BOX, BOX) == pytest.approx(1.0)
    assert box_iou(BOX, BOX + np.float32([500, 0, 0, 0, 0])) == 0.0


def test_distance_iou_subtracts_how_far_apart_centres_are() -> None:
    moved = BOX + np.float32([20, 0, 0, 0, 0])
    found = distance_iou(torch.from_numpy(BOX), torch.from_numpy(moved)).item()
    assert found == pytest.approx(1 / 3 - 20**2 / (60**2 + 100**2))


def test_an_untrained_model_begins_with_the_first_box_that_it_is_given() -> None:
    torch.manual_seed(0)
    net = Vifit(5)
    torch.nn.init.zeros_(net.decoder.weight)
    torch.nn.init.zeros_(net.decoder.bias)
    made = predict_boxes(net, window(np.tile(BOX, (FRAMES, 1))))
    assert made.shape == (1, FRAMES, 5)
    assert np.allclose(made, BOX, atol=1e-3)


def test_no_box_but_the_first_reaches_the_model() -> None:
    boxes = np.tile(BOX, (FRAMES, 1))
    other = boxes.copy()
    other[1:] += 50
    first, second = window(boxes), window(other)
    assert all(np.array_equal(first[name], second[name]) for name in ('first', 'ftm', 'imu'))


def test_somebody_who_stands_needs_one_frame_in_all() -> None:
    chain = [window(np.tile(BOX, (FRAMES, 1)))] * 3
    assert required_frames(repeat_first_box, chain) == (3, 1)


def test_somebody_who_walks_out_of_the_held_box_needs_a_frame_per_window() -> None:
    walk = BOX + np.linspace(0, 200, FRAMES, dtype=np.float32)[:, None] * [1, 0, 0, 0, 0]
    chain = [window((walk + np.float32([200 * i, 0, 0, 0, 0])).astype(np.float32))
             for i in range(3)]
    assert required_frames(repeat_first_box, chain) == (3, 3)


def test_one_frame_per_window_already_saves_as_much_as_is_published() -> None:
    assert RequiredFrames(windows=10, sent=10).saved == pytest.approx(0.9655, abs=1e-4)
    assert RequiredFrames(windows=100, sent=65).saved == pytest.approx(0.9776, abs=1e-4)


def test_the_loss_of_the_true_boxes_is_zero() -> None:
    item = window(np.tile(BOX, (FRAMES, 1)))
    batch = {name: torch.from_numpy(values) for name, values in item.items()}
    loss = vifit_loss(lambda rows: rows['boxes'], batch)
    assert loss.item() == pytest.approx(0.0, abs=1e-5)
