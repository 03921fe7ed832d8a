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

"""Vi-Fi's deep association: an affinity of every track with every phone [S: IPSN 2022]."""

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from utt_ros.association.assignment import Costs
from utt_ros.association.candidates import Candidates
from utt_ros.evaluation.baselines.scaling import Example, scale_values, step_means

STEPS = 10
TRACK_CHANNELS, PHONE_CHANNELS = 5 + 1 + 1, 2 + 1 + 9 + 1 + 1  # values, masks, length of a step
MAX_PAIRS = 8  # tracks and phones of an example
STEP_UNIT_S = 0.5


class VifiDeep(nn.Module):
    """Two 2-layer BiLSTMs (32), then 1x1 convolutions over all pairs and a dummy of each side."""

    def __init__(self, hidden: int = 32) -> None:
        super().__init__()
        self.track = nn.LSTM(TRACK_CHANNELS, hidden, 2, batch_first=True, bidirectional=True)
        self.phone = nn.LSTM(PHONE_CHANNELS, hidden, 2, batch_first=True, bidirectional=True)
        self.pairs = nn.Sequential(
            nn.Conv2d(4 * hidden, 64, 1), nn.ReLU(), nn.Conv2d(64, 32, 1), nn.ReLU(),
            nn.Conv2d(32, 1, 1))
        self.dummy = nn.Parameter(torch.zeros(1))

    def forward(self, tracks: Tensor, phones: Tensor) -> Tensor:
        """Compute affinities (B, K + 1, P + 1) of tracks (B, K, S, .) and phones (B, P, S, .)."""
        left, right = _last(self.track, tracks), _last(self.phone, phones)  # (B, K|P, 2 H)
        pairs = torch.cat([
            left.unsqueeze(2).expand(-1, -1, right.shape[1], -1),
            right.unsqueeze(1).expand(-1, left.shape[1], -1, -1)], dim=3)
        affinity = self.pairs(pairs.permute(0, 3, 1, 2)).squeeze(1)
        padded = F.pad(affinity, (0, 1, 0, 1))
        edge = torch.zeros_like(padded[:1])
        edge[:, -1, :], edge[:, :, -1] = 1.0, 1.0
        return padded + self.dummy * edge


def _last(lstm: nn.LSTM, rows: Tensor) -> Tensor:
    """Last outputs (B, N, 2 H) of both directions, of sequences (B, N, S, .)."""
    _, (state, _) = lstm(rows.flatten(0, 1))
    return torch.cat([state[-2], state[-1]], dim=1).reshape(*rows.shape[:2], -1)


def deep_loss(net: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Cross entropy of rows and of columns; unmatched ones belong to the dummy."""
    affinity = net(batch['tracks'], batch['phones'])
    tracks, phones = batch['track_present'], batch['phone_present']
    rows = affinity[:, :-1].masked_fill(~_with_dummy(phones).unsqueeze(1), -1e9)
    columns = affinity[:, :, :-1].transpose(1, 2).masked_fill(
        ~_with_dummy(tracks).unsqueeze(1), -1e9)
    return (F.cross_entropy(rows[tracks], batch['owner'][tracks])
            + F.cross_entropy(columns[phones], batch['carrier'][phones]))


def _with_dummy(present: Tensor) -> Tensor:
    return F.pad(present, (0, 1), value=True)


def step_features(seen: Candidates) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Features of tracks (K, S, .) and phones (P, S, .) in ten steps of a window."""
    ticks = seen.ticks - seen.ticks % STEPS
    seen = seen.last(ticks)
    boxes, boxes_mask = step_means(seen.boxes, seen.boxes_mask, STEPS)
    ftm, ftm_mask = step_means(seen.ftm, seen.ftm_mask, STEPS)
    imu, imu_mask = step_means(seen.imu, seen.imu_mask, STEPS)
    length = seen.period * ticks / STEPS / STEP_UNIT_S
    tracks = np.concatenate([
        scale_values('camera', boxes, boxes_mask), boxes_mask[..., None],
        np.full((*boxes_mask.shape, 1), length)], -1)
    phones = np.concatenate([
        scale_values('ftm', ftm, ftm_mask), ftm_mask[..., None],
        scale_values('imu', imu, imu_mask), imu_mask[..., None],
        np.full((*imu_mask.shape, 1), length)], -1)
    return tracks.astype(np.float32), phones.astype(np.float32)


def deep_example(seen: Candidates, owners: npt.NDArray[np.intp]) -> Example:
    """Make an example of at most MAX_PAIRS tracks and phones, padded."""
    tracks, phones = step_features(seen)
    tracks, phones, owners = tracks[:MAX_PAIRS], phones[:MAX_PAIRS], owners[:MAX_PAIRS]
    item: Example = {
        'tracks': np.zeros((MAX_PAIRS, *tracks.shape[1:]), np.float32),
        'phones': np.zeros((MAX_PAIRS, *phones.shape[1:]), np.float32),
        'track_present': np.arange(MAX_PAIRS) < len(tracks),
        'phone_present': np.arange(MAX_PAIRS) < len(phones),
        'owner': np.full(MAX_PAIRS, MAX_PAIRS, np.int64),
        'carrier': np.full(MAX_PAIRS, MAX_PAIRS, np.int64)}
    item['tracks'][:len(tracks)], item['phones'][:len(phones)] = tracks, phones
    for track, phone in enumerate(owners):
        if phone < MAX_PAIRS:
            item['owner'][track], item['carrier'][phone] = phone, track
    return item


class DeepMatcher:
    """Matcher with a trained network."""

    def __init__(self, net: VifiDeep) -> None:
        self._net = net.eval()

    @torch.no_grad()
    def cost(self, seen: Candidates) -> Costs:
        """Return negative log probabilities (K, P): the mean of those by rows and by columns."""
        tracks, phones = (torch.from_numpy(rows).unsqueeze(0) for rows in step_features(seen))
        affinity = self._net(tracks, phones)[0]
        both = affinity.log_softmax(1)[:-1, :-1] + affinity.log_softmax(0)[:-1, :-1]
        return np.asarray(-both.numpy() / 2, np.float64)
