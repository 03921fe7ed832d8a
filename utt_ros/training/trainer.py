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

"""Local training of one area: replay memory in, an update of the weights out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, nan

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from utt_ros.models.operations import Operation, operations, unique_pairs
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin, Weights, load_weights, read_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.augmentation import MIRRORS, Mirror
from utt_ros.training.gate_means import GateMeans
from utt_ros.training.losses import GaitObjective, MotionObjective, TranslationObjective
from utt_ros.training.metrics import nmse_by_operation, relative_errors, training_means
from utt_ros.training.optimization import ParameterGroup
from utt_ros.training.replay_buffer import ReplayMemory
from utt_ros.training.settings import LearningSettings
from utt_ros.training.trainer_state import LearnerState, dump_counters, load_counters

MOTION_STEPS = 8  # of the motion head per step: it is small, and must learn in few rounds
GAIT_STEPS = 8  # of the gait head: with fewer, standing phones swing like walking ones
HEADS = {'motion': 'camera', 'stride': 'imu'}  # head of the model -> modality of its labels


def use_one_thread() -> None:
    """Limit torch to one thread in this process, so that other cores are left to live twins."""
    torch.set_num_threads(1)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Evaluation on held-out windows."""

    nmse: dict[str, float] = field(default_factory=dict)  # NMSE_var by operation
    gates: dict[str, float] = field(default_factory=dict)  # mean, by modality; see `GateMeans`


class LocalTrainer:
    """Trains a model on an area's replay memory and evaluates it there. For one thread."""

    def __init__(
        self, twin: UnifiedTwin, memory: ReplayMemory, learning: LearningSettings, *,
        modalities: Collection[str], heads: Collection[str], wanted: Sequence[Operation] = (),
        mirrors: Mapping[str, Mirror] = MIRRORS,
    ) -> None:
        """`modalities`: those of the area; `heads`: see `trainable_heads`.

        `wanted`: operations instead of those of `learning.terms`.
        """
        self.twin, self.memory, self.learning = twin, memory, learning
        self.modalities = tuple(sorted(modalities))
        self.steps = 0
        self.steps_skipped = 0  # nothing to learn from, or a gradient that was not finite
        self._rng = np.random.default_rng(learning.seed)
        self._gait_rng = np.random.default_rng((learning.seed, 1))
        self._translation = TranslationObjective(
            twin, self.modalities, wanted or operations(self.modalities, learning.terms), mirrors,
            learning.corruption)
        self._motion = MotionObjective(twin) if 'motion' in heads else None
        self._gait = GaitObjective(twin) if 'stride' in heads else None
        self._groups = _parameter_groups(twin, learning)
        self._trained: set[str] = set()

    @property
    def window_count(self) -> int:
        """Number of training windows in memory."""
        return len(self.memory.training)

    def set_rate(self, rate: float) -> None:
        """Change the learning rate of all weights."""
        for group in self._groups.values():
            group.set_rate(rate)

    def load(self, weights: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Start from these weights; raises ModelError when they do not fit."""
        load_weights(self.twin, weights)
        self._trained.clear()

    def update(self) -> Weights:
        """Return the tensors trained since `load`; those without any gradient are left out."""
        return {name: values for name, values in read_weights(self.twin).items()
                if name in self._trained}

    def state(self) -> LearnerState:
        """Return what a trainer of the same windows needs to go on as this one."""
        moments: Weights = {}
        for group in self._groups.values():
            moments |= group.read_moments()
        rates = {head: group.rate for head, group in self._groups.items()}
        return LearnerState(moments, dump_counters(
            self.steps, self.steps_skipped, rates, [self._rng, self._gait_rng]))

    def restore(self, state: LearnerState) -> None:
        """Go on from a state of an equal trainer; raises ModelError for a malformed one."""
        counters = load_counters(state.counters, [self._rng, self._gait_rng])
        self.steps, self.steps_skipped = counters['steps'], counters['skipped']
        for head, group in self._groups.items():
            group.set_rate(counters['rates'][head])
            group.load_moments(state.moments)

    def train(self, steps: int) -> float:
        """Take gradient steps; return their mean loss, NaN when none had an effect."""
        return _finite_mean([self._step() for _ in range(steps)] if self.window_count else [])

    def evaluate(self) -> Evaluation:
        """Evaluate the model on held-out windows, without operations never observed."""
        if not len(self.memory.held_out) or not self.window_count:
            return Evaluation()
        possible = operations(self.modalities)
        gates = GateMeans(self.twin.settings.modalities, self.modalities)
        errors = relative_errors(
            self.twin, self.memory.held_out.all(), unique_pairs(possible),
            training_means(self.memory.training.all(), self.modalities), gates)
        nmse = nmse_by_operation(errors, possible)
        return Evaluation({name: error for name, error in nmse.items() if isfinite(error)},
                          gates.by_modality)

    def _step(self) -> float:
        batch = self.learning.batch
        columns = self.memory.training.draw(batch, self._rng, self._translation.reads)
        loss = self._translation(columns, self._rng)
        losses = [self._descend('', loss)]
        failed = loss.requires_grad and not isfinite(losses[0])
        if self._motion is not None:
            columns = self.memory.training.draw(
                MOTION_STEPS * batch, self._rng, self._motion.reads)
            losses.append(_finite_mean([
                self._descend('motion', loss)
                for loss in self._motion(columns, self._rng, MOTION_STEPS)]))
        if self._gait is not None:
            losses.append(_finite_mean([
                self._descend('stride', self._gait(
                    self.memory.training.draw(batch, self._gait_rng, self._gait.reads),
                    self._gait_rng)) for _ in range(GAIT_STEPS)]))
        finite = [loss for loss in losses if isfinite(loss)]
        self.steps_skipped += failed or not finite
        self.steps += bool(finite)
        return sum(finite) if finite else nan

    def _descend(self, head: str, loss: torch.Tensor) -> float:
        """Take a step of one parameter group; return the loss, or NaN where nothing changed."""
        if not loss.requires_grad:
            return nan
        changed = self._groups[head].step(loss)
        self._trained.update(changed)
        return loss.item() if changed else nan


def area_trainer(
    model: ModelSettings, window: WindowSettings, area: AreaSettings,
    learning: LearningSettings, memory: ReplayMemory | None = None,
) -> LocalTrainer:
    """Return the trainer of a live area; `memory`: of an earlier trainer of the same area."""
    modalities = set(model.modalities) & set(area.modalities)
    return LocalTrainer(
        UnifiedTwin(model, window), memory or ReplayMemory(learning), learning,
        modalities=modalities, heads=trainable_heads(learning.terms, modalities))


def trainable_heads(terms: Collection[str], modalities: Collection[str]) -> tuple[str, ...]:
    """Return the heads that the term 'motion' trains: those whose labels the modalities give."""
    return tuple(head for head, modality in HEADS.items()
                 if 'motion' in terms and modality in modalities)


def _parameter_groups(twin: UnifiedTwin, learning: LearningSettings) -> dict[str, ParameterGroup]:
    """Group weights by head; '' is the group of the encoders, decoders and fusor."""
    by_head: dict[str, dict[str, nn.Parameter]] = {head: {} for head in ('', *HEADS)}
    for name, weight in twin.named_parameters():
        part = name.partition('.')[0]
        by_head[part if part in HEADS else ''][name] = weight
    return {head: ParameterGroup(part, learning.learning_rate, learning.max_grad_norm)
            for head, part in by_head.items()}


def _finite_mean(losses: Sequence[float]) -> float:
    """Average the finite losses, NaN where there is none."""
    return float(np.mean([loss for loss in losses if isfinite(loss)] or [nan]))
