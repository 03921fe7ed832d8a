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

"""Errors of made task twins on test sessions, and what training from scratch takes instead."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from time import monotonic
from typing import Any

from utt_ros.demo.held_out import cut_sessions, held_out_windows
from utt_ros.demo.operations_stage import PerformedOperation
from utt_ros.demo.scenes import DemoArea
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.wire import Tensors
from utt_ros.models.operations import Pair
from utt_ros.models.settings import load_config
from utt_ros.models.twin import build_twin
from utt_ros.task_twins.types import TaskTwin
from utt_ros.training.columns import CENTRE, Columns
from utt_ros.training.fine_tuning import (
    EVALUATION_STEPS,
    MIN_WINDOWS,
    RATE_SHARE,
    FineTuning,
    FineTuningBudget,
    judge,
    newest_examples,
)
from utt_ros.training.replay_buffer import ReplayBuffer
from utt_ros.training.settings import LearningSettings, TrainerSettings
from utt_ros.training.trainer import use_one_thread

SCRATCH_LEARNING = replace(  # fine-tuning takes RATE_SHARE of this rate
    LearningSettings(), learning_rate=LearningSettings().learning_rate / RATE_SHARE)


@dataclass(frozen=True, slots=True)
class ScratchTraining:
    """Training of one decoding from untrained weights."""

    nmse: float  # at its end
    seconds: float  # until it had the error that it was to reach, or to its end
    windows: int
    reached: bool


def operation_costs(
    performed: Sequence[PerformedOperation], areas: Sequence[DemoArea], untrained: Checkpoint,
) -> list[dict[str, Any]]:
    """Return a row for each twin that was made, for JSON.

    Errors are mean NMSE_var over channels, on the test sessions of the area of the sources.
    `nmse_scratch`: of a model that is trained for this decoding alone, to its end, on as many
    windows of the same sessions. Of a transfer: also seconds and windows of the cheapest training
    from scratch with its error or, where none has it, of one with all windows.
    """
    use_one_thread()  # as in trainers: a second one makes small models slower
    named = {area.name: area for area in areas}
    judges: dict[str, _Judge] = {}
    rows = []
    for item in performed:
        if item.area not in judges:
            judges[item.area] = _Judge(named[item.area], untrained)
        rows += [judges[item.area].row(item, twin) for twin in item.outcome.twins]
    return rows


class _Judge:
    """Windows of an area's sessions."""

    def __init__(self, area: DemoArea, untrained: Checkpoint) -> None:
        self._untrained = untrained
        self._model, self._window = load_config(untrained.config)
        self._test = held_out_windows(area, area.test, self._window)
        self._training: ReplayBuffer = cut_sessions(
            area, area.train, self._window, TrainerSettings().window_stride)

    def row(self, item: PerformedOperation, twin: TaskTwin) -> dict[str, Any]:
        pair: Pair = (twin.sources, twin.target)
        examples = newest_examples(self._training, [pair], twin.windows)
        nmse = self._nmse(item.after, pair)
        row = {
            'operation': item.request.kind, 'area': twin.area,
            'sources': list(item.request.sources), 'target': twin.id,
            'reads': list(twin.sources), 'seconds': item.outcome.seconds,
            'bytes': item.outcome.bytes, 'windows': item.outcome.windows,
            'nmse': _finite(nmse), 'nmse_before': _finite(self._nmse(item.before, pair)),
            'nmse_scratch': None}
        if len(examples[CENTRE]) >= MIN_WINDOWS:
            scratch = self._scratch(examples, pair, 0.0)
            row['nmse_scratch'] = _finite(scratch.nmse)
            if item.request.kind == 'transfer':
                row |= self._cost(scratch, examples, pair, nmse)
        if item.request.kind == 'merge':
            row['nmse_alone'] = {
                source: _finite(self._nmse(item.after, ((source,), twin.target)))
                for source in twin.sources}
        return row

    def _cost(
        self, scratch: ScratchTraining, examples: Columns, pair: Pair, nmse: float,
    ) -> dict[str, Any]:
        """Cost of the error `nmse` from scratch: with the same windows if they do, else all."""
        if scratch.nmse > nmse:
            examples = newest_examples(self._training, [pair])
        training = self._scratch(examples, pair, nmse)
        return {'seconds_scratch': training.seconds, 'windows_scratch': training.windows,
                'nmse_scratch_end': _finite(training.nmse), 'scratch_reached': training.reached}

    def _scratch(self, examples: Columns, pair: Pair, nmse: float) -> ScratchTraining:
        """Train from untrained weights until the error on the test is at most `nmse`.

        Judging it does not count as training time.
        """
        twin = build_twin(self._model, self._window, self._untrained.tensors)
        count = len(examples[CENTRE])
        judging_s = 0.0
        tuning = FineTuning(
            twin, examples, [pair], learning=SCRATCH_LEARNING,
            budget=FineTuningBudget(max_windows=count))
        while not tuning.done:
            tuning.step()
            if nmse and tuning.progress.step % EVALUATION_STEPS == 0:
                begin_s = monotonic()
                error = judge(twin, self._test, examples, pair).mean_nmse
                judging_s += monotonic() - begin_s
                if error <= nmse:
                    return ScratchTraining(error, tuning.seconds - judging_s, count, True)
        seconds = tuning.seconds - judging_s
        error = self._nmse(tuning.finish(), pair)
        return ScratchTraining(error, seconds, count, error <= nmse)

    def _nmse(self, weights: Tensors, pair: Pair) -> float:
        twin = build_twin(self._model, self._window, weights)
        training = newest_examples(self._training, [pair])
        return judge(twin, self._test, training, pair).mean_nmse


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
