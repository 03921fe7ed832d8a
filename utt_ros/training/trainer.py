"""One area's learning: windows in, an update of the weights out."""

from collections.abc import Mapping, Sequence
from math import isfinite, nan

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.utils import clip_grads_with_norm_

from utt_ros.models.onnx_export import OnnxExporter
from utt_ros.models.operations import operations, unique_pairs
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin, Weights, load_weights, read_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.columns import take
from utt_ros.training.dataset import make_examples
from utt_ros.training.metrics import nmse_by_operation, relative_errors, training_means
from utt_ros.training.losses import MotionObjective, Objective, StrideObjective
from utt_ros.training.replay_buffer import ReplayBuffer, hold_out
from utt_ros.training.settings import LearningSettings
from utt_ros.types import NS_PER_S, Windows

MOTION_STEPS = 8  # of the motion head per step: it is small, and must learn in few rounds
STRIDE_STEPS = 8  # of the stride head: with fewer, who stands is told to swing as who walks


class Memory:
    """Examples of one area, apart for training and for judging."""

    def __init__(
        self, window: WindowSettings, area: AreaSettings, learning: LearningSettings,
    ) -> None:
        self.window, self.area, self.learning = window, area, learning
        self.kept = ReplayBuffer(learning.capacity)
        self.held_out = ReplayBuffer(learning.held_out)

    def observe(self, windows: Windows) -> None:
        """Keep windows of T + H ticks: for training, held out, or not at all.

        Those without any measurement in their first T ticks are of no use.
        """
        period_ns = round(self.window.period * NS_PER_S)
        train, held = hold_out(
            windows.stamps_ns,
            length_ns=(self.window.ticks + self.window.horizon - 1) * period_ns,
            guard_ns=self.window.ticks * period_ns,
            block_ns=round(self.learning.holdout_block * NS_PER_S),
            every=self.learning.holdout_every)
        examples = make_examples(windows, self.area, self.window)
        measured = np.any([examples[f'{name}_mask'].any(1) for name in windows.masks], axis=0)
        for buffer, chosen in ((self.kept, train & measured), (self.held_out, held & measured)):
            if chosen.any():
                buffer.add(take(examples, np.flatnonzero(chosen)))


def use_one_thread() -> None:
    """Leave the other cores to those who predict; for the whole process."""
    torch.set_num_threads(1)


