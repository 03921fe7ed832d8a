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

"""Downstream tasks of one method over a split: tracks of all subjects, and their rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from utt_ros.evaluation import outages
from utt_ros.evaluation.ground_truth import (
    SubjectTrajectory,
    TrackEstimate,
    subject_trajectories,
)
from utt_ros.evaluation.metrics import position, synthesized_imu, trajectory
from utt_ros.evaluation.results import Prediction, Row
from utt_ros.settings import WindowSettings
from utt_ros.training.recordings import RecordedSequence, Recordings
from utt_ros.types import Array, FloatArray, MaskArray

Tracker = Callable[
    [RecordedSequence, Sequence[SubjectTrajectory], MaskArray], list[TrackEstimate]]
"""Estimates the tracks of a sequence whose camera is off at the ticks of a mask (T,)."""

TASKS_SUITE = 'tasks'
SETTLED_S = 15.0  # without any camera a walk counts from then on
NO_MEAN = np.zeros(2)


@dataclass(frozen=True, slots=True)
class TaskLabel:
    """Method, sources, fusor and seed of rows of the tasks suite."""

    method: str
    sources: str
    fusor: str
    seed: int

    def rows(
        self, operation: str, target: str, metrics: Mapping[str, float], count: int,
    ) -> list[Row]:
        """Make one row per metric; `count` is the number of samples behind it."""
        return [Row(TASKS_SUITE, self.method, operation, self.sources, target, self.fusor,
                    self.seed, name, value, count) for name, value in metrics.items()]


@dataclass(frozen=True, slots=True)
class TrackedWalk:
    """Trajectory of a subject, its estimate by a method, and the outages of the camera."""

    recording: RecordedSequence
    walk: SubjectTrajectory
    track: TrackEstimate
    off: MaskArray  # of the session's ticks

    @property
    def names(self) -> tuple[str, str]:
        """Return the names of sequence and subject."""
        return self.recording.sequence, self.walk.subject


def track_walks(
    data: Recordings, split: str, tracker: Tracker, outage_s: float | None = None,
) -> Iterator[TrackedWalk]:
    """Estimate every trajectory of a split; with outages of `outage_s` (inf: no camera at all)."""
    for recording in data.of(split):
        walks = subject_trajectories(recording.batches, recording.session.truth)
        if not walks:
            continue
        stamps = np.array([batch.stamp_ns for batch in recording.batches], np.int64)
        off = (np.zeros(len(stamps), bool) if outage_s is None
               else outages.outage_mask(stamps, outage_s))
        for walk, track in zip(walks, tracker(recording, walks, off), strict=True):
            yield TrackedWalk(
                recording, outages.mask_trajectory_camera(walk, off), track, off)


def position_rows(tracked: Sequence[TrackedWalk], label: TaskLabel) -> list[Row]:
    """Compute errors and intervals by camera condition."""
    ages = np.concatenate([item.walk.camera_age_s() for item in tracked])
    rows = []
    for name, selected in position.camera_conditions(ages).items():
        rows += _rows_where(tracked, selected, label, 'position', name)
    return rows


def outage_rows(
    tracked: Sequence[TrackedWalk], label: TaskLabel, length_s: float,
) -> list[Row]:
    """Compute errors and intervals in outages, and in the last second of outages."""
    gone = [outages.in_outage(item.walk, item.off)
            & position.camera_conditions(item.walk.camera_age_s())['no_camera']
            for item in tracked]
    late = [selected & (item.walk.camera_age_s() > length_s - 1.0)
            for item, selected in zip(tracked, gone, strict=True)]
    name = f'outage_{length_s:g}s'
    return [*_rows_where(tracked, np.concatenate(gone), label, 'position', name),
            *_rows_where(tracked, np.concatenate(late), label, 'position', f'{name}_end')]


def no_camera_rows(
    tracked: Sequence[TrackedWalk], label: TaskLabel, target: str = 'camera_off',
) -> list[Row]:
    """Compute errors and intervals of walks without any camera, after SETTLED_S."""
    settled = [(item.walk.stamps_ns - item.walk.stamps_ns[0]) / 1e9 > SETTLED_S
               for item in tracked]
    return _rows_where(tracked, np.concatenate(settled), label, 'position', target)


def path_rows(
    tracked: Sequence[TrackedWalk], others: Sequence[TrackedWalk], label: TaskLabel,
    window: WindowSettings,
) -> list[Row]:
    """Compute ADE and FDE of paths and, where there are `others`, the minimum ADE of 20 samples.

    The deviations of samples are drawn from those of `others`.
    """
    rows = []
    for name, ticks in trajectory.horizons(window.period).items():
        starts, predicted, true = _paths(tracked, window, ticks)
        distance = np.linalg.norm(predicted - true, axis=2)
        metrics = {'ade_m': _mean(distance), 'fde_m': _mean(distance[:, -1:])}
        if others:
            bank = trajectory.path_deviations(*_paths(others, window, ticks))
            best = trajectory.best_of_samples(starts, predicted, true, bank, label.seed)
            metrics['min_ade_20_m'] = _mean(best)
        rows += label.rows('trajectory', name, metrics, len(predicted))
    return rows


def imu_rows(
    tracked: Sequence[TrackedWalk], synthesized: Sequence[FloatArray], label: TaskLabel,
    window: WindowSettings,
) -> list[Row]:
    """Compute RMSE, Pearson's r and step frequency errors of synthesized IMU (T, C, 9) by walk."""
    pairs, frequencies = [], []
    for item, imu in zip(tracked, synthesized, strict=True):
        known = synthesized_imu.has_source(item.walk, window) & np.isfinite(imu).all(2)
        pairs.append((imu[known], item.walk.imu[known]))
        frequencies.append(
            synthesized_imu.step_frequency_errors(imu, item.walk.imu, known, window))
    predicted, measured = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    errors = np.concatenate(frequencies)
    similarity = synthesized_imu.imu_similarity(predicted, measured)
    return [*label.rows('imu', 'imu', similarity, len(measured)),
            *label.rows('imu', 'imu', {'step_frequency_error_hz': _mean(errors)}, len(errors))]


