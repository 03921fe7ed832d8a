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

"""One evaluation's units of work: the request for them, and a worker that runs them."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from utt_ros.errors import SettingsError
from utt_ros.evaluation.results import UnitResult
from utt_ros.evaluation.suites import SUITES, UNTRAINED_SUITES, suite_units
from utt_ros.evaluation.trained_models import Study, given_statistics
from utt_ros.models.model_card import load_model
from utt_ros.settings import WindowSettings
from utt_ros.training.recordings import load_recordings
from utt_ros.training.trainer import use_one_thread
from utt_ros.training.training_recipe import Recipe

CACHE = 'cache'


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """Settings of an evaluation, sent to every process."""

    data: tuple[Path, ...]
    out: Path
    suites: tuple[str, ...] = SUITES
    seeds: int = 1
    split: str = 'test'
    model: Path | None = None
    save_predictions: bool = False
    recipe: Recipe = field(default_factory=Recipe)

    def open(self) -> Study:
        """Read the recordings. Raises UttError."""
        shape = load_model(self.model)[0].window if self.model else WindowSettings()
        data = load_recordings(self.data, self.out / CACHE, shape)
        if not data.of(self.split):
            raise SettingsError(f'the data have no {self.split} split')
        study = Study(data, self.out / CACHE, tuple(range(self.seeds)), self.split, self.model,
                      self.recipe)
        return study if data.of('train') else self._without_training(study)

    def _without_training(self, study: Study) -> Study:
        """Prepare the evaluation of a given model on data without a train split."""
        statistics = given_statistics(self.model, study.data)
        if not set(self.suites) & set(UNTRAINED_SUITES):
            raise SettingsError(f'the data have no train split: suite {self.suites[0]} trains its '
                                f'models, only {" and ".join(UNTRAINED_SUITES)} can be run')
        note = ('there is no train split: means are those of the training data of the model, and '
                'methods that would have to be trained are left out')
        data = replace(study.data, notes=(*study.data.notes, note))
        return replace(study, data=data, statistics=statistics)


@dataclass(frozen=True, slots=True)
class FinishedUnit:
    """A unit that has been run."""

    key: str
    seconds: float
    error: str  # empty when there is none
    result: UnitResult | None = None  # None of a failed one
    place: str = ''  # address of the machine; empty: this one


UnitName = tuple[str, str]
"""Suite and key."""
UnitExecutor = Callable[[EvaluationRequest, Sequence[UnitName]], Iterator[FinishedUnit]]
"""Runs units, in any order, and yields each when it is finished."""


class UnitWorker:
    """Runs units of one request in this process, with one thread."""

    def __init__(self, request: EvaluationRequest) -> None:
        """Read the recordings. Raises UttError."""
        use_one_thread()
        study = request.open()
        self.fingerprint = study.data.fingerprint
        self._save_predictions = request.save_predictions
        self._units = {(suite, unit.key): unit for suite in request.suites
                       for unit in suite_units(suite, study)}

    def run(self, name: UnitName) -> FinishedUnit:
        """Run a unit; its error is in what is returned."""
        begin, key = time.monotonic(), name[1]
        try:
            result = self._units[name].run()
        except Exception as err:  # noqa: BLE001 - no error may end the other units
            return FinishedUnit(key, time.monotonic() - begin, f'{type(err).__name__}: {err}')
        if not self._save_predictions:
            result = replace(result, predictions=())
        return FinishedUnit(key, time.monotonic() - begin, '', result)
