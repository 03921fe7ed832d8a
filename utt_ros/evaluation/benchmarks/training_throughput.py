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

"""Training throughput: the step of the package beside a loop over operations.

Same model, same windows, same loss, same optimizer, one thread; both without the motion loss.
"""

import time
from collections.abc import Callable

import numpy as np
import torch

from utt_ros.evaluation.benchmarks.load_messages import AREA
from utt_ros.evaluation.benchmarks.training_load import load_windows
from utt_ros.models.modalities import modality
from utt_ros.models.operations import KINDS, Operation, operations
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import WindowSettings
from utt_ros.training.columns import Columns
from utt_ros.training.losses import scaled_error
from utt_ros.training.settings import LearningSettings
from utt_ros.training.trainer import area_trainer
from utt_ros.types import MODALITIES

PHONES = 8


class NaiveTrainer:
    """Naive trainer: each operation encodes, fuses and decodes separately."""

    def __init__(self, twin: UnifiedTwin, learning: LearningSettings) -> None:
        self._twin = twin
        self._operations = operations(MODALITIES)
        self._optimizer = torch.optim.AdamW(
            twin.parameters(), lr=learning.learning_rate, fused=True)
        self._limit = learning.max_grad_norm

    def step(self, columns: Columns) -> None:
        """Take one gradient step on a batch."""
        self._optimizer.zero_grad()
        loss = torch.stack([self._loss(item, columns) for item in self._operations]).sum()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._twin.parameters(), self._limit)
        self._optimizer.step()

    def _loss(self, item: Operation, columns: Columns) -> torch.Tensor:
        features, present = self._twin.encode(
            {name: torch.from_numpy(columns[name]) for name in item.sources},
            {name: torch.from_numpy(columns[f'{name}_mask']) for name in item.sources})
        feature = self._twin.fuse(features, present)
        losses = []
        for target in item.targets:
            predicted = self._twin.decode(target, feature)
            losses.append(scaled_error(
                predicted, torch.from_numpy(columns[target]),
                torch.from_numpy(columns[f'{target}_mask']),
                torch.tensor(modality(target).scale)))
        return torch.stack(losses).sum()


def measure_throughput(steps: int, repeats: int) -> dict[str, float]:
    """Measure windows per second of both, medians over alternating repeats, and their ratio."""
    torch.set_num_threads(1)
    learning = LearningSettings(terms=KINDS, holdout_block=0.0)
    ours = area_trainer(ModelSettings(), WindowSettings(), AREA, learning)
    ours.memory.observe(load_windows(PHONES, WindowSettings()), AREA, WindowSettings())
    naive = NaiveTrainer(UnifiedTwin(ModelSettings(), WindowSettings()), learning)
    rng = np.random.default_rng(0)
    reads = [part for name in MODALITIES for part in (name, f'{name}_mask')]

    def one_after_the_other() -> None:
        for _ in range(steps):
            naive.step(ours.memory.training.draw(learning.batch, rng, reads))

    runs: dict[str, Callable[[], object]] = {
        'ours': lambda: ours.train(steps), 'naive': one_after_the_other}
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(repeats):
        for name, run in runs.items():
            begin = time.process_time()
            run()
            spent[name].append(time.process_time() - begin)
    speed = {name: steps * learning.batch / float(np.median(times))
             for name, times in spent.items()}
    return {**speed, 'ratio': speed['ours'] / speed['naive']}
