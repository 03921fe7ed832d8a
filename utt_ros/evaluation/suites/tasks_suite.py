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

"""Downstream tasks of the live twin, with the position and IMU baselines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from math import inf, nan

import numpy as np

from utt_ros.errors import MeasurementError
from utt_ros.evaluation.baselines.registry import BASELINES, Baseline
from utt_ros.evaluation.engine_replay import replay_engine
from utt_ros.evaluation.ground_truth import SubjectTrajectory, TrackEstimate
from utt_ros.evaluation.metrics import activity, synthesized_imu
from utt_ros.evaluation.outages import keep_access_points, mask_camera, mask_trajectory_camera
from utt_ros.evaluation.results import Row, Unit, UnitResult
from utt_ros.evaluation.suites.task_rows import (
    TASKS_SUITE,
    TaskLabel,
    TrackedWalk,
    Tracker,
    imu_rows,
    no_camera_rows,
    outage_rows,
    path_prediction,
    path_rows,
    position_prediction,
    position_rows,
    track_walks,
)
from utt_ros.evaluation.trained_models import Study
from utt_ros.geometry.range_survey import survey_ranges
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.twin import UnifiedTwin
from utt_ros.sessions.range_samples import seen_ranges
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.data_statistics import mean_position
from utt_ros.training.recordings import RecordedSequence, Recordings
from utt_ros.twin.graph_layout import MIN_SEVERAL
from utt_ros.twin.range_offsets import RangeOffsets
from utt_ros.twin.surveyed_offsets import surveyed_offsets
from utt_ros.types import Array, FloatArray, MaskArray

OUTAGES_S = (5.0, 15.0, 30.0)
TWIN_SOURCES = 'camera+ftm+imu'
IMU_SOURCES = 'camera+ftm'


def tasks_units(study: Study) -> list[Unit]:
    """List units by method, task and seed; baselines do not depend on seeds.

    The first task of a seed trains its model; units that would wait for that come last.
    """
    def of_twins(part: str, task: Callable[[Study, int], UnitResult]) -> list[Unit]:
        return [Unit(f'{TASKS_SUITE}-{part}-utt-seed{seed}', partial(task, study, seed))
                for seed in study.seeds]

    of_baselines = [Unit(f'{TASKS_SUITE}-{name}', partial(_baseline, study, name))
                    for name in BASELINES.names()]
    return [*of_twins('follow', _twin_tracks), *of_baselines,
            Unit(f'{TASKS_SUITE}-imu-floors', partial(_imu_baselines, study)),
            *of_twins('outages', _twin_outages), *of_twins('aps', _twin_access_points),
            *of_twins('imu', _twin_imu)]


def twin_tracker(
    twin: UnifiedTwin, window: WindowSettings, offsets: Mapping[str, RangeOffsets] | None = None,
) -> Tracker:
    """Make a tracker of the live engine with this model, and offsets of ranges by area."""
    export = cache(partial(export_onnx, twin))

    def track(
        recording: RecordedSequence, walks: Sequence[SubjectTrajectory], off: MaskArray,
    ) -> list[TrackEstimate]:
        batches = mask_camera(recording.batches, off)
        graph = export(min(len(recording.area.ap_positions), MIN_SEVERAL))
        known = (offsets or {}).get(recording.area.area)
        return replay_engine(recording.area, window, graph, batches, walks,
                             belief=recording.belief, offsets=known)
    return track


def baseline_tracker(baseline: Baseline, window: WindowSettings) -> Tracker:
    """Make a tracker of a baseline, one subject after the other."""
    def track(
        recording: RecordedSequence, walks: Sequence[SubjectTrajectory], off: MaskArray,
    ) -> list[TrackEstimate]:
        return [baseline.estimate(recording.area, mask_trajectory_camera(walk, off), window)
                for walk in walks]
    return track


def _twin(study: Study, seed: int) -> tuple[Tracker, TaskLabel]:
    twin = study.deployed(seed)
    label = TaskLabel('utt', TWIN_SOURCES, twin.settings.fusor, seed)
    return twin_tracker(twin, study.data.window), label


def _twin_tracks(study: Study, seed: int) -> UnitResult:
    """Positions, intervals and paths of the twin."""
    tracker, label = _twin(study, seed)
    window = study.data.window
    tracked = list(track_walks(study.data, study.split, tracker))
    if not tracked:
        return UnitResult(())
    others = list(track_walks(study.data, _other_split(study), tracker))
    rows = [*position_rows(tracked, label), *path_rows(tracked, others, label, window)]
    predictions = (position_prediction(tracked, label, _mean_position(study)),
                   path_prediction(tracked, label, window))
    return UnitResult(tuple(rows), predictions)


def _twin_outages(study: Study, seed: int) -> UnitResult:
    return _outages(study, *_twin(study, seed))


def _twin_access_points(study: Study, seed: int) -> UnitResult:
    """Positions without a camera, with the first one, two, ... of the access points.

    Once without offsets of ranges, and once with those that a survey of the train split finds:
    in areas where it finds them.
    """
    _, label = _twin(study, seed)
    data, rows = study.data, []
    most = max((len(item.area.ap_positions) for item in data.of(study.split)), default=1)
    surveyed = {name: found for name, area in data.areas.items()
                if most > 1 and (found := _survey_offsets(data, area)) is not None}
    for suffix, offsets in (('', None), *([('_surveyed', surveyed)] if surveyed else [])):
        tracker = twin_tracker(study.deployed(seed), data.window, offsets)
        for count in range(1, most + 1) if most > 1 else ():
            kept = replace(data, recordings=tuple(
                keep_access_points(item, count) for item in data.of(study.split)
                if offsets is None or item.area.area in offsets))
            tracked = list(track_walks(kept, study.split, tracker, inf))
            target = f'camera_off_{count}_aps{suffix}'
            rows += no_camera_rows(tracked, label, target) if tracked else []
    return UnitResult(tuple(rows))


def _survey_offsets(data: Recordings, area: AreaSettings) -> RangeOffsets | None:
    """Fit offsets of access points to walks of the train split; None where they tell too little.

    Not those of phones: in recordings of others a name need not be that of a phone.
    """
    try:
        samples = seen_ranges([item.session for item in data.of('train', area.area)], area)
        places = {address: np.asarray(position) for address, position in zip(
            samples.addresses, area.ap_positions, strict=False)}
        survey = survey_ranges(samples, places, area.phone_height, 0.0)
    except MeasurementError:
        return None
    return replace(surveyed_offsets(survey), phones=())


def _twin_imu(study: Study, seed: int) -> UnitResult:
    """IMU synthesized from camera and ranges, and activity recognition trained on it."""
    tracker, whole = _twin(study, seed)
    tracked, training = (list(track_walks(study.data, split, tracker))
                         for split in (study.split, 'train'))
    if not tracked or not (training or study.statistics):
        return UnitResult(())
    rows: list[Row] = []
    for method, part in ((whole.method, 'imu'), (f'{whole.method}_mean', 'imu_mean')):
        label = TaskLabel(method, IMU_SOURCES, whole.fusor, seed)
        synthesized, learned = (
            [_imu(item, part) for item in walks] for walks in (tracked, training))
        rows += imu_rows(tracked, synthesized, label, study.data.window)
        if training:
            rows += _activity(study, tracked, training, learned, label)
    return UnitResult(tuple(rows))


def _baseline(study: Study, name: str) -> UnitResult:
    window, baseline = study.data.window, BASELINES[name]
    tracker = baseline_tracker(baseline, window)
    label = TaskLabel(name, baseline.sources, 'none', study.seeds[0])
    tracked = list(track_walks(study.data, study.split, tracker))
    if not tracked:
        return UnitResult(())
    rows = [] if baseline.reads_truth else position_rows(tracked, label)
    if baseline.predicts:
        others = list(track_walks(study.data, _other_split(study), tracker))
        rows += path_rows(tracked, others, label, window)
    if baseline.survives_outages:
        rows += _outages(study, tracker, label).rows
    return UnitResult(tuple(rows))


def _outages(study: Study, tracker: Tracker, label: TaskLabel) -> UnitResult:
    rows: list[Row] = []
    for length_s in OUTAGES_S:
        tracked = list(track_walks(study.data, study.split, tracker, length_s))
        rows += outage_rows(tracked, label, length_s) if tracked else []
    tracked = list(track_walks(study.data, study.split, tracker, inf))
    return UnitResult((*rows, *(no_camera_rows(tracked, label) if tracked else [])))


def _imu_baselines(study: Study) -> UnitResult:
    """The mean, the differentiated path and, for activity recognition, the measured IMU."""
    window = study.data.window
    tracker = baseline_tracker(BASELINES['kalman_camera'], window)
    tracked, training = (list(track_walks(study.data, split, tracker))
                         for split in (study.split, 'train'))
    if not tracked or not (training or study.statistics):
        return UnitResult(())
    mean, field = _imu_means(study, training)
    rows = []
    for method, sources, make in (
        ('mean', 'none', lambda item: np.broadcast_to(mean, item.walk.imu.shape)),
        ('differentiated', 'camera', lambda item: synthesized_imu.differentiate_path(
            item.track, item.recording.area, window, field)),
        ('real', 'imu', lambda item: item.walk.imu),
    ):
        label = TaskLabel(method, sources, 'none', study.seeds[0])
        if method != 'real':
            rows += imu_rows(tracked, [make(item) for item in tracked], label, window)
        if training:
            rows += _activity(study, tracked, training, [make(item) for item in training], label)
    return UnitResult(tuple(rows))


def _imu_means(
    study: Study, training: Sequence[TrackedWalk],
) -> tuple[FloatArray, tuple[float, float]]:
    """Means of IMU channels (9,), and of the horizontal and upward magnetic field [T]."""
    if study.statistics is not None:
        horizontal, up = study.statistics.magnetic_field or (nan, nan)
        given = study.statistics.means.get('imu', [nan] * 9)
        return np.array(given, np.float32), (horizontal, up)
    walks = [item.walk for item in training]
    mean: FloatArray = np.concatenate([walk.imu[walk.imu_mask] for walk in walks]).mean(0)
    return mean, synthesized_imu.mean_magnetic_field(walks)


def _activity(
    study: Study, tracked: Sequence[TrackedWalk], training: Sequence[TrackedWalk],
    learned: Sequence[FloatArray], label: TaskLabel,
) -> list[Row]:
    """Train on IMU synthesized for the train split, test on the measured IMU of the other."""
    window = study.data.window
    train = activity.concatenate_examples([
        activity.activity_examples(item.walk, imu, synthesized_imu.has_source(item.walk, window))
        for item, imu in zip(training, learned, strict=True)])
    test = activity.concatenate_examples([
        activity.activity_examples(
            item.walk, item.walk.imu, synthesized_imu.has_source(item.walk, window))
        for item in tracked])
    score = {'balanced_accuracy': activity.balanced_accuracy(train, test)}
    return label.rows('activity', 'walking', score, len(test[1]))


def _imu(tracked: TrackedWalk, part: str) -> FloatArray:
    imu: FloatArray | None = getattr(tracked.track, part)
    return np.full_like(tracked.walk.imu, np.nan) if imu is None else imu


def _other_split(study: Study) -> str:
    """Split whose path deviations are sampled."""
    return 'train' if study.split == 'val' else 'val'


def _mean_position(study: Study) -> Array:
    if study.statistics is None:
        return mean_position(study.data)
    return np.asarray(study.statistics.position or np.full(2, np.nan))
