"""ViFiT: boxes of a window from its first box, IMU and FTM [S: Cao et al., ISACom 2023].

Window of 30 frames; three encoders (width 72, feed-forward 144, 4 heads, one layer applied four
times), concatenated, one linear decoder; distance-IoU loss, and squared error for the depth.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from utt_ros.evaluation.baselines.scaling import Item, scale
from utt_ros.evaluation.metrics import box_iou
from utt_ros.models.modalities import modality
from utt_ros.types import FloatArray, MaskArray

FRAMES = 30
WIDTH, FEED_FORWARD, HEADS, DEPTH = 72, 144, 4, 4
ENOUGH_IOU = 0.5
DEPTH_WEIGHT = 1.0
Measured = tuple[FloatArray, MaskArray]  # values and where they were measured


class SharedEncoder(nn.Module):
    """One transformer layer applied several times: weights are shared between layers."""

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
    """Says how boxes change from the first one."""

    def __init__(self, imu_rows: int) -> None:
        super().__init__()
        channels = {'first': 6, 'ftm': 3, 'imu': 9 * imu_rows + 3}
        self.encoders = nn.ModuleDict(
            {name: SharedEncoder(size) for name, size in channels.items()})
        self.decoder = nn.Linear(WIDTH * len(channels), 5)

    def forward(self, rows: dict[str, Tensor]) -> Tensor:
        """Boxes (B, T, 5), scaled, of rows (B, T, .) whose `first` holds a box in row 0 alone."""
        tokens = [self.encoders[name](rows[name]) for name in self.encoders]
        moved: Tensor = self.decoder(torch.cat(tokens, dim=2))
        return rows['first'][:, :1, :5] + moved


def vifit_rows(
    first: FloatArray, ranging: Measured, motion: Measured, headings: Measured,
) -> dict[str, FloatArray]:
    """Rows (N, T, .), scaled, from first boxes (N, 5), FTM (N, T, 2) and IMU (N, T * C, 9).

    `headings` (N, T * C) of the phones in the area frame and their validity go with the IMU: areas
    look into different directions, so magnetic fields alone say nothing about the picture.
    """
    (ftm, ftm_mask), (imu, imu_mask) = ranging, motion
    count, ticks = ftm_mask.shape
    given = np.zeros((count, ticks, 6), np.float32)
    given[:, 0, :5], given[:, 0, 5] = scale('camera', first, np.ones(count, bool)), 1.0
    per_tick = imu_mask.reshape(count, ticks, -1)
    moved = scale('imu', imu, imu_mask).reshape(count, ticks, -1)
    angle, valid = (part.reshape(count, ticks, -1)[..., -1] for part in headings)
    pointing = np.stack([np.cos(angle) * valid, np.sin(angle) * valid], axis=-1)
    return {
        'first': given,
        'ftm': np.concatenate([scale('ftm', ftm, ftm_mask), ftm_mask[..., None]], -1).astype(
            np.float32),
        'imu': np.concatenate(
            [moved, per_tick.mean(2, keepdims=True), pointing], -1).astype(np.float32)}


def vifit_loss(net: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Distance-IoU of the boxes and squared error of the depth, where seen."""
    made, true, mask = net(batch), batch['boxes'], batch['seen']
    depth = (made[..., 2] - true[..., 2]) ** 2
    distance = 1.0 - diou(*(restore(rows) for rows in (made, true)))
    total = torch.where(mask, distance + DEPTH_WEIGHT * depth, 0.0).sum()
    return total / mask.sum().clamp(min=1)


def restore(rows: Tensor) -> Tensor:
    """Scaled boxes in pixels and metres; sizes of a pixel at least."""
    known = modality('camera')
    boxes = rows * rows.new_tensor(known.scale) + rows.new_tensor(known.offset)
    size = boxes[..., 3:].clamp(min=1.0)
    return torch.cat([boxes[..., :3], size], dim=-1)


def diou(made: Tensor, true: Tensor) -> Tensor:
    """Distance-IoU (...) of boxes (..., 5) [S: Zheng et al., AAAI 2020]."""
    overlap, corners = _overlap(made, true)
    apart = ((made[..., :2] - true[..., :2]) ** 2).sum(-1)
    return overlap - apart / (corners**2).sum(-1).clamp(min=1e-6)


def _overlap(made: Tensor, true: Tensor) -> tuple[Tensor, Tensor]:
    """Differentiable IoU (...), and width and height (..., 2) of the box around both.

    The loss needs its gradient; the metric is `metrics.box_iou`, and a test compares the two.
    """
    low = [box[..., :2] - box[..., 3:] / 2 for box in (made, true)]
    high = [box[..., :2] + box[..., 3:] / 2 for box in (made, true)]
    shared = (torch.minimum(*high) - torch.maximum(*low)).clamp(min=0.0).prod(-1)
    areas = [box[..., 3:].prod(-1) for box in (made, true)]
    around = torch.maximum(*high) - torch.minimum(*low)
    return shared / (areas[0] + areas[1] - shared).clamp(min=1e-6), around


@dataclass(frozen=True, slots=True)
class Frames:
    """How many camera frames a method needs."""

    windows: int
    sent: int

    @property
    def ratio(self) -> float:
        """Sent per window: MRFR."""
        return self.sent / self.windows

    @property
    def saved(self) -> float:
        """The share of frames that need not be sent: a window brings FRAMES - 1 new ones."""
        return 1.0 - self.ratio / (FRAMES - 1)


Boxes = Callable[[Item], FloatArray]
"""Boxes (N, T, 5) [CAMERA_CHANNELS] from rows (N, T, .)."""


@torch.no_grad()
def predict(net: nn.Module, rows: Item) -> FloatArray:
    """Boxes that ViFiT makes; see `Boxes`."""
    made = net({name: torch.from_numpy(rows[name]) for name in ('first', 'ftm', 'imu')})
    return np.asarray(restore(made).numpy(), np.float32)


def hold_first(rows: Item) -> FloatArray:
    """The first box for the whole window: what sending one frame per window gives by itself."""
    first = torch.from_numpy(rows['first'][:, :1, :5])
    boxes = restore(first).numpy()
    return np.repeat(boxes, rows['first'].shape[1], axis=1)


def required_frames(boxes: Boxes, chain: Sequence[Item]) -> tuple[int, int]:
    """Windows of a chain and how many of them need a frame of their own [R].

    `chain`: rows (1, T, .) with the true boxes (1, T, 5) under 'true', of windows of one person,
    each of which begins with the last frame of the one before. A window begins with the last box
    that was made for it where that box overlaps the true one by ENOUGH_IOU; otherwise its first
    frame is sent. [S] gives the metric (0.65 frames per window save 97.76 %), not this rule.
    """
    sent, last = 0, None
    for window in chain:
        rows = dict(window)
        if last is None or box_iou.box_iou(last, window['true'][:, 0])[0] < ENOUGH_IOU:
            sent += 1
        else:
            rows['first'] = window['first'].copy()
            rows['first'][:, 0, :5] = scale('camera', last, np.ones(1, bool))
        last = boxes(rows)[:, -1]
    return len(chain), sent
