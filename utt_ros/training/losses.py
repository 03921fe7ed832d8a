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

"""Training losses. Masked samples contribute neither value nor gradient."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from operator import and_

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from utt_ros.models.motion_head import ENSEMBLE_MEMBERS
from utt_ros.models.operations import Operation, Pair, unique_pairs
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.augmentation import (
    MIRRORED,
    MIRRORS,
    OUTAGES,
    PERTURBATIONS,
    Mirror,
    augmented_motion_targets,
    course_kept,
    mask_access_points,
    mask_window_end,
    mirror_paths,
)
from utt_ros.training.columns import CENTRE, RANGE_SETS, Columns, join_access_points
from utt_ros.training.corruption import corrupt_source, draw_corrupted
from utt_ros.training.labels import MotionTargets
from utt_ros.types import AP_GEOMETRY, MaskArray

BETA = 0.5
TINY = 1e-6  # keeps the slope of a square root finite
DROPOUT = 0.1  # of features: there are few walks, and they must not be memorised
FUTURE_WEIGHT = 0.3  # gradients of distances do not fade with the error [R]
CADENCE_UNIT_HZ = 0.3  # weighs as much as an error of 1 in the logarithm of an amplitude [R]


def translation_loss(of_pairs: Mapping[Pair, Tensor], operations: Iterable[Operation]) -> Tensor:
    """Return `L_transfer + L_merge + L_split`, as far as `operations` include them [P, R].

    Each operation adds the loss of each of its decodings (sources, target).
    """
    return torch.stack([of_pairs[pair] for item in operations for pair in item.pairs]).sum()


def scaled_error(predicted: Tensor, true: Tensor, mask: Tensor, scale: Tensor) -> Tensor:
    """Return mean squared errors (...) of windows (..., N, T, F), in units of `scale` (F,).

    Predictions are compared with one `true` (N, T, F), each where its `mask` (..., N, T) holds;
    0, with a gradient of 0, where it holds nowhere.
    """
    error = torch.where(mask.unsqueeze(-1), predicted - true, 0.0)
    of_channels = error.square().sum(dim=(-3, -2)) / scale.square()
    return of_channels.sum(dim=-1) / (mask.sum(dim=(-2, -1)) * predicted.shape[-1]).clamp(min=1)


def gaussian_loss(mean: Tensor, log_std: Tensor, true: Tensor, mask: Tensor) -> Tensor:
    """Return the mean negative log-likelihood of (..., 2), weighted by std^(2 BETA).

    Averaged where `mask` (...) holds. The weight keeps a large predicted deviation from silencing
    the gradient of the mean [S: Seitzer et al., ICLR 2022].
    """
    nll = 0.5 * ((true - mean) * (-log_std).exp()).square() + log_std
    weighted = nll * (2 * BETA * log_std.detach()).exp()
    return torch.where(mask.unsqueeze(-1), weighted, 0.0).sum() / (2 * mask.sum()).clamp(min=1)


def distance_loss(mean: Tensor, log_std: Tensor, true: Tensor, mask: Tensor) -> Tensor:
    """Return the weighted negative log-likelihood of a Laplace distribution in the plane.

    It fits mean distances, not squares: people mostly go straight on and sometimes turn, and
    nobody goes along the mean of both. With q^2 = sum over the axes of ((true - mean) / std)^2 the
    negative log-likelihood is, up to a constant, sqrt(3) q + log std_x + log std_y, as exp(-|x|)
    has variance 3 along an axis [D]. Shapes and weight as in `gaussian_loss`.
    """
    log_area = log_std.sum(dim=-1)
    squared = ((true - mean) * (-log_std).exp()).square().sum(dim=-1)
    nll = (3.0 * squared + TINY).sqrt() + log_area
    weighted = nll * (BETA * log_area.detach()).exp()
    return torch.where(mask, weighted, 0.0).sum() / (2 * mask.sum()).clamp(min=1)


class TranslationObjective:
    """Loss of operations, computed from one encoding per modality."""

    def __init__(
        self, twin: UnifiedTwin, modalities: Sequence[str], operations: Sequence[Operation],
        mirrors: Mapping[str, Mirror] = MIRRORS, corruption: float = 0.0,
    ) -> None:
        """`modalities`: those that the area has; `corruption`: see LearningSettings."""
        self._twin = twin
        self._modalities = tuple(modalities)
        self._operations = tuple(operations)
        self._mirrors, self._corruption = mirrors, corruption
        self._merged = sorted({name for item in operations if len(item.sources) > 1
                               for name in item.sources})
        self._reads_all = 'ftm' in modalities and twin.settings.reads_all_access_points
        self._row_s = twin.window.period / twin.window.imu_rows
        self._scales = {name: torch.tensor(twin.modalities[name].scale) for name in modalities}
        self.reads = (*self._modalities, *(f'{name}_mask' for name in modalities), CENTRE,
                      *(RANGE_SETS if self._reads_all else ()))

    def __call__(self, columns: Columns, rng: np.random.Generator) -> Tensor:
        """Return the loss of an augmented batch; without gradient where nothing was measured.

        Networks of a modality without any measurement in the batch are not called.
        """
        columns = join_access_points(columns)
        masks = {name: columns[f'{name}_mask'] for name in self._modalities
                 if columns[f'{name}_mask'].any()}
        seen = {name: mask_window_end(mask, OUTAGES.get(name, 0.0), rng)
                for name, mask in masks.items()}
        if not seen:
            return torch.zeros(())
        if AP_GEOMETRY in columns and 'ftm' in seen:
            seen['ftm'] = mask_access_points(seen['ftm'], rng)
        mirrored = rng.random(len(next(iter(masks.values())))) < MIRRORED
        columns = mirror_paths(columns, seen, self._row_s, mirrored, self._mirrors)
        targets = {name: self._tensor(columns[name]) for name in seen}
        inputs = {name: PERTURBATIONS[name](columns[name], rng) if name in PERTURBATIONS
                  else columns[name] for name in seen}
        inputs, corrupted = self._corrupt(
            inputs | {f'{name}_mask': mask for name, mask in seen.items()}, rng)
        geometry = columns.get(AP_GEOMETRY)
        asked = None if geometry is None else self._tensor(geometry)
        features, present = self._twin.encode(
            {name: self._tensor(inputs[name]) for name in seen},
            {name: self._tensor(inputs[f'{name}_mask']) for name in seen}, asked)
        return self._decoding_loss(
            self._drop_out(features, rng), present, targets, masks, asked,
            corrupted=corrupted)

    def _corrupt(
        self, inputs: Columns, rng: np.random.Generator,
    ) -> tuple[Columns, dict[str, MaskArray]]:
        """Corrupt one source of a share of the windows; return these (N,) by source.

        Somebody else is another window of the batch.
        """
        sources = [name for name in self._merged if name in inputs]
        if not self._corruption or len(sources) < 2:
            return inputs, {}
        count = len(inputs[sources[0]])
        corrupted = draw_corrupted(sources, count, self._corruption, rng)
        for name, selected in corrupted.items():
            rows = np.flatnonzero(selected)
            donors = (rows + rng.integers(1, max(count, 2), len(rows))) % count
            inputs = corrupt_source(inputs, name, rows, donors)
        return inputs, corrupted

    def _drop_out(self, features: Tensor, rng: np.random.Generator) -> Tensor:
        """Apply dropout [S: Srivastava et al., JMLR 2014], drawn from the trainer's generator."""
        kept = self._tensor(rng.random(tuple(features.shape), np.float32) >= DROPOUT)
        return features * kept / (1.0 - DROPOUT)

    def _decoding_loss(
        self, features: Tensor, present: Tensor, targets: Mapping[str, Tensor],
        masks: Mapping[str, MaskArray], geometry: Tensor | None,
        *, corrupted: Mapping[str, MaskArray],
    ) -> Tensor:
        """Add the losses of the operations; transfers learn nothing from a corrupted source."""
        possible = [item for item in self._operations
                    if {*item.sources, *item.targets} <= set(targets)]
        if not possible:
            return torch.zeros(())
        of_modality = dict(zip(self._twin.settings.modalities, present.unbind(1), strict=True))
        pairs = unique_pairs(possible)
        complete = {sources: reduce(and_, (of_modality[name] for name in sources))  # (N,)
                    for sources, _ in pairs}
        complete |= {(name,): complete[name,] & ~self._tensor(selected)
                     for name, selected in corrupted.items() if (name,) in complete}
        losses: dict[Pair, Tensor] = {}
        for decoded, windows in self._twin.decode_targets(features, pairs, geometry):
            target = decoded[0][1]
            usable = torch.stack([complete[sources] for sources, _ in decoded])  # (P, N)
            true, measured = targets[target], self._tensor(masks[target])
            if measured.dim() == 3:  # ranges to several access points
                usable = usable.repeat_interleave(measured.shape[1], dim=1)
                true, measured = true.flatten(0, 1), measured.flatten(0, 1)
            mask = measured & usable.unsqueeze(2)
            scale = self._scales[target].to(windows.device)
            errors = scaled_error(windows, true, mask, scale)
            losses.update(zip(decoded, errors.unbind(), strict=True))
        return translation_loss(losses, possible)

    def _tensor(self, values: npt.NDArray[np.generic]) -> Tensor:
        """Convert an array to a tensor on the model's device."""
        return torch.from_numpy(values).to(self._twin.motion.seconds.device)


