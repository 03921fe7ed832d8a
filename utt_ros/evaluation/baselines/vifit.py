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

"""ViFiT: boxes of a window from its first box, IMU and FTM [S: Cao et al., ISACom 2023].

Window of 30 frames; three encoders (width 72, feed-forward 144, 4 heads, one layer applied four
times), concatenated, one linear decoder; distance-IoU loss, and squared error for the depth.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from utt_ros.evaluation.baselines.scaling import Example, scale_values
from utt_ros.evaluation.metrics import box_iou
from utt_ros.models.modalities import modality
from utt_ros.types import FloatArray, MaskArray

FRAMES = 30
WIDTH, FEED_FORWARD, HEADS, DEPTH = 72, 144, 4, 4
MIN_CHAIN_IOU = 0.5
DEPTH_WEIGHT = 1.0
Measured = tuple[FloatArray, MaskArray]  # values and where they were measured


class SharedEncoder(nn.Module):
    """One transformer layer applied DEPTH times: layers share weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.embed = nn.Linear(channels, WIDTH)
        self.place = nn.Parameter(0.02 * torch.randn(FRAMES, WIDTH))
        self.layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, FEED_FORWARD, dropout=0.0, batch_first=True)

    def forward(self, rows: Tensor) -> Tensor:
        """(B, T, F) -> (B, T, d)."""
        tokens: Tensor = self.embed(rows) + self.place
        for _ in range(DEPTH):
            tokens = self.layer(tokens)
        return tokens


class Vifit(nn.Module):
    """Network that predicts the change of boxes from the first one."""

    def __init__(self, imu_rows: int) -> None:
        super().__init__()
        channels = {'first': 6, 'ftm': 3, 'imu': 9 * imu_rows + 3}
        self.encoders = nn.ModuleDict(
            {name: SharedEncoder(size) for name, size in channels.items()})
        self.decoder = nn.Linear(WIDTH * len(channels), 5)

    def forward(self, rows: dict[str, Tensor]) -> Tensor:
        """Predict scaled boxes (B, T, 5) from rows (B, T, .); `first` has a box in row 0 only."""
        tokens = [self.encoders[name](rows[name]) for name in self.encoders]
        change: Tensor = self.decoder(torch.cat(tokens, dim=2))
        return rows['first'][:, :1, :5] + change


def vifit_rows(
    first: FloatArray, ranging: Measured, motion: Measured, headings: Measured,
) -> dict[str, FloatArray]:
    """Input rows (N, T, .), scaled, of first boxes (N, 5), FTM (N, T, 2) and IMU (N, T * C, 9).

    `headings` (N, T * C) of the phones in the area frame and their validity complement the IMU:
    cameras have different directions, so the magnetic field does not determine that in the image.
    """
    (ftm, ftm_mask), (imu, imu_mask) = ranging, motion
    count, ticks = ftm_mask.shape
    first_rows = np.zeros((count, ticks, 6), np.float32)
    first_rows[:, 0, :5] = scale_values('camera', first, np.ones(count, bool))
    first_rows[:, 0, 5] = 1.0
    per_tick = imu_mask.reshape(count, ticks, -1)
    scaled = scale_values('imu', imu, imu_mask).reshape(count, ticks, -1)
    angle, valid = (part.reshape(count, ticks, -1)[..., -1] for part in headings)
    direction = np.stack([np.cos(angle) * valid, np.sin(angle) * valid], axis=-1)
    return {
        'first': first_rows,
        'ftm': np.concatenate(
            [scale_values('ftm', ftm, ftm_mask), ftm_mask[..., None]], -1).astype(np.float32),
        'imu': np.concatenate(
            [scaled, per_tick.mean(2, keepdims=True), direction], -1).astype(np.float32)}


