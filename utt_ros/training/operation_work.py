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
"""Work of an operation on the windows of an area: judge, fine-tune, judge again, propose records.

It goes in steps, for a running trainer and offline alike, and puts nothing in service. Tuned
weights are proposed when no decoding is worse with them than before, on held-out windows: these
neither train nor select (see `fine_tuning`). Otherwise those serve with which it began.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass

from utt_ros.federation.wire import Tensors
from utt_ros.models.operations import Pair
from utt_ros.models.settings import load_config
from utt_ros.models.twin import UnifiedTwin, build_twin
from utt_ros.task_twins.operation_request import OperationProgress
from utt_ros.task_twins.types import TaskTwin
from utt_ros.training.columns import CENTRE, Columns, take
from utt_ros.training.fine_tuning import (
    FineTuning,
    FineTuningBudget,
    Judgement,
    newest_examples,
)
from utt_ros.training.operation_plan import OperationPlan, propose
from utt_ros.training.replay_buffer import ReplayMemory
from utt_ros.training.settings import LearningSettings
from utt_ros.training.twin_judgement import check_limit, is_no_worse, judge_pair

Judgements = dict[Pair, Judgement]


@dataclass(frozen=True, slots=True)
class MadeModel:
    """Model of an operation, with the records of the twins that it is for."""

    weights: Tensors
    twins: tuple[TaskTwin, ...]  # as proposed
    nmse_before: tuple[float, ...]  # per twin, before fine-tuning
    windows: int  # used for fine-tuning, also when its weights are not those proposed

    @property
    def is_tuned(self) -> bool:
        """True when the weights are those of fine-tuning."""
        return any(twin.windows for twin in self.twins)


def make_model(
    plan: OperationPlan, memory: ReplayMemory, learning: LearningSettings,
    clock: Callable[[], float],
) -> Generator[OperationProgress, None, MadeModel]:
    """Carry out a plan on the windows of its area, in steps.

    Raises TwinError when the area cannot judge it, or it does not meet its limit, and
    SettingsError when there are too few windows to fine-tune on.
    """
    request = plan.request
    twin = build_twin(*load_config(plan.config), plan.weights)
    training = newest_examples(memory.training, plan.pairs)
    held_out = newest_examples(memory.held_out, plan.pairs)
    yield OperationProgress('judge')
    before = _judge(twin, held_out, training, plan)
    weights, used, judged, windows = plan.weights, take(training, slice(0)), before, 0
    if request.tunes:
        examples = take(training, slice(-request.max_windows, None))  # 0: all
        windows = len(examples[CENTRE])
        tuned = yield from _tune(twin, examples, plan, learning, clock)
        if tuned is not None:
            yield OperationProgress('judge', windows=windows)
            after = _judge(twin, held_out, training, plan)
            if is_no_worse(after, before):
                weights, used, judged = tuned, examples, after
    for pair, judgement in judged.items():
        check_limit(judgement, pair, request.max_nmse)
    return MadeModel(
        weights, propose(plan, weights, judged, used),
        tuple(before[target.pair].mean_nmse for target in plan.targets), windows)


def _tune(
    twin: UnifiedTwin, examples: Columns, plan: OperationPlan, learning: LearningSettings,
    clock: Callable[[], float],
) -> Generator[OperationProgress, None, Tensors | None]:
    """Fine-tune; return the weights, None when no step selected better than the first ones."""
    budget = FineTuningBudget(plan.request.max_windows, plan.request.max_seconds)
    tuning = FineTuning(
        twin, examples, plan.pairs, learning=learning, clock=clock, budget=budget)
    while not tuning.done:
        tuning.step()
        at = tuning.progress
        yield OperationProgress('tune', at.step, at.steps, at.loss, at.windows, at.seconds_left)
    best = tuning.finish()
    return best if tuning.has_gained else None


def _judge(
    twin: UnifiedTwin, held_out: Columns, training: Columns, plan: OperationPlan,
) -> Judgements:
    return {pair: judge_pair(twin, held_out, training, pair, plan.area) for pair in plan.pairs}
