"""The unified loss of a batch: every operation from one encoding per modality, and motion."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from utt_ros.learning.examples import Columns
from utt_ros.learning.losses import distance_loss, gaussian_loss, scaled_error, translation_loss
from utt_ros.learning.mishaps import (
    BLACKOUT,
    DISTORTIONS,
    black_out,
    drop_modalities,
    motion_targets,
)
from utt_ros.models.modalities import modality
from utt_ros.models.operations import Operation, operations, unique_pairs
from utt_ros.models.twin import UnifiedTwin
from utt_ros.records import MaskArray

MOTION_WEIGHT = 50.0  # chosen on validation: more than all decodings together [R]
FUTURE_WEIGHT = 0.3  # slopes of distances do not fade as errors do [R]


class Objective:
    """The terms that an area can train: of the modalities it has, and motion with a camera."""

    def __init__(
        self, twin: UnifiedTwin, modalities: Sequence[str], terms: Sequence[str],
        wanted: Sequence[Operation] = (),
    ) -> None:
        """`wanted`: only these operations, instead of all of the terms."""
        self._twin = twin
        self._modalities = tuple(modalities)
        self._operations = list(wanted) or operations(modalities, terms)
        self._scales = {name: torch.tensor(modality(name).scale) for name in modalities}
        self._moves = 'motion' in terms and 'camera' in modalities

    def __call__(self, columns: Columns, rng: np.random.Generator) -> Tensor:
        """The loss of a batch, with simulated mishaps; without gradient where nothing counts.

        Networks of a modality of which the batch holds nothing are not called.
        """
        masks = {name: columns[f'{name}_mask'] for name in self._modalities
                 if columns[f'{name}_mask'].any()}
        seen = {name: black_out(mask, BLACKOUT.get(name, 0.0), rng)
                for name, mask in masks.items()}
        total = torch.zeros(())
        if not seen:
            return total
        values = {name: self._tensor(columns[name]) for name in seen}
        given = {name: self._tensor(DISTORTIONS[name](columns[name], rng))
                 if name in DISTORTIONS else values[name] for name in seen}
        features, present = self._twin.encode(
            given, {name: self._tensor(mask) for name, mask in seen.items()})
        total = total + self._translation(features, present, values, masks)
        if self._moves and 'camera' in seen and columns['velocity_valid'].any():
            motion = self._motion(features, present, columns, seen['camera'], rng)
            total = total + MOTION_WEIGHT * motion
        return total

    def _translation(
        self, features: Tensor, present: Tensor, values: Mapping[str, Tensor],
        masks: Mapping[str, MaskArray],
    ) -> Tensor:
        possible = [item for item in self._operations
                    if {*item.sources, *item.targets} <= set(values)]
        if not possible:
            return torch.zeros(())
        there = dict(zip(self._twin.settings.modalities, present.unbind(1), strict=True))
        losses = {}
        for pair, window in self._twin.decode_pairs(features, unique_pairs(possible)).items():
            sources, target = pair
            complete = torch.stack([there[name] for name in sources], dim=1).all(dim=1)
            mask = self._tensor(masks[target]) & complete.unsqueeze(1)
            scale = self._scales[target].to(window.device)
            losses[pair] = scaled_error(window, values[target], mask, scale)
        return translation_loss(losses, possible)

    def _motion(
        self, features: Tensor, present: Tensor, columns: Columns, camera_mask: MaskArray,
        rng: np.random.Generator,
    ) -> Tensor:
        names = self._twin.settings.modalities
        use = self._tensor(drop_modalities(present.cpu().numpy(), names, rng))
        targets = motion_targets(columns, camera_mask, rng)
        motion = self._twin.motion(
            self._twin.fuse(features, use), self._tensor(targets.context))
        seconds = self._twin.motion.seconds
        now = gaussian_loss(
            motion.velocity, motion.velocity_log_std,
            self._tensor(targets.velocity), self._tensor(targets.velocity_valid))
        later = distance_loss(  # as mean velocities, so that all horizons weigh the same
            motion.future / seconds, motion.future_log_std - seconds.log(),
            self._tensor(targets.future) / seconds, self._tensor(targets.future_valid))
        return now + FUTURE_WEIGHT * later

    def _tensor(self, values: npt.NDArray[np.generic]) -> Tensor:
        """An array where the model is, in the memory of the processor or of a device."""
        return torch.from_numpy(values).to(self._twin.motion.seconds.device)