def vifit_loss(net: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Distance-IoU of the boxes and squared error of the depth, where a box was detected."""
    predicted, true, mask = net(batch), batch['boxes'], batch['seen']
    depth = (predicted[..., 2] - true[..., 2]) ** 2
    distance = 1.0 - distance_iou(*(unscale_boxes(rows) for rows in (predicted, true)))
    total = torch.where(mask, distance + DEPTH_WEIGHT * depth, 0.0).sum()
    return total / mask.sum().clamp(min=1)


def unscale_boxes(rows: Tensor) -> Tensor:
    """Convert scaled boxes to pixels and metres, with sizes of at least one pixel."""
    known = modality('camera')
    boxes = rows * rows.new_tensor(known.scale) + rows.new_tensor(known.offset)
    size = boxes[..., 3:].clamp(min=1.0)
    return torch.cat([boxes[..., :3], size], dim=-1)


def distance_iou(predicted: Tensor, true: Tensor) -> Tensor:
    """Distance-IoU (...) of boxes (..., 5) [S: Zheng et al., AAAI 2020]."""
    overlap, enclosing = _overlap(predicted, true)
    distance2 = ((predicted[..., :2] - true[..., :2]) ** 2).sum(-1)
    return overlap - distance2 / (enclosing**2).sum(-1).clamp(min=1e-6)


def _overlap(predicted: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """Differentiable IoU (...), and width and height (..., 2) of the box around both.

    The loss needs its gradient; the metric is `metrics.box_iou`, and a test compares the two.
    """
    low = [box[..., :2] - box[..., 3:] / 2 for box in (predicted, true)]
    high = [box[..., :2] + box[..., 3:] / 2 for box in (predicted, true)]
    shared = (torch.minimum(*high) - torch.maximum(*low)).clamp(min=0.0).prod(-1)
    areas = [box[..., 3:].prod(-1) for box in (predicted, true)]
    enclosing = torch.maximum(*high) - torch.minimum(*low)
    return shared / (areas[0] + areas[1] - shared).clamp(min=1e-6), enclosing


@dataclass(frozen=True, slots=True)
class RequiredFrames:
    """Number of camera frames that a method needs."""

    windows: int
    sent: int

    @property
    def ratio(self) -> float:
        """Return the frames sent per window: MRFR."""
        return self.sent / self.windows

    @property
    def saved(self) -> float:
        """Return the share of frames saved: a window has FRAMES - 1 new ones."""
        return 1.0 - self.ratio / (FRAMES - 1)


BoxPredictor = Callable[[Example], FloatArray]
"""Predicts boxes (N, T, 5) [CAMERA_CHANNELS] from rows (N, T, .)."""


@torch.no_grad()
def predict_boxes(net: nn.Module, rows: Example) -> FloatArray:
    """Predict boxes with ViFiT; see `BoxPredictor`."""
    boxes = net({name: torch.from_numpy(rows[name]) for name in ('first', 'ftm', 'imu')})
    return np.asarray(unscale_boxes(boxes).numpy(), np.float32)


def repeat_first_box(rows: Example) -> FloatArray:
    """Repeat the first box over the window: the baseline that sends one frame per window."""
    first = torch.from_numpy(rows['first'][:, :1, :5])
    boxes = unscale_boxes(first).numpy()
    return np.repeat(boxes, rows['first'].shape[1], axis=1)


def required_frames(predict: BoxPredictor, chain: Sequence[Example]) -> tuple[int, int]:
    """Count the windows of a chain and those that need a frame of their own [R].

    `chain`: rows (1, T, .) with the true boxes (1, T, 5) under 'true', of windows of one person,
    each of which starts with the last frame of the one before. A window starts from the last
    predicted box if its overlap with the true one is at least MIN_CHAIN_IOU; otherwise its first
    frame is sent. [S] gives the metric (0.65 frames per window save 97.76 %), not this rule.
    """
    sent, last = 0, None
    for window in chain:
        rows = dict(window)
        if last is None or box_iou.box_iou(last, window['true'][:, 0])[0] < MIN_CHAIN_IOU:
            sent += 1
        else:
            rows['first'] = window['first'].copy()
            rows['first'][:, 0, :5] = scale_values('camera', last, np.ones(1, bool))
        last = predict(rows)[:, -1]
    return len(chain), sent
