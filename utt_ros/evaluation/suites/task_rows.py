"""Downstream tasks of one method over a split: tracks of all walks, and rows of what they are."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from utt_ros.evaluation import outages
from utt_ros.evaluation.ground_truth import Track, Walk, cut_walks
from utt_ros.evaluation.metrics import position, synthesized_imu, trajectory
from utt_ros.evaluation.results import Made, Row
from utt_ros.settings import WindowSettings
from utt_ros.training.recordings import Data, Recording
from utt_ros.types import Array, FloatArray, MaskArray

Tracker = Callable[[Recording, Sequence[Walk], MaskArray], list[Track]]
"""What a method says of the walks of a recording whose camera is off at some ticks."""

SUITE = 'tasks'
SETTLED_S = 15.0  # without any camera a walk counts from then on
NOBODY = np.zeros(2)


@dataclass(frozen=True, slots=True)
class Label:
    """What rows of a method are called."""

    method: str
    sources: str
    fusor: str
    seed: int

    def rows(
        self, operation: str, target: str, metrics: Mapping[str, float], count: int,
    ) -> list[Row]:
        """One per metric; `count` is what it is the metric of."""
        return [Row(SUITE, self.method, operation, self.sources, target, self.fusor, self.seed,
                    name, value, count) for name, value in metrics.items()]


@dataclass(frozen=True, slots=True)
class Followed:
    """A walk, what a method said of it, and when the camera of its session was off."""

    recording: Recording
    walk: Walk
    track: Track
    off: MaskArray  # of the session's ticks

    @property
    def names(self) -> tuple[str, str]:
        """Sequence and subject."""
        return self.recording.sequence, self.walk.subject


def follow_all(
    data: Data, split: str, tracker: Tracker, outage_s: float | None = None,
) -> Iterator[Followed]:
    """Every walk of a split whose truth is known; with outages of some length (inf: no camera)."""
    for recording in data.of(split):
        walks = cut_walks(recording.batches, recording.session.truth)
        if not walks:
            continue
        stamps = np.array([batch.stamp_ns for batch in recording.batches], np.int64)
        off = (np.zeros(len(stamps), bool) if outage_s is None
               else outages.outage_mask(stamps, outage_s))
        for walk, track in zip(walks, tracker(recording, walks, off), strict=True):
            yield Followed(recording, outages.blind_walk(walk, off), track, off)


def position_rows(found: Sequence[Followed], label: Label) -> list[Row]:
    """Errors and intervals by what the camera does."""
    ages = np.concatenate([each.walk.camera_age_s() for each in found])
    rows = []
    for name, chosen in position.camera_conditions(ages).items():
        rows += _rows_where(found, chosen, label, 'position', name)
    return rows


def outage_rows(found: Sequence[Followed], label: Label, length_s: float) -> list[Row]:
    """Errors and intervals in outages: while the camera is gone, and in the last second."""
    gone = [outages.overtaken(each.walk, each.off)
            & position.camera_conditions(each.walk.camera_age_s())['no_camera'] for each in found]
    late = [chosen & (each.walk.camera_age_s() > length_s - 1.0)
            for each, chosen in zip(found, gone, strict=True)]
    name = f'outage_{length_s:g}s'
    return [*_rows_where(found, np.concatenate(gone), label, 'position', name),
            *_rows_where(found, np.concatenate(late), label, 'position', f'{name}_end')]


def blind_rows(found: Sequence[Followed], label: Label) -> list[Row]:
    """Errors and intervals where there never was a camera."""
    settled = [(each.walk.stamps_ns - each.walk.stamps_ns[0]) / 1e9 > SETTLED_S for each in found]
    return _rows_where(found, np.concatenate(settled), label, 'position', 'camera_off')


def path_rows(
    found: Sequence[Followed], others: Sequence[Followed], label: Label, window: WindowSettings,
) -> list[Row]:
    """ADE and FDE of paths, and the least ADE of 20 samples; deviations come from `others`."""
    rows = []
    for name, ticks in trajectory.horizons(window.period).items():
        starts, predicted, true = _paths(found, window, ticks)
        bank = trajectory.deviations(*_paths(others, window, ticks))
        distance = np.linalg.norm(predicted - true, axis=2)
        best = trajectory.best_of_samples(starts, predicted, true, bank, label.seed)
        metrics = {'ade_m': _mean(distance), 'fde_m': _mean(distance[:, -1:]),
                   'min_ade_20_m': _mean(best)}
        rows += label.rows('trajectory', name, metrics, len(predicted))
    return rows


def imu_rows(
    found: Sequence[Followed], made: Sequence[FloatArray], label: Label, window: WindowSettings,
) -> list[Row]:
    """RMSE, Pearson's r and the frequency of steps of synthesized IMU (T, C, 9) per walk."""
    pieces, frequencies = [], []
    for each, imu in zip(found, made, strict=True):
        known = synthesized_imu.sourced(each.walk, window) & np.isfinite(imu).all(2)
        pieces.append((imu[known], each.walk.imu[known]))
        frequencies.append(
            synthesized_imu.step_frequency_errors(imu, each.walk.imu, known, window))
    synthesized, real = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    errors = np.concatenate(frequencies)
    return [*label.rows('imu', 'imu', synthesized_imu.likeness(synthesized, real), len(real)),
            *label.rows('imu', 'imu', {'step_frequency_error_hz': _mean(errors)}, len(errors))]


