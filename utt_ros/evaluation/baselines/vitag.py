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

"""ViTag's X-Translator, as released and repaired [S: Cao et al., SECON 2022, and its code].

Windows of K = 10 frames. Each modality that is fed has a convolution (32, kernel 16) and a BiLSTM
(32); their sum is decoded into every modality by a convolution, two BiLSTMs and a dense layer,
with the mean squared error of every modality as loss. As released, FTM is decoded but never fed.
It is trained to translate from all modalities, from the camera alone and from the phone alone.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utt_ros.association.assignment import Costs
from utt_ros.association.candidates import Candidates
from utt_ros.association.model_evidence import tile_windows
from utt_ros.association.vifi_bipartite import combine
from utt_ros.evaluation.baselines.scaling import Example, scale_values, step_means
from utt_ros.types import FloatArray

FRAMES = 10
CHANNELS = {'camera': 5, 'ftm': 2, 'imu': 9}
FED = {'as_released': ('camera', 'imu'), 'repaired': ('camera', 'ftm', 'imu')}
HIDDEN, KERNEL = 32, 16
PHONE = ('ftm', 'imu')
PATTERNS = (tuple(CHANNELS), ('camera',), PHONE)  # sources of translations in training


class XEncoder(nn.Module):
    """Conv1D and BiLSTM of an input modality, with its mask as a further channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(channels + 1, HIDDEN, KERNEL, padding=KERNEL // 2)
        self.lstm = nn.LSTM(HIDDEN, HIDDEN, batch_first=True, bidirectional=True)

    def forward(self, rows: Tensor) -> Tensor:
        """Encode (B, K, F + 1) -> (B, K, 2 H)."""
        smooth = F.relu(self.convolution(rows.transpose(1, 2)))[..., 1:].transpose(1, 2)
        encoded: Tensor = self.lstm(smooth)[0]
        return encoded


class XDecoder(nn.Module):
    """Convolution, two BiLSTMs and a dense layer."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(2 * HIDDEN, HIDDEN, KERNEL, padding=KERNEL // 2)
        self.lstm = nn.LSTM(HIDDEN, HIDDEN, 2, batch_first=True, bidirectional=True)
        self.dense = nn.Linear(2 * HIDDEN, channels)

    def forward(self, joint: Tensor) -> Tensor:
        """Decode (B, K, 2 H) -> (B, K, F)."""
        smooth = F.relu(self.convolution(joint.transpose(1, 2)))[..., 1:].transpose(1, 2)
        decoded: Tensor = self.dense(self.lstm(smooth)[0])
        return decoded


class XTranslator(nn.Module):
    """Translator from the inputs among `sources` to every modality."""

    def __init__(self, version: str) -> None:
        super().__init__()
        self.fed = FED[version]
        self.readers = nn.ModuleDict({name: XEncoder(CHANNELS[name]) for name in self.fed})
        self.writers = nn.ModuleDict({name: XDecoder(size) for name, size in CHANNELS.items()})

    def forward(
        self, rows: Mapping[str, Tensor], sources: Sequence[str], targets: Sequence[str],
    ) -> dict[str, Tensor]:
        """Translate windows with masks (B, K, F + 1) into windows (B, K, F) of the targets."""
        encoded = {name: self.readers[name](rows[name]) for name in self.fed if name in sources}
        joint = torch.stack(list(encoded.values())).sum(0)
        return {name: self.writers[name](joint) for name in targets}

    def translate(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Translate into all modalities (3 B, K, F) from each of PATTERNS.

        Each input is encoded once.
        """
        encoded = {name: self.readers[name](rows[name]) for name in self.fed}
        joint = torch.cat([
            torch.stack([encoded[name] for name in self.fed if name in sources]).sum(0)
            for sources in PATTERNS])
        return {name: writer(joint) for name, writer in self.writers.items()}


def vitag_loss(net: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Sum of mean squared errors of every modality from each of PATTERNS.

    `net` is an XTranslator.
    """
    translated: dict[str, Tensor] = net.translate(batch)  # type: ignore[operator]
    count = len(PATTERNS)
    losses = [count * masked_error(values, batch[name].repeat(count, 1, 1)).mean()
              for name, values in translated.items()]
    return torch.stack(losses).sum()


def masked_error(predicted: Tensor, rows: Tensor) -> Tensor:
    """Mean squared errors (B,) of windows (B, K, F) at unmasked rows (B, K, F + 1)."""
    mask = rows[..., -1:]
    error = ((predicted - rows[..., :-1]) ** 2 * mask).sum((1, 2))
    return error / (mask.sum((1, 2)) * predicted.shape[2]).clamp(min=1.0)


def candidate_frames(seen: Candidates) -> dict[str, FloatArray]:
    """Consecutive windows with masks (N, E, K, F + 1) of K tracks and P phones."""
    imu, imu_mask = step_means(seen.imu, seen.imu_mask, seen.ticks)
    rows = {'camera': (seen.boxes, seen.boxes_mask), 'ftm': (seen.ftm, seen.ftm_mask),
            'imu': (imu, imu_mask)}
    return {name: tile_windows(np.concatenate(
        [scale_values(name, values, mask), mask[..., None]], axis=-1).astype(np.float32), FRAMES)
        for name, (values, mask) in rows.items()}


def vitag_examples(seen: Candidates, owners: Sequence[int]) -> list[Example]:
    """Make windows of each track and of the phone of the same person."""
    frames = candidate_frames(seen)
    return [
        {'camera': frames['camera'][track, index],
         **{name: frames[name][phone, index] for name in PHONE}}
        for track, phone in enumerate(owners)
        for index in range(frames['camera'].shape[1])
        if frames['camera'][track, index, :, -1].any()]


class VitagMatcher:
    """Matcher by distances between translations of one side and measurements of the other."""

    def __init__(self, net: XTranslator, weights: Mapping[str, float]) -> None:
        """`weights`: of distances in IMU and FTM (from the camera), in boxes (from the phone)."""
        self._net, self._weights = net.eval(), dict(weights)

    def cost(self, seen: Candidates) -> Costs:
        """Return weighted distances (K, P), the mean over windows of ten frames."""
        return weighted_sum(self.parts(seen), self._weights)

    @torch.no_grad()
    def parts(self, seen: Candidates) -> dict[str, Costs]:
        """Return root mean squared distances (K, P) by modality; NaN without measurements."""
        frames = {name: torch.from_numpy(rows) for name, rows in candidate_frames(seen).items()}
        shape = frames['camera'].shape[:2]
        from_camera = self._net(
            {'camera': frames['camera'].flatten(0, 1)}, ('camera',), PHONE)
        from_phone = self._net(
            {name: frames[name].flatten(0, 1) for name in PHONE}, PHONE, ('camera',))
        phones = (len(seen.phones), shape[1])
        costs = {name: _distance(translated.unflatten(0, shape)[:, None], frames[name][None],
                                 frames['camera'][:, None])
                 for name, translated in from_camera.items()}
        costs['camera'] = _distance(
            from_phone['camera'].unflatten(0, phones)[None], frames['camera'][:, None],
            frames['camera'][:, None])
        return costs


def weighted_sum(parts: Mapping[str, Costs], weights: Mapping[str, float]) -> Costs:
    """Weighted sum (K, P); an unknown distance counts as the mean of its kind."""
    return combine(np.stack([parts[name] for name in weights]), tuple(weights.values()))


def _distance(predicted: Tensor, rows: Tensor, track: Tensor) -> Costs:
    """Distances (K, P) between windows (., ., E, K, F), where measured and the track detected."""
    mask = rows[..., -1:] * track[..., -1:].amax(3, keepdim=True)
    error = ((predicted - rows[..., :-1]) ** 2 * mask).sum((2, 3, 4)) / predicted.shape[-1]
    number = mask.expand(*error.shape, *mask.shape[2:]).sum((2, 3, 4))
    return np.asarray(torch.where(
        number > 0, (error / number.clamp(min=1)).sqrt(), torch.nan).numpy(), np.float64)
