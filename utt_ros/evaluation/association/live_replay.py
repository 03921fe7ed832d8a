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

"""Live association on recordings with labels removed: assignments by track age, and positions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import numpy.typing as npt

from utt_ros.association.associator import make_associator
from utt_ros.association.pair_scorer import SCORER_FEATURES
from utt_ros.association.translator import Translator
from utt_ros.evaluation.association.association_record import (
    AssociationRecord,
    join_records,
    record_association,
    tracks_in_view,
)
from utt_ros.evaluation.association.label_removal import remove_first_phone, remove_session_labels
from utt_ros.evaluation.metrics import position as metrics
from utt_ros.evaluation.metrics.association import TRACK_AGES_S
from utt_ros.models.model_card import load_model
from utt_ros.models.onnx_export import export_onnx
from utt_ros.settings import WindowSettings
from utt_ros.sync.association_types import Associator, LabelAssociator, Match, PhoneSamples, Tracks
from utt_ros.sync.offline_sync import synchronize
from utt_ros.sync.settings import SyncSettings
from utt_ros.training.recordings import RecordedSequence, Recordings, load_recordings
from utt_ros.training.trainer import use_one_thread
from utt_ros.twin.engine import TwinEngine
from utt_ros.twin.model_service import REPLAY_WAIT_S
from utt_ros.twin.onnx_model import OnnxModel
from utt_ros.twin.onnx_translator import OnnxTranslator
from utt_ros.types import Array, Session, SyncedBatch

ASSOCIATION_METHODS = ('labels', *SCORER_FEATURES)


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Results of one method: assignments, positions of a twin if there was one, and times."""

    record: AssociationRecord
    errors_m: Array  # (M,) of positions, while the camera has the person in view
    all_errors_m: Array  # of all positions
    cost_ms: Array  # (F,) of associating a frame


def replay_live(
    recording: RecordedSequence, window: WindowSettings, method: str,
    translator: Translator | None,
    model: OnnxModel | None = None, *, twin: bool = True, session: Session | None = None,
) -> ReplayResult:
    """Replay a recording without labels through one method; `labels` gets the true subjects.

    `session` replaces that of the recording. The twin runs `model`, None: its particle filter.
    """
    unlabelled, owners = remove_session_labels(session or recording.session)
    timed = TimedAssociator(_TrueAssociator(owners))
    if method != 'labels':
        live = make_associator(SyncSettings(association=method), recording.area, window)
        live.use_model(translator)
        timed = TimedAssociator(live)
    batches = list(synchronize(
        unlabelled, modalities=recording.area.modalities, windows=window, associator=timed,
        access_points=recording.area.ap_addresses))
    record = record_association(unlabelled, owners, batches)
    errors: tuple[Array, Array] = (np.zeros(0), np.zeros(0))
    if twin:
        engine = TwinEngine(recording.area, window, recording.belief, max_wait_s=REPLAY_WAIT_S)
        if model is not None:
            engine.deploy(model)
        errors = _position_errors(engine, unlabelled, owners, batches)
    return ReplayResult(record, *errors, np.array(timed.cost_ms))


class _TrueAssociator(LabelAssociator):
    """Associator that is given the owners of all tracks."""

    def __init__(self, owners: dict[str, str]) -> None:
        self._owners = owners

    def associate(self, tracks: Tracks, phones: PhoneSamples) -> Sequence[Match]:
        names = tuple(self._owners[track] for track in tracks.track_ids)
        return super().associate(replace(tracks, subjects=names), phones)


class TimedAssociator:
    """Associator that measures the wall time of another one."""

    def __init__(self, inner: Associator) -> None:
        self._inner, self.cost_ms = inner, [0.0]

    def associate(self, tracks: Tracks, phones: PhoneSamples) -> Sequence[Match]:
        start_s = perf_counter()
        matches = self._inner.associate(tracks, phones)
        self.cost_ms.append(1e3 * (perf_counter() - start_s))
        return matches