class LocalTrainer:
    """Trains a model on an area's memory and judges it there. For one thread."""

    def __init__(
        self, model: ModelSettings, window: WindowSettings, area: AreaSettings,
        learning: LearningSettings, memory: Memory | None = None,
    ) -> None:
        """`memory`: of an earlier trainer of the same area; a new one where it is None."""
        self.model, self.learning = model, learning
        self.twin = UnifiedTwin(model, window)
        self.memory = memory or Memory(window, area, learning)
        self.kept, self.held_out = self.memory.kept, self.memory.held_out
        self.observe = self.memory.observe
        self.modalities = tuple(sorted(set(model.modalities) & set(area.modalities)))
        self.steps = 0
        self.steps_skipped = 0  # nothing to learn from, or a gradient that was not finite
        self._rng = np.random.default_rng(learning.seed)
        self._objective = Objective(self.twin, self.modalities, learning.terms)
        moves = 'motion' in learning.terms and 'camera' in self.modalities
        self._motion = MotionObjective(self.twin) if moves else None
        swings = 'motion' in learning.terms and 'imu' in self.modalities
        self._stride = StrideObjective(self.twin) if swings else None
        self._stride_rng = np.random.default_rng((learning.seed, 1))
        weights = dict(self.twin.named_parameters())
        head, stride = ({name: weight for name, weight in weights.items() if name.startswith(part)}
                        for part in ('motion.', 'stride.'))
        self._translating = _Part({name: weight for name, weight in weights.items()
                                   if name not in head | stride}, learning)
        self._moving, self._swinging = _Part(head, learning), _Part(stride, learning)
        self._exporter = OnnxExporter()
        self._trained: set[str] = set()

    def set_rate(self, rate: float) -> None:
        """Change the step size."""
        for part in (self._translating, self._moving, self._swinging):
            part.set_rate(rate)

    def load(self, weights: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Begin from these weights; raises ModelError when they do not fit."""
        load_weights(self.twin, weights)
        self._trained.clear()

    def update(self) -> Weights:
        """The tensors that were trained since `load`: none that never had a gradient."""
        return {name: values for name, values in read_weights(self.twin).items()
                if name in self._trained}

    def onnx(self) -> bytes:
        """The model as the graph that a live twin runs."""
        return self._exporter.export(self.twin)

    def train(self, steps: int) -> float:
        """Take gradient steps; return their mean loss, NaN when none counted."""
        return _mean([self._step() for _ in range(steps)] if len(self.kept) else [])

    def evaluate(self) -> dict[str, float]:
        """NMSE_var by operation on the held-out windows; without the operations never seen."""
        if not len(self.held_out) or not len(self.kept):
            return {}
        wanted = operations(self.modalities)
        errors = relative_errors(
            self.twin, self.held_out.all(), unique_pairs(wanted),
            training_means(self.kept.all(), self.modalities))
        found = nmse_by_operation(errors, wanted)
        return {name: error for name, error in found.items() if isfinite(error)}

    def _step(self) -> float:
        batch = self.kept.draw(self.learning.batch, self._rng, self._objective.reads)
        loss = self._objective(batch, self._rng)
        losses = [self._descend(self._translating, loss)]
        failed = loss.requires_grad and not isfinite(losses[0])
        if self._motion is not None:
            count = MOTION_STEPS * self.learning.batch
            batch = self.kept.draw(count, self._rng, self._motion.reads)
            moved = [self._descend(self._moving, loss)
                     for loss in self._motion(batch, self._rng, MOTION_STEPS)]
            losses.append(_mean(moved))
        if self._stride is not None:
            swung = [self._descend(self._swinging, self._stride(
                self.kept.draw(self.learning.batch, self._stride_rng, self._stride.reads),
                self._stride_rng)) for _ in range(STRIDE_STEPS)]
            losses.append(_mean(swung))
        counted = [loss for loss in losses if isfinite(loss)]
        self.steps_skipped += failed or not counted
        self.steps += bool(counted)
        return sum(counted) if counted else nan

    def _descend(self, part: '_Part', loss: torch.Tensor) -> float:
        """Change what the loss depends on; return it, or NaN where it changed nothing."""
        if not loss.requires_grad:
            return nan
        moved = part.descend(loss)
        self._trained.update(moved)
        return loss.item() if moved else nan


def _mean(losses: Sequence[float]) -> float:
    """Of those that counted, NaN where none did."""
    return float(np.mean([loss for loss in losses if isfinite(loss)] or [nan]))


class _Part:
    """Weights by their names, and what changes them."""

    def __init__(self, weights: Mapping[str, nn.Parameter], learning: LearningSettings) -> None:
        self._weights, self._limit = weights, learning.max_grad_norm
        self._optimizer = torch.optim.AdamW(
            list(weights.values()), lr=learning.learning_rate, fused=True)

    def set_rate(self, rate: float) -> None:
        for group in self._optimizer.param_groups:
            group['lr'] = rate

    def descend(self, loss: torch.Tensor) -> set[str]:
        """Take a step; return the names of what moved, none for a gradient not finite.

        Weights whose gradient is all zero are left alone, or their decay would look like learning.
        """
        for weight in self._weights.values():
            weight.grad = None  # as zero_grad does, which takes ten times as long
        torch.autograd.backward(loss)
        reached = {name: weight for name, weight in self._weights.items()
                   if weight.grad is not None}
        norms = torch.stack([torch.linalg.vector_norm(weight.grad) for weight in reached.values()])
        norm = torch.linalg.vector_norm(norms)
        if not norm.isfinite():
            return set()
        moved = set()
        for (name, weight), some in zip(reached.items(), norms.tolist(), strict=True):
            if some:
                moved.add(name)
            else:
                weight.grad = None
        clip_grads_with_norm_(reached.values(), self._limit, norm)
        self._optimizer.step()
        return moved
