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

"""Evaluation in parallel: units of suites are run by an executor, and each result is stored.

In the folder of results:

    units/<key>.json      rows of a unit, from which an interrupted run resumes
    cache/                ticks and trained models
    predictions/*.npz     if requested
    results.json          all rows
"""

import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from utt_ros.documents import load_json
from utt_ros.errors import SettingsError
from utt_ros.evaluation.results import RESULTS, Prediction, Row, UnitResult
from utt_ros.evaluation.suites import SUITES, suite_units
from utt_ros.evaluation.trained_models import Study
from utt_ros.evaluation.unit_worker import EvaluationRequest, FinishedUnit, UnitExecutor
from utt_ros.files import write_atomically
from utt_ros.models.model_card import code_digest, load_model
from utt_ros.models.saved_model import code_version

UNITS, PREDICTIONS = 'units', 'predictions'


def run_evaluation(
    request: EvaluationRequest, execute: UnitExecutor,
    progress: Callable[[FinishedUnit | None, int, int], None],
) -> list[str]:
    """Run the units without stored results, write results.json, and return errors of units.

    `progress(unit or None, done, total)` is called at the start and after each unit. Raises
    UttError.
    """
    for name in (UNITS, PREDICTIONS if request.save_predictions else UNITS):
        (request.out / name).mkdir(parents=True, exist_ok=True)
    study = request.open()
    _check_resumed(request, study)
    named = [(suite, unit.key) for suite in request.suites for unit in suite_units(suite, study)]
    missing = [item for item in named if not _is_stored(request, item[1])]
    progress(None, len(named) - len(missing), len(named))
    failed = []
    first = len(named) - len(missing) + 1
    for count, finished in enumerate(execute(request, missing), first):
        done = _store(request, finished)
        progress(done, count, len(named))
        failed += [f'{done.key}: {done.error}'] if done.error else []
    write_results(request, study, failed)
    return failed


def _store(request: EvaluationRequest, done: FinishedUnit) -> FinishedUnit:
    """Store the result of a unit, and leave it out of what is returned."""
    if done.result is None:
        return done
    try:
        store_result(request, done.key, done.result, done.seconds)
    except (OSError, ValueError) as err:
        return replace(done, result=None, error=f'{type(err).__name__}: {err}')
    return replace(done, result=None)


def store_result(request: EvaluationRequest, key: str, result: UnitResult, seconds: float) -> None:
    """Write the result of a unit; its rows last, as they mark it as complete."""
    if request.save_predictions:
        for prediction in result.predictions:
            write_atomically(request.out / PREDICTIONS / f'{prediction.name}.npz',
                             pack_prediction(prediction))
    content = {'seconds': seconds, 'predictions': request.save_predictions,
               'rows': [row_as_json(row) for row in result.rows]}
    write_atomically(_unit_file(request, key), json.dumps(content, allow_nan=False).encode())


def pack_prediction(prediction: Prediction) -> bytes:
    """Serialize a file of predictions/."""
    arrays = {name: value for name, value in asdict(prediction).items()
              if value is not None and name != 'name'}
    buffer = BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def row_as_json(row: Row) -> dict[str, Any]:
    """Convert a row to JSON values, with null for numbers that are not finite."""
    content = asdict(row) | {'seed': int(row.seed), 'n_windows': int(row.n_windows)}
    numbers = {name: float(content[name]) for name in ('value', 'low', 'high')}
    return content | {name: number if math.isfinite(number) else None
                      for name, number in numbers.items()}


def write_results(
    request: EvaluationRequest, study: Study, failed: Sequence[str],
) -> dict[str, Any]:
    """Write the rows of all complete units, including those of earlier calls."""
    stored = {
        suite: [content for path in sorted((request.out / UNITS).glob(f'{suite}-*.json'))
                if (content := _read_unit(request, path.stem)) is not None]
        for suite in SUITES}
    complete = [content for contents in stored.values() for content in contents]
    results = {
        'about': {
            'data': ' + '.join(folder.name for folder in request.data),
            'data_fingerprint': study.data.fingerprint,
            'areas': {name: list(area.modalities) for name, area in study.data.areas.items()},
            'notes': list(study.data.notes), 'split': request.split,
            'seeds': len({row['seed'] for content in complete for row in content['rows']}),
            'suites': [suite for suite, contents in stored.items() if contents],
            'model': request.model and request.model.name,
            'code_version': code_version(), 'cores': os.cpu_count(), 'failed': list(failed),
            'unit_seconds': sum(content['seconds'] for content in complete)},
        'rows': [row for content in complete for row in content['rows']]}
    text = json.dumps(results, indent=1, allow_nan=False)
    write_atomically(request.out / RESULTS, text.encode())
    return results


def _check_resumed(request: EvaluationRequest, study: Study) -> None:
    """Refuse a folder with results of other data, another split, model or program."""
    path = request.out / UNITS / 'study.json'
    model = load_model(request.model)[1].checksum if request.model else ''
    current = {'data': study.data.fingerprint, 'split': request.split, 'model': model,
            'code': code_digest(), 'training recipe': repr(request.recipe)}
    if not path.exists():
        write_atomically(path, json.dumps(current).encode())
    elif (stored := load_json(path.read_bytes())) != current:
        name = next(name for name in current if stored.get(name) != current[name])
        raise SettingsError(f'{request.out} holds results of another {name}, '
                            f'{stored.get(name)!r}: take another folder')


def _unit_file(request: EvaluationRequest, key: str) -> Path:
    return request.out / UNITS / f'{key}.json'


def _read_unit(request: EvaluationRequest, key: str) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = load_json(_unit_file(request, key).read_bytes())
    except (OSError, ValueError):
        return None
    return content


def _is_stored(request: EvaluationRequest, key: str) -> bool:
    """Return whether a unit is complete, including requested predictions."""
    content = _read_unit(request, key)
    return content is not None and (content['predictions'] or not request.save_predictions)