def position_prediction(
    tracked: Sequence[TrackedWalk], label: TaskLabel, mean: Array,
) -> Prediction:
    """Collect positions (N, 1, 2) with their standard deviations."""
    predicted = np.concatenate([item.track.position for item in tracked])
    true = np.concatenate([item.walk.truth_m() for item in tracked]).astype(np.float32)
    variance = np.concatenate([
        np.diagonal(item.track.covariance, axis1=1, axis2=2) for item in tracked])
    return _prediction('position', label, tracked, predicted[:, None], true[:, None], mean=mean,
                       std=np.sqrt(np.maximum(variance, 0.0))[:, None])


def path_prediction(
    tracked: Sequence[TrackedWalk], label: TaskLabel, window: WindowSettings,
) -> Prediction:
    """Collect predicted displacements (N, H, 2) at the next H ticks."""
    predicted = np.concatenate([
        item.track.future_displacements for item in tracked
        if item.track.future_displacements is not None])
    true = np.concatenate([
        item.walk.future_m(window.period, window.horizon) - item.walk.truth_m()[:, None]
        for item in tracked]).astype(np.float32)
    return _prediction('trajectory', label, tracked, predicted, true)


def _prediction(
    operation: str, label: TaskLabel, tracked: Sequence[TrackedWalk], predicted: FloatArray,
    true: FloatArray, *, mean: Array = NO_MEAN, std: FloatArray | None = None,
) -> Prediction:
    known = np.isfinite(predicted) & np.isfinite(true)
    counts = [len(item.walk.stamps_ns) for item in tracked]
    sequence, subject = (
        np.repeat([item.names[part] for item in tracked], counts) for part in (0, 1))
    return Prediction(
        f'{TASKS_SUITE}-{operation}-{label.method}-seed{label.seed}',
        np.where(known, predicted, 0.0), np.where(known, true, 0.0), known, mean,
        operation, label.sources, 'position' if operation == 'position' else 'trajectory',
        sequence, subject, np.concatenate([item.walk.stamps_ns for item in tracked]),
        None if std is None else np.where(known, std, 0.0).astype(np.float32))


def _rows_where(
    tracked: Sequence[TrackedWalk], selected: MaskArray, label: TaskLabel, operation: str,
    target: str,
) -> list[Row]:
    errors = [position.track_errors(item.track, item.walk) for item in tracked]
    error = np.concatenate(errors)[selected]
    if not np.isfinite(error).any():
        return []
    likelihoods = [position.track_likelihoods(item.track, item.walk) for item in tracked]
    square, nll = (np.concatenate(parts)[selected] for parts in zip(*likelihoods, strict=True))
    rows = label.rows(operation, target, position.error_quantiles(error),
                      int(np.isfinite(error).sum()))
    if np.isfinite(square).any():
        rows += label.rows('interval', target, position.interval_metrics(square, nll),
                           int(np.isfinite(square).sum()))
    return rows


def _paths(
    tracked: Sequence[TrackedWalk], window: WindowSettings, ticks: int,
) -> tuple[Array, Array, Array]:
    """Starts (N, 2), predicted and true paths (N, `ticks`, 2) of all evaluated ticks."""
    starts: list[Array] = [np.zeros((0, 2))]
    predicted: list[Array] = []
    true: list[Array] = []
    for item in tracked:
        future = item.walk.future_m(window.period, ticks)
        selected = trajectory.evaluated_ticks(item.track, item.walk, future)
        if selected.any():
            starts.append(item.track.position[selected].astype(np.float64))
            predicted.append(trajectory.predicted_paths(item.track, ticks)[selected])
            true.append(future[selected])
    return (np.concatenate(starts), trajectory.concatenate_paths(predicted, ticks),
            trajectory.concatenate_paths(true, ticks))


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else float('nan')
