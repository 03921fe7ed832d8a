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
"""One decoding on the sessions of an area: errors on the test, cost of tuning it and from scratch.

Costs are processor time of the same work: to judge the model on as many windows before and after,
and to train it in between, with its selection.
"""

from dataclasses import dataclass, replace
from math import isnan, nan
from time import thread_time

from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.wire import Tensors
from utt_ros.models.operations import Pair
from utt_ros.models.settings import load_config
from utt_ros.models.twin import UnifiedTwin, build_twin
from utt_ros.training.columns import CENTRE, Columns, take
from utt_ros.training.fine_tuning import (
    EVALUATION_STEPS,
    RATE_SHARE,
    FineTuning,
    FineTuningBudget,
    judge,
    newest_examples,
)
from utt_ros.training.replay_buffer import ReplayBuffer
from utt_ros.training.settings import LearningSettings

SCRATCH_LEARNING = replace(  # fine-tuning takes RATE_SHARE of this rate
    LearningSettings(), learning_rate=LearningSettings().learning_rate / RATE_SHARE)


@dataclass(frozen=True, slots=True)
class ScratchTraining:
    """Training of one decoding from untrained weights; errors are on the test."""

    windows: int
    nmse: float  # at its end
    seconds: float  # processor time to its end
    reached_s: float  # to the first weights with the error to reach; NaN: there were none

    @property
    def reached(self) -> bool:
        return not isnan(self.reached_s)


class SessionDecoding:
    """One decoding with the training and test windows of an area's sessions."""

    def __init__(
        self, pair: Pair, untrained: Checkpoint, training: ReplayBuffer, test: Columns,
    ) -> None:
        self._pair, self._untrained, self._test = pair, untrained, test
        self._model, self._window = load_config(untrained.config)
        self._training = newest_examples(training, [pair])

    @property
    def window_count(self) -> int:
        """Number of training windows."""
        return len(self._training[CENTRE])

    def nmse(self, weights: Tensors, sources: tuple[str, ...] = ()) -> float:
        """Mean NMSE_var over channels on the test; `sources`: in place of those of the pair."""
        pair = (sources or self._pair[0], self._pair[1])
        return self._judge(build_twin(self._model, self._window, weights), self._test, pair)

    def tuning_s(self, weights: Tensors, count: int, judged: int) -> float:
        """Fine-tune weights on the newest `count` windows; return the processor time [s]."""
        begin_s = thread_time()
        tuning = self._begin(weights, LearningSettings(), count, judged)
        while not tuning.done:
            tuning.step()
        tuning.finish()
        return thread_time() - begin_s

    def train_from_scratch(
        self, count: int, nmse: float, judged: int, *, to_end: bool = False,
    ) -> ScratchTraining:
        """Train on the newest `count` windows until the error on the test is at most `nmse`.

        The test is looked at every EVALUATION_STEPS, which takes no time of the training. With
        `to_end` the training goes on to its own end.
        """
        begin_s, aside_s, reached_s = thread_time(), 0.0, nan
        tuning = self._begin(self._untrained.tensors, SCRATCH_LEARNING, count, judged)
        while not tuning.done and (to_end or isnan(reached_s)):
            tuning.step()
            if isnan(reached_s) and tuning.progress.step % EVALUATION_STEPS == 0:
                look_s = thread_time()
                if self._judge(tuning.twin, self._test, self._pair) <= nmse:
                    reached_s = look_s - begin_s - aside_s
                aside_s += thread_time() - look_s
        seconds, error = thread_time() - begin_s - aside_s, self.nmse(tuning.finish())
        if isnan(reached_s) and error <= nmse:
            reached_s = seconds
        return ScratchTraining(count, error, seconds, reached_s)

    def _begin(
        self, weights: Tensors, learning: LearningSettings, count: int, judged: int,
    ) -> FineTuning:
        """Judge a model twice, as before and after, on the newest `judged` windows; begin."""
        twin = build_twin(self._model, self._window, weights)
        for _ in range(2):
            self._judge(twin, take(self._training, slice(-judged, None)), self._pair)
        return FineTuning(
            twin, take(self._training, slice(-count, None)), [self._pair], learning=learning,
            budget=FineTuningBudget(max_windows=count))

    def _judge(self, twin: UnifiedTwin, windows: Columns, pair: Pair) -> float:
        return judge(twin, windows, self._training, pair).mean_nmse