def _position_errors(
    engine: TwinEngine, session: Session, owners: dict[str, str], batches: Sequence[SyncedBatch],
) -> tuple[Array, Array]:
    """Return position errors [m] of people in view, and of everybody."""
    in_view = tracks_in_view(session)
    visible_errors, all_errors = [], []
    for batch in batches:
        predictions = engine.step(batch)
        visible = {owners[track] for track in in_view.get(batch.stamp_ns, ())}
        for row, name in enumerate(predictions.subjects):
            error = _error(session, name, predictions.stamp_ns, predictions.position[row])
            if np.isfinite(error):
                all_errors.append(error)
                if name in visible:
                    visible_errors.append(error)
    return np.array(visible_errors, float), np.array(all_errors, float)


def _error(session: Session, name: str, stamp_ns: int, position: npt.NDArray[np.float32]) -> float:
    """Return the position error [m]; NaN where the truth is unknown."""
    truth = session.truth.get(name)
    if truth is None:
        return nan
    return float(metrics.position_errors(truth, np.array([stamp_ns]), position[None])[0])


def replay_split(
    data: Recordings, split: str, model_file: Path | None, methods: Sequence[str],
) -> Iterator[tuple[str, ReplayResult, ReplayResult | None]]:
    """Yield method, result on all sequences of a split, and result with one phone removed.

    The latter is None for `labels` and without a sequence of two phones. Raises UttError.
    """
    use_one_thread()
    graph = None if model_file is None else export_onnx(load_model(model_file)[0])
    translator = None if graph is None else OnnxTranslator(graph, data.window)
    model = None if graph is None else OnnxModel(graph, data.window)
    recordings = [item for item in data.of(split) if item.session.frames is not None]
    for method in methods:
        complete = [replay_live(item, data.window, method, translator, model)
                    for item in recordings]
        reduced = [
            replay_live(item, data.window, method, translator, twin=False,
                        session=remove_first_phone(item.session)[0])
            for item in recordings if method != 'labels' and len(item.session.phones) > 1]
        yield method, join_results(complete), join_results(reduced) if reduced else None


def read_recordings(folder: Path, cache: Path | None) -> Recordings:
    """Read recordings; `cache`, if given, keeps them for the next time."""
    with TemporaryDirectory(prefix='utt_bench_') as temporary:
        return load_recordings(folder, cache or Path(temporary))


def join_results(parts: Sequence[ReplayResult]) -> ReplayResult:
    """Concatenate results."""
    return ReplayResult(
        join_records([part.record for part in parts]),
        *(np.concatenate([getattr(part, name) for part in parts])
          for name in ('errors_m', 'all_errors_m', 'cost_ms')))


def association_table(results: Mapping[str, tuple[ReplayResult, ReplayResult | None]]) -> str:
    """Return Markdown with one row per method; see `replay_split` for the two results."""
    ages = [f'{age:g} s' for age in TRACK_AGES_S]
    title = ['method', *ages, 'all', 'wrong', 'certain', 'of these right', 'changes/min',
             'strangers named / certainly', 'seen, median / mean / p90 m', 'all, median / p90 m',
             'ms/frame p50 / p99']
    lines = [title, ['---'] * len(title)]
    for method, (complete, reduced) in results.items():
        record, (share, correct) = complete.record, complete.record.confident
        lines.append([
            f'`{method}`', *(f'{record.idp_at(age):.3f}' for age in TRACK_AGES_S),
            f'{record.idp:.3f}', f'{record.wrong:.3f}', f'{share:.3f}', f'{correct:.3f}',
            f'{60.0 * record.changes / max(record.seconds, 1.0):.2f}',
            ' / '.join(f'{rate:.3f}' for rate in reduced.record.false_association)
            if reduced else '',
            _error_quantiles(complete.errors_m, 'median_m', 'mean_m', 'p90_m'),
            _error_quantiles(complete.all_errors_m, 'median_m', 'p90_m'),
            ' / '.join(_percentile(complete.cost_ms, percent) for percent in (50, 99))])
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines)


def _percentile(values: Array, percent: float) -> str:
    return f'{np.percentile(values, percent):.2f}' if values.size else '-'


def _error_quantiles(errors_m: Array, *names: str) -> str:
    values = metrics.error_quantiles(errors_m)
    return ' / '.join(f'{values[name]:.2f}' if errors_m.size else '-' for name in names)
