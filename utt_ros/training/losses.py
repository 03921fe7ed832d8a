"""The losses of a batch: every operation from one encoding per modality, and motion apart."""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from operator import and_

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from utt_ros.models.modalities import modality
from utt_ros.models.motion_head import MEMBERS
from utt_ros.models.operations import Operation, Pair, operations, unique_pairs
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.augmentation import (
    BLACKOUT,
    DISTORTIONS,
    MIRRORED,
    MotionTargets,
    black_out,
    course_told,
    motion_targets,
)
from utt_ros.training.dataset import CENTRE, Columns
from utt_ros.training.loss_terms import (
    distance_loss,
    gaussian_loss,
    scaled_error,
    translation_loss,
)
from utt_ros.training.mirroring import mirror_some
from utt_ros.types import MaskArray

THINNED = 0.1  # of features: there are few walks, and they must not be known by heart
FUTURE_WEIGHT = 0.3  # slopes of distances do not fade as errors do [R]
CADENCE_UNIT_HZ = 0.3  # an error of it counts as one of 1 in the logarithm of an amplitude [R]


class Objective:
    """The operations that an area can train: those of the modalities it has."""

    def __init__(
        self, twin: UnifiedTwin, modalities: Sequence[str], terms: Sequence[str],
        wanted: Sequence[Operation] = (),
    ) -> None:
        """`wanted`: only these operations, instead of all of the terms."""
        self._twin = twin
        self._modalities = tuple(modalities)
        self._operations = list(wanted) or operations(modalities, terms)
        self._row_s = twin.window.period / twin.window.imu_rows
        self._scales = {name: torch.tensor(modality(name).scale) for name in modalities}
        self.reads = (*self._modalities, *(f'{name}_mask' for name in modalities), CENTRE)

    def __call__(self, columns: Columns, rng: np.random.Generator) -> Tensor:
        """The loss of a batch, with simulated mishaps; without gradient where nothing counts.

        Networks of a modality of which the batch holds nothing are not called.
        """
        masks = {name: columns[f'{name}_mask'] for name in self._modalities
                 if columns[f'{name}_mask'].any()}
        seen = {name: black_out(mask, BLACKOUT.get(name, 0.0), rng)
                for name, mask in masks.items()}
        if not seen:
            return torch.zeros(())
        mirrored = rng.random(len(next(iter(masks.values())))) < MIRRORED
        columns = mirror_some(columns, seen, self._row_s, mirrored)
        values = {name: self._tensor(columns[name]) for name in seen}
        given = {name: self._tensor(DISTORTIONS[name](columns[name], rng))
                 if name in DISTORTIONS else values[name] for name in seen}
        features, present = self._twin.encode(
            given, {name: self._tensor(mask) for name, mask in seen.items()})
        return self._translation(self._thin(features, rng), present, values, masks)

    def _thin(self, features: Tensor, rng: np.random.Generator) -> Tensor:
        """Dropout [S: Srivastava et al., JMLR 2014], drawn from the trainer's own numbers."""
        kept = self._tensor(rng.random(tuple(features.shape), np.float32) >= THINNED)
        return features * kept / (1.0 - THINNED)

    def _translation(
        self, features: Tensor, present: Tensor, values: Mapping[str, Tensor],
        masks: Mapping[str, MaskArray],
    ) -> Tensor:
        possible = [item for item in self._operations
                    if {*item.sources, *item.targets} <= set(values)]
        if not possible:
            return torch.zeros(())
        there = dict(zip(self._twin.settings.modalities, present.unbind(1), strict=True))
        pairs = unique_pairs(possible)
        complete = {sources: reduce(and_, (there[name] for name in sources))  # (N,)
                    for sources, _ in pairs}
        losses: dict[Pair, Tensor] = {}
        for made, windows in self._twin.decode_targets(features, pairs):
            target = made[0][1]
            usable = torch.stack([complete[sources] for sources, _ in made])  # (P, N)
            mask = self._tensor(masks[target]) & usable.unsqueeze(2)
            scale = self._scales[target].to(windows.device)
            errors = scaled_error(windows, values[target], mask, scale)
            losses.update(zip(made, errors.unbind(), strict=True))
        return translation_loss(losses, possible)

    def _tensor(self, values: npt.NDArray[np.generic]) -> Tensor:
        """An array where the model is, in the memory of the processor or of a device."""
        return torch.from_numpy(values).to(self._twin.motion.seconds.device)


