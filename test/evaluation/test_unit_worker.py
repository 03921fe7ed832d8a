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

"""Units of work of an evaluation."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from utt_ros.evaluation import unit_worker
from utt_ros.evaluation.results import Prediction, Row, Unit, UnitResult
from utt_ros.evaluation.unit_worker import EvaluationRequest, UnitWorker

ROW = Row('fusors', 'utt', 'o', 'a', 'b', 'gating', 0, 'nmse_var', 0.5, 7)


def fail() -> UnitResult:
    raise TypeError('of a suite')


def predict() -> UnitResult:
    values, names = np.zeros((1, 1, 1), np.float32), np.array(['x'])
    return UnitResult((ROW,), (Prediction(
        'p', values, values, values > 0, np.zeros(1), 'o', 'a', 'b', names, names,
        np.zeros(1, np.int64)),))


@pytest.mark.parametrize('saved', [False, True])
def test_error_of_a_unit_and_predictions_that_are_asked_for_are_returned(
    saved: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = SimpleNamespace(data=SimpleNamespace(fingerprint='f'))
    monkeypatch.setattr(EvaluationRequest, 'open', lambda _: study)
    monkeypatch.setattr(unit_worker, 'suite_units', lambda *_: (
        Unit('bad', fail), Unit('good', predict)))
    worker = UnitWorker(
        EvaluationRequest((tmp_path,), tmp_path, ('fusors',), save_predictions=saved))
    assert worker.fingerprint == 'f'
    assert worker.run(('fusors', 'bad')).error == 'TypeError: of a suite'
    good = worker.run(('fusors', 'good'))
    assert (good.key, good.error) == ('good', '')
    assert good.result is not None
    assert good.result.rows == (ROW,)
    assert len(good.result.predictions) == saved
