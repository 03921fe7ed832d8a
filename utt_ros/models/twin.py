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

"""Unified twin model: an encoder and a decoder per modality, one fusor, all operations [P]."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from utt_ros.errors import ModelError
from utt_ros.models.fusors import make_fusor
from utt_ros.models.gait_head import GaitHead
from utt_ros.models.modalities import Modality, modality, select_modalities
from utt_ros.models.motion_head import MotionHead
from utt_ros.models.operations import Pair
from utt_ros.models.settings import ModelSettings
from utt_ros.settings import WindowSettings

Weights = dict[str, npt.NDArray[np.float32]]


class UnifiedTwin(nn.Module):
    """Translation between modalities, and heads for motion and gait.

    Windows are in physical units; features have one row per modality, in sorted order. `fuse`
    joins the sources of an operation, and a single source is its own fusion. So a transfer, a
    merge and a live prediction from the remaining sensors are one and the same call.
    """

    def __init__(
        self, model: ModelSettings, window: WindowSettings, modalities: Iterable[Modality] = (),
    ) -> None:
        """`modalities`: definitions of the settings' modalities; otherwise registered ones."""
        super().__init__()
        self.settings = model
        self.window = window
        self.modalities = select_modalities(model.modalities, modalities)
        self.encoders = nn.ModuleDict({
            name: item.encoder(item, model, window) for name, item in self.modalities.items()})
        self.decoders = nn.ModuleDict({
            name: item.decoder(item, model, window) for name, item in self.modalities.items()})
        self.fusor = make_fusor(model.fusor, model.modalities, model.width)
        self.motion = MotionHead(model, window)
        imu = self.modalities.get('imu') or modality('imu')
        self.stride = GaitHead(model, imu.scale)

    def encode(
        self, values: Mapping[str, Tensor], masks: Mapping[str, Tensor],
        geometry: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Encode windows to features (N, M, d), with present (N, M) where there is one.

        `values[m]` is (N, T_m, F_m), `masks[m]` (N, T_m) bool. A modality that is not among the
        values, or whose mask is all false, is missing. With the geometry (N, A, 3) of access
        points, see `ap_geometry`, ranges are (N, A, T, 2) and their mask (N, A, T).
        """
        given = [name for name in self.settings.modalities if name in values]
        features = {name: self.encode_modality(name, values[name], masks[name], geometry)
                    for name in given}
        return self.stack(features, {name: is_present(masks[name]) for name in given})

    def stack(
        self, features: Mapping[str, Tensor], present: Mapping[str, Tensor],
    ) -> tuple[Tensor, Tensor]:
        """Stack features (N, d) and present (N,), by modality, as `encode` returns them."""
        absent = torch.zeros_like(next(iter(features.values())))
        nowhere, names = absent[:, 0].bool(), self.settings.modalities
        return (torch.stack([features.get(name, absent) for name in names], dim=1),
                torch.stack([present.get(name, nowhere) for name in names], dim=1))

    def encode_modality(
        self, name: str, values: Tensor, mask: Tensor, geometry: Tensor | None = None,
    ) -> Tensor:
        """Encode windows of one modality to features (N, d); arguments as in `encode`."""
        further = () if geometry is None or name != 'ftm' else (geometry,)
        feature: Tensor = self.encoders[name](values, mask, *further)
        return feature

    def fuse(self, features: Tensor, use: Tensor) -> Tensor:
        """Fuse the features (N, M, d) in `use` (N, M) to one feature (N, d)."""
        fused = self.fusor(features, use)
        single = torch.where(use.unsqueeze(2), features, 0.0).sum(dim=1)
        return torch.where(use.sum(dim=1, keepdim=True) == 1, single, fused)

    def decode(
        self, target: str, feature: Tensor, newest: int | None = None,
        geometry: Tensor | None = None,
    ) -> Tensor:
        """Decode features (N, d) to windows (N, T_m, F_m) of a modality.

        With `newest`, only their last `newest` rows, at less cost. Ranges are those to access
        points at `geometry` (N, 3).
        """
        further = () if geometry is None or target != 'ftm' else (geometry,)
        window: Tensor = self.decoders[target](feature, newest, *further)
        return window

    def decode_pairs(
        self, features: Tensor, pairs: Sequence[Pair], geometry: Tensor | None = None,
    ) -> dict[Pair, Tensor]:
        """Decode all pairs (sources, target): one call of the fusor, one of each decoder."""
        return {pair: window
                for wanted, windows in self.decode_targets(features, pairs, geometry)
                for pair, window in zip(wanted, windows, strict=True)}

    def decode_targets(
        self, features: Tensor, pairs: Sequence[Pair], geometry: Tensor | None = None,
    ) -> Iterator[tuple[list[Pair], Tensor]]:
        """Yield, by target, its P pairs and their windows (P, N, T_m, F_m).

        With the geometry (N, A, 3) of access points, windows of ranges are (P, N * A, T, 2).
        """
        fused = self.fuse_sets(features, sorted({sources for sources, _ in pairs}))
        for target in sorted({target for _, target in pairs}):
            wanted = [pair for pair in pairs if pair[1] == target]
            feature, asked = torch.cat([fused[sources] for sources, _ in wanted]), None
            if geometry is not None and target == 'ftm':
                feature = feature.repeat_interleave(geometry.shape[1], dim=0)
                asked = geometry.flatten(0, 1).repeat(len(wanted), 1)
            windows = self.decode(target, feature, geometry=asked)
            yield wanted, windows.reshape(len(wanted), -1, *windows.shape[1:])

    def fuse_sets(
        self, features: Tensor, sets: Sequence[tuple[str, ...]],
    ) -> dict[tuple[str, ...], Tensor]:
        """Fuse every set of modalities to a feature (N, d), with one call of the fusor."""
        index = {name: row for row, name in enumerate(self.settings.modalities)}
        fused: dict[tuple[str, ...], Tensor] = {
            names: features[:, index[names[0]]] for names in sets if len(names) == 1}
        several = [names for names in sets if len(names) > 1]
        if several:
            use = torch.tensor(  # (P, M)
                [[name in names for name in index] for names in several], device=features.device)
            count = len(features)
            joined = self.fusor(
                features.repeat(len(several), 1, 1), use.repeat_interleave(count, dim=0))
            fused.update(zip(several, joined.split(count), strict=True))
        return fused


def is_present(mask: Tensor) -> Tensor:
    """Return the windows (N,) with a measurement; ranges may be of several access points."""
    return mask.any(dim=1) if mask.dim() == 2 else mask.any(dim=2).any(dim=1)


def read_weights(twin: UnifiedTwin) -> Weights:
    """Return a copy of all tensors, by sorted name."""
    return {name: tensor.cpu().numpy().copy()
            for name, tensor in sorted(twin.state_dict().items())}


def load_weights(twin: UnifiedTwin, weights: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Replace all tensors.

    Raises ModelError, and changes none, when a name, shape, dtype or value does not fit.
    """
    _check_fit(twin.state_dict(), weights)
    twin.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})


