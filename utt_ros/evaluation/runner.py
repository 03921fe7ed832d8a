"""Runs the units of suites in processes of their own, and keeps what each of them found.

In the folder of results:

    units/<key>.json      rows of a unit: what an interrupted run goes on from
    cache/                ticks and trained models
    predictions/*.npz     where they are wanted
    results.json          all rows
"""

import json
import math
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from io import BytesIO
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

import numpy as np

from utt_ros.errors import SettingsError
from utt_ros.evaluation.results import Prediction, UnitResult, Row, Unit
from utt_ros.evaluation.suites import SUITES, units
from utt_ros.evaluation.trained_models import Study
from utt_ros.files import write_atomically
from utt_ros.models.model_card import code_digest, code_version, load_model
from utt_ros.settings import WindowSettings
from utt_ros.training.training_recipe import Recipe
from utt_ros.training.recordings import load_recordings
from utt_ros.training.trainer import use_one_thread

UNITS, CACHE, PREDICTIONS, RESULTS = 'units', 'cache', 'predictions', 'results.json'


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """What is to be evaluated; small enough to be sent to every process."""

    data: Path
    out: Path
    suites: tuple[str, ...] = SUITES
    seeds: int = 1
    split: str = 'test'
    model: Path | None = None
    save_predictions: bool = False
    recipe: Recipe = field(default_factory=Recipe)

    def open(self) -> Study:
        """Read the data. Raises UttError."""
        shape = load_model(self.model)[0].window if self.model else WindowSettings()
        data = load_recordings(self.data, self.out / CACHE, shape)
        if not data.of(self.split):
            raise SettingsError(f'the data have no {self.split} split')
        return Study(data, self.out / CACHE, tuple(range(self.seeds)), self.split, self.model,
                     self.recipe)


@dataclass(frozen=True, slots=True)
class FinishedUnit:
    """A unit that ended."""

    key: str
    seconds: float
    error: str  # empty when there is none


def run(
    request: EvaluationRequest, jobs: int, tell: Callable[[FinishedUnit | None, int, int], None],
) -> list[str]:
    """Run what is missing; returns why units failed. Write the results of all that did not.

    `tell(unit or None, done, of)` is called at the begin and after each unit. Raises UttError.
    """
    for name in (UNITS, PREDICTIONS if request.save_predictions else UNITS):
        (request.out / name).mkdir(parents=True, exist_ok=True)
    study = request.open()
    _check_resumed(request, study)
    named = [(suite, unit.key) for suite in request.suites for unit in units(suite, study)]
    missing = [item for item in named if not _kept(request, item[1])]
    tell(None, len(named) - len(missing), len(named))
    failed = []
    for count, done in enumerate(_work(request, missing, jobs), len(named) - len(missing) + 1):
        tell(done, count, len(named))
        failed += [f'{done.key}: {done.error}'] if done.error else []
    write_results(request, study, failed)
    return failed


def _work(request: EvaluationRequest, wanted: Sequence[tuple[str, str]], jobs: int) -> Iterator[FinishedUnit]:
    if not wanted:
        return
    pool = ProcessPoolExecutor(
        min(jobs, len(wanted)), get_context('spawn'), _begin, (request,))
    try:
        pending: set[Future[FinishedUnit]] = {pool.submit(_run_unit, *item) for item in wanted}
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    except BaseException:  # at Ctrl-C units that have not begun must not begin
        for process in active_children():
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown()


_state: dict[str, Any] = {}


def _begin(request: EvaluationRequest) -> None:
    """Make a worker ready; Ctrl-C is for the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_one_thread()
    study = request.open()
    _state['request'] = request
    _state['units'] = {suite: {unit.key: unit for unit in units(suite, study)}
                       for suite in request.suites}


def _run_unit(suite: str, key: str) -> FinishedUnit:
    begin, request = time.monotonic(), _state['request']
    unit: Unit = _state['units'][suite][key]
    try:
        keep(request, key, unit.run(), time.monotonic() - begin)
    except Exception as err:  # noqa: BLE001 - whatever it is, it must not end the other units
        return FinishedUnit(key, time.monotonic() - begin, f'{type(err).__name__}: {err}')
    return FinishedUnit(key, time.monotonic() - begin, '')


def keep(request: EvaluationRequest, key: str, outcome: UnitResult, seconds: float) -> None:
    """Write what a unit found; its rows last, since they say that it is complete."""
    if request.save_predictions:
        for made in outcome.made:
            write_atomically(request.out / PREDICTIONS / f'{made.name}.npz', packed(made))
    content = {'seconds': seconds, 'predictions': request.save_predictions,
               'rows': [as_json(row) for row in outcome.rows]}
    write_atomically(_unit_file(request, key), json.dumps(content, allow_nan=False).encode())


def packed(made: Prediction) -> bytes:
    """The bytes of a file in predictions/."""
    arrays = {name: value for name, value in asdict(made).items()
              if value is not None and name != 'name'}
    buffer = BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def as_json(row: Row) -> dict[str, Any]:
    """A row, with null for what is not finite."""
    content = asdict(row) | {'seed': int(row.seed), 'n_windows': int(row.n_windows)}
    content['value'] = float(row.value) if math.isfinite(row.value) else None
    return content


def write_results(
    request: EvaluationRequest, study: Study, failed: Sequence[str],
) -> dict[str, Any]:
    """Collect the rows of all units that are complete, those of earlier calls included."""
    kept = {suite: [content for path in sorted((request.out / UNITS).glob(f'{suite}-*.json'))
                    if (content := _read(request, path.stem)) is not None] for suite in SUITES}
    found = [content for contents in kept.values() for content in contents]
    results = {
        'about': {
            'data': request.data.name, 'data_fingerprint': study.data.fingerprint,
            'areas': {name: list(area.modalities) for name, area in study.data.areas.items()},
            'notes': list(study.data.notes), 'split': request.split,
            'seeds': len({row['seed'] for content in found for row in content['rows']}),
            'suites': [suite for suite, contents in kept.items() if contents],
            'model': request.model and request.model.name,
            'code_version': code_version(), 'cores': os.cpu_count(), 'failed': list(failed),
            'unit_seconds': sum(content['seconds'] for content in found)},
        'rows': [row for content in found for row in content['rows']]}
    text = json.dumps(results, indent=1, allow_nan=False)
    write_atomically(request.out / RESULTS, text.encode())
    return results


def _check_resumed(request: EvaluationRequest, study: Study) -> None:
    """Units of other data, another split, model or program must not be mixed in."""
    path = request.out / UNITS / 'study.json'
    model = load_model(request.model)[1].checksum if request.model else ''
    ours = {'data': study.data.fingerprint, 'split': request.split, 'model': model,
            'code': code_digest(), 'training recipe': repr(request.recipe)}
    if not path.exists():
        write_atomically(path, json.dumps(ours).encode())
    elif (theirs := json.loads(path.read_bytes())) != ours:
        name = next(name for name in ours if theirs.get(name) != ours[name])
        raise SettingsError(f'{request.out} holds results of another {name}, '
                            f'{theirs.get(name)!r}: take another folder')


def _unit_file(request: EvaluationRequest, key: str) -> Path:
    return request.out / UNITS / f'{key}.json'


def _read(request: EvaluationRequest, key: str) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(_unit_file(request, key).read_bytes())
    except (OSError, ValueError):
        return None
    return content


def _kept(request: EvaluationRequest, key: str) -> bool:
    """Whether a unit is complete, with its predictions where they are wanted."""
    content = _read(request, key)
    return content is not None and (content['predictions'] or not request.save_predictions)