def made_positions(found: Sequence[Followed], label: Label, mean: Array) -> Made:
    """Positions (N, 1, 2) with their deviations."""
    said = np.concatenate([each.track.position for each in found])
    true = np.concatenate([each.walk.truth_m() for each in found]).astype(np.float32)
    variance = np.concatenate([
        np.diagonal(each.track.covariance, axis1=1, axis2=2) for each in found])
    return _made('position', label, found, said[:, None], true[:, None], mean=mean,
                 std=np.sqrt(np.maximum(variance, 0.0))[:, None])


def made_paths(found: Sequence[Followed], label: Label, window: WindowSettings) -> Made:
    """Displacements (N, H, 2) of the next ticks, as the model says them."""
    ahead = np.concatenate([each.track.ahead for each in found if each.track.ahead is not None])
    true = np.concatenate([
        each.walk.future_m(window.period, window.horizon) - each.walk.truth_m()[:, None]
        for each in found]).astype(np.float32)
    return _made('trajectory', label, found, ahead, true)


def _made(
    operation: str, label: Label, found: Sequence[Followed], said: FloatArray, true: FloatArray,
    *, mean: Array = NOBODY, std: FloatArray | None = None,
) -> Made:
    known = np.isfinite(said) & np.isfinite(true)
    counts = [len(each.walk.stamps_ns) for each in found]
    sequence, subject = (
        np.repeat([each.names[part] for each in found], counts) for part in (0, 1))
    return Made(
        f'{SUITE}-{operation}-{label.method}-seed{label.seed}',
        np.where(known, said, 0.0), np.where(known, true, 0.0), known, mean,
        operation, label.sources, 'position' if operation == 'position' else 'trajectory',
        sequence, subject, np.concatenate([each.walk.stamps_ns for each in found]),
        None if std is None else np.where(known, std, 0.0).astype(np.float32))


def _rows_where(
    found: Sequence[Followed], chosen: MaskArray, label: Label, operation: str, target: str,
) -> list[Row]:
    errors = [position.track_errors(each.track, each.walk) for each in found]
    error = np.concatenate(errors)[chosen]
    if not np.isfinite(error).any():
        return []
    surprises = [position.track_likelihoods(each.track, each.walk) for each in found]
    square, likelihood = (np.concatenate(parts)[chosen] for parts in zip(*surprises, strict=True))
    rows = label.rows(operation, target, position.error_quantiles(error),
                      int(np.isfinite(error).sum()))
    if np.isfinite(square).any():
        rows += label.rows('interval', target, position.interval_metrics(square, likelihood),
                           int(np.isfinite(square).sum()))
    return rows


def _paths(
    found: Sequence[Followed], window: WindowSettings, ticks: int,
) -> tuple[Array, Array, Array]:
    """Starts (N, 2), predicted and true paths (N, `ticks`, 2) of all ticks that are judged."""
    starts: list[Array] = [np.zeros((0, 2))]
    predicted: list[Array] = []
    true: list[Array] = []
    for each in found:
        future = each.walk.future_m(window.period, ticks)
        chosen = trajectory.judged(each.track, each.walk, future)
        if chosen.any():
            starts.append(each.track.position[chosen].astype(np.float64))
            predicted.append(trajectory.paths(each.track, ticks)[chosen])
            true.append(future[chosen])
    return (np.concatenate(starts), trajectory.collect(predicted, ticks),
            trajectory.collect(true, ticks))


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else float('nan')

