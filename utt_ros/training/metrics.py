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

"""Translation error: NMSE relative to the variance or to the energy of the truth."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch

from utt_ros.models.operations import Operation, Pair
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.columns import Columns, join_access_points, take
from utt_ros.training.gate_means import GateMeans
from utt_ros.types import AP_GEOMETRY, Array, FloatArray, MaskArray

BATCH = 128


class RelativeError:
    """NMSE of windows of one modality, accumulated over batches.

    `NMSE_var = sum (predicted - true)^2 / sum (true - training mean)^2` per channel, averaged over
    the channels: 1.0 is the mean predictor. `NMSE_energy = sum (predicted - true)^2 / sum true^2`.
    """

    def __init__(self, training_mean: Array) -> None:
        """`training_mean` (F,): see `channel_means`."""
        self._mean = training_mean
        self._rows = 0
        self._error, self._spread, self._energy = np.zeros((3, len(training_mean)))

    def add(self, predicted: FloatArray, true: FloatArray, mask: MaskArray) -> None:
        """Accumulate windows (N, T, F) where `mask` (N, T) holds."""
        truth = true[mask].astype(np.float64)
        self._rows += len(truth)
        self._error += ((predicted[mask] - truth) ** 2).sum(axis=0)
        self._spread += ((truth - self._mean) ** 2).sum(axis=0)
        self._energy += (truth**2).sum(axis=0)

    @property
    def nmse_var(self) -> float:
        """NaN when nothing was accumulated."""
        return float(mean_ratio(self._error, self._spread))

    @property
    def nmse_var_of_channels(self) -> Array:
        """(F,), NaN for a channel that never varied."""
        varying = self._spread > 0.0
        return np.where(varying, self._error / np.where(varying, self._spread, 1.0), np.nan)

    @property
    def rms_of_channels(self) -> Array:
        """Root mean square (F,) of the residual, in units; NaN when nothing was accumulated."""
        return np.asarray(np.sqrt(self._error / self._rows) if self._rows
                          else np.full_like(self._error, np.nan))

    @property
    def nmse_energy(self) -> float:
        """NaN when nothing was accumulated."""
        return float(mean_ratio(self._error, self._energy))


Errors = dict[Pair, RelativeError]


def channel_means(values: FloatArray, mask: MaskArray) -> Array:
    """Return means (F,) of windows (N, T, F) where `mask` (N, T) holds; 0 where it never does."""
    weight = mask[..., None].astype(np.float64)
    return np.asarray((values * weight).sum(axis=(0, 1)) / max(weight.sum(), 1.0))


def mean_ratio(error: Array, reference: Array) -> Array:
    """Average error / reference (..., F) over the channels that vary in all rows; NaN if none."""
    varying = np.atleast_2d(reference > 0.0).all(0)
    if not varying.any():
        return np.full(error.shape[:-1], np.nan)
    return np.asarray((error[..., varying] / reference[..., varying]).mean(-1))


def training_means(columns: Columns, modalities: Sequence[str]) -> dict[str, Array]:
    """Return the prediction of the mean predictor, per modality and channel."""
    return {name: channel_means(columns[name], columns[f'{name}_mask']) for name in modalities}


def relative_errors(
    twin: UnifiedTwin, columns: Columns, pairs: Sequence[Pair], means: Mapping[str, Array],
    gates: GateMeans | None = None,
) -> Errors:
    """Return errors of each decoding (sources, target) on windows that have all its sources.

    `gates` accumulate those of the same windows, from the same features.
    """
    errors = {pair: RelativeError(means[pair[1]]) for pair in pairs}
    for begin in range(0, len(next(iter(columns.values()))), BATCH):
        _accumulate(twin, take(columns, slice(begin, begin + BATCH)), errors, gates)
    return errors


def nmse_by_operation(errors: Errors, operations: Iterable[Operation]) -> dict[str, float]:
    """Return NMSE_var by name of operation; a split has the mean over its targets."""
    return {item.name: float(np.mean([errors[pair].nmse_var for pair in item.pairs]))
            for item in operations}


def encode_columns(
    twin: UnifiedTwin, columns: Columns, names: Iterable[str],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Encode windows of modalities, of which ranges are those that the model reads."""
    joined, geometry = columns, None
    if twin.settings.reads_all_access_points:
        joined, geometry = join_access_points(columns), columns.get(AP_GEOMETRY)
    return twin.encode(
        {name: torch.from_numpy(joined[name]) for name in names},
        {name: torch.from_numpy(joined[f'{name}_mask']) for name in names},
        None if geometry is None else torch.from_numpy(geometry))


def decode_columns(
    twin: UnifiedTwin, features: torch.Tensor, columns: Columns, pairs: Sequence[Pair],
) -> dict[Pair, torch.Tensor]:
    """Decode pairs; ranges to the first access point."""
    geometry = columns.get(AP_GEOMETRY) if twin.settings.reads_all_access_points else None
    first = None if geometry is None else torch.from_numpy(geometry[:, :1])
    return twin.decode_pairs(features, pairs, first)


@torch.no_grad()
def _accumulate(
    twin: UnifiedTwin, columns: Columns, errors: Errors, gates: GateMeans | None,
) -> None:
    names = {name for sources, target in errors for name in (*sources, target)}
    features, present = encode_columns(twin, columns, names)
    if gates is not None:
        gates.add(twin.fusor, features, present)
    of_modality = dict(zip(twin.settings.modalities, present.numpy().T, strict=True))
    for pair, window in decode_columns(twin, features, columns, list(errors)).items():
        sources, target = pair
        complete = np.all([of_modality[name] for name in sources], axis=0)
        mask = columns[f'{target}_mask'] & complete[:, None]
        errors[pair].add(window.numpy(), columns[target], mask)