class MotionObjective:
    """Loss of velocity and future displacements against labels from the camera.

    In parts, with a step for each: the head is small, and needs many.
    """

    reads = ('camera_mask', 'heading', 'heading_valid', 'velocity', 'velocity_valid',
             'future', 'future_valid', 'course', 'course_late', 'course_valid', 'gait')

    def __init__(self, twin: UnifiedTwin) -> None:
        self._head = twin.motion

    def __call__(
        self, columns: Columns, rng: np.random.Generator, parts: int,
    ) -> Iterator[Tensor]:
        """Yield losses of an augmented batch in parts; without gradient where none is valid."""
        targets = augmented_motion_targets(columns, rng)
        bounds = np.linspace(0, len(targets.context), parts + 1).astype(int)
        for begin, end in pairwise(bounds):
            rows = slice(begin, end)
            yield self._loss(MotionTargets(
                targets.context[rows], targets.velocity[rows], targets.velocity_valid[rows],
                targets.future[rows], targets.future_valid[rows]))

    def _loss(self, targets: MotionTargets) -> Tensor:
        """Compute the loss per ensemble member; a loss on the mean would let members collapse."""
        if not (targets.velocity_valid.any() or targets.future_valid.any()):
            return torch.zeros(())
        motion = self._head.member_outputs(self._tensor(targets.context))
        seconds = self._head.seconds
        now = gaussian_loss(
            motion.velocity, motion.velocity_log_std,
            self._per_member(targets.velocity), self._per_member(targets.velocity_valid))
        later = distance_loss(  # as mean velocities, so that all horizons weigh the same
            motion.future / seconds, motion.future_log_std - seconds.log(),
            self._per_member(targets.future) / seconds, self._per_member(targets.future_valid))
        return now + FUTURE_WEIGHT * later

    def _per_member(self, values: npt.NDArray[np.generic]) -> Tensor:
        """Repeat an array (N, ...) for each member of the head: (M N, ...)."""
        tensor = self._tensor(values)
        return tensor.repeat(ENSEMBLE_MEMBERS, *[1] * (tensor.ndim - 1))

    def _tensor(self, values: npt.NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(values).to(self._head.seconds.device)


class GaitObjective:
    """Loss of cadence and stride harmonics against labels from the IMU.

    The median is fitted, since steps vary much.
    """

    reads = ('camera_mask', 'course', 'course_valid',
             'cadence', 'cadence_valid', 'swing', 'swing_valid')

    def __init__(self, twin: UnifiedTwin) -> None:
        self._head = twin.stride

    def __call__(self, columns: Columns, rng: np.random.Generator) -> Tensor:
        """Return the loss of an augmented batch; without gradient where no label is valid."""
        if not columns['swing_valid'].any():
            return torch.zeros(())
        seen = course_kept(columns, rng).astype(np.float32)
        predicted = self._head(self._tensor(seen), self._tensor(columns['course'][:, 0]))
        cadence = (predicted.cadence - self._tensor(columns['cadence'])).abs() / CADENCE_UNIT_HZ
        swing = (predicted.log_rms - self._tensor(columns['swing'])).abs().mean(dim=(1, 2))
        return torch.stack([
            torch.where(valid, error, 0.0).sum() / valid.sum().clamp(min=1)
            for error, valid in ((cadence, self._tensor(columns['cadence_valid'])),
                                 (swing, self._tensor(columns['swing_valid'])))]).sum()

    def _tensor(self, values: npt.NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(values).to(self._head.unknown.device)