def build_twin(
    model: ModelSettings, window: WindowSettings,
    weights: Mapping[str, npt.NDArray[np.generic]], modalities: Iterable[Modality] = (),
) -> UnifiedTwin:
    """Make a model with weights; `modalities` as in `UnifiedTwin`. Raises ModelError."""
    twin = UnifiedTwin(model, window, modalities)
    load_weights(twin, weights)
    return twin


def check_weights(
    model: ModelSettings, window: WindowSettings, weights: Mapping[str, npt.NDArray[np.generic]],
) -> None:
    """Raise ModelError when weights are not those of a model of these settings.

    No weight is allocated: settings may describe a model larger than memory.
    """
    with torch.device('meta'):
        expected = UnifiedTwin(model, window).state_dict()
    _check_fit(expected, weights)


def _check_fit(
    expected: Mapping[str, Tensor], weights: Mapping[str, npt.NDArray[np.generic]],
) -> None:
    differing = sorted(set(expected) ^ set(weights))
    if differing:
        where = 'missing' if differing[0] in expected else 'unknown'
        raise ModelError(f'{where} tensor {differing[0]!r} ({len(differing)} names differ)')
    for name, tensor in expected.items():
        array = weights[name]
        if array.shape != tuple(tensor.shape) or array.dtype != np.float32:
            raise ModelError(f'tensor {name!r} is {array.dtype} {array.shape}: '
                             f'it must be float32 {tuple(tensor.shape)}')
        if not np.isfinite(array).all():
            raise ModelError(f'tensor {name!r} is not finite')


def initial_weights(
    model: ModelSettings, window: WindowSettings, seed: int, modalities: Iterable[Modality] = (),
) -> Weights:
    """Return the weights of round 0; equal seeds give equal weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return read_weights(UnifiedTwin(model, window, modalities))