class MotionObjective:
    """Velocity now and displacements to come, against what the camera saw of them.

    In parts, each of which a step is taken on: the head is small, and needs many.
    """

    reads = ('camera_mask', 'heading', 'heading_valid', 'velocity', 'velocity_valid',
             'future', 'future_valid', 'course', 'course_late', 'course_valid', 'gait')

    def __init__(self, twin: UnifiedTwin) -> None:
        self._head = twin.motion

    def __call__(
        self, columns: Columns, rng: np.random.Generator, parts: int,
    ) -> Iterator[Tensor]:
        """The losses of a batch in parts, with simulated mishaps.

        Without gradient where nothing counts.
        """
        targets = motion_targets(columns, rng)
        bounds = np.linspace(0, len(targets.context), parts + 1).astype(int)
        for begin, end in pairwise(bounds):
            rows = slice(begin, end)
            yield self._loss(MotionTargets(
                targets.context[rows], targets.velocity[rows], targets.velocity_valid[rows],
                targets.future[rows], targets.future_valid[rows]))

    def _loss(self, targets: MotionTargets) -> Tensor:
        """Of each network of the head alone: only so do they come to differ."""
        if not (targets.velocity_valid.any() or targets.future_valid.any()):
            return torch.zeros(())
        motion = self._head.apart(self._tensor(targets.context))
        seconds = self._head.seconds
        now = gaussian_loss(
            motion.velocity, motion.velocity_log_std,
            self._of_all(targets.velocity), self._of_all(targets.velocity_valid))
        later = distance_loss(  # as mean velocities, so that all horizons weigh the same
            motion.future / seconds, motion.future_log_std - seconds.log(),
            self._of_all(targets.future) / seconds, self._of_all(targets.future_valid))
        return now + FUTURE_WEIGHT * later

    def _of_all(self, values: npt.NDArray[np.generic]) -> Tensor:
        """An array (N, ...) once for each network of the head."""
        tensor = self._tensor(values)
        return tensor.repeat(MEMBERS, *[1] * (tensor.ndim - 1))

    def _tensor(self, values: npt.NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(values).to(self._head.seconds.device)


class StrideObjective:
    """How phones swing, against what they measured of it; the median, since steps vary much."""

    reads = ('camera_mask', 'course', 'course_valid',
             'cadence', 'cadence_valid', 'swing', 'swing_valid')

    def __init__(self, twin: UnifiedTwin) -> None:
        self._head = twin.stride

    def __call__(self, columns: Columns, rng: np.random.Generator) -> Tensor:
        """The loss of a batch, with simulated mishaps; without gradient where nothing counts."""
        if not columns['swing_valid'].any():
            return torch.zeros(())
        seen = course_told(columns, rng).astype(np.float32)
        said = self._head(self._tensor(seen), self._tensor(columns['course'][:, 0]))
        cadence = (said.cadence - self._tensor(columns['cadence'])).abs() / CADENCE_UNIT_HZ
        swing = (said.log_rms - self._tensor(columns['swing'])).abs().mean(dim=(1, 2))
        return torch.stack([
            torch.where(valid, error, 0.0).sum() / valid.sum().clamp(min=1)
            for error, valid in ((cadence, self._tensor(columns['cadence_valid'])),
                                 (swing, self._tensor(columns['swing_valid'])))]).sum()

    def _tensor(self, values: npt.NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(values).to(self._head.usual.device)
