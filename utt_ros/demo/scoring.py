"""How far live predictions are from the truth, and how late they come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from utt_ros.evaluation import ground_truth
from utt_ros.evaluation.metrics import position
from utt_ros.types import Session

JUMP_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Predictions:
    """Positions that one area's twin published, N in all, in any order."""

    subjects: npt.NDArray[np.str_]  # (N,)
    stamps_ns: npt.NDArray[np.int64]  # (N,) measurement time
    positions_m: npt.NDArray[np.float64]  # (N, 2) area frame
    covariances_m2: npt.NDArray[np.float64]  # (N, 2, 2)
    received_ns: npt.NDArray[np.int64]  # (N,) wall clock; 0 when computed offline


@dataclass(frozen=True, slots=True)
class Scores:
    """One row per prediction for which the truth is known."""

    subjects: npt.NDArray[np.str_]  # (N,)
    stamps_ns: npt.NDArray[np.int64]  # (N,)
    positions_m: npt.NDArray[np.float64]  # (N, 2)
    truth_m: npt.NDArray[np.float64]  # (N, 2)
    camera_age_s: npt.NDArray[np.float64]  # (N,) since the camera saw the subject; inf: never
    error_m: npt.NDArray[np.float64]  # (N,) 2-D position error [m]
    square: npt.NDArray[np.float64]  # (N,) squared Mahalanobis distance of the truth


def score(predictions: Predictions, session: Session, *, use_camera: bool) -> Scores:
    """Compare predictions with the truth of their session, interpolated to their stamps."""
    parts = [
        _score_subject(predictions, session, subject, use_camera=use_camera)
        for subject in sorted(set(predictions.subjects) & set(session.truth))
    ]
    if not parts:
        empty = np.zeros((0, 2))
        nothing = np.zeros(0)
        return Scores(
            np.zeros(0, '<U1'), np.zeros(0, np.int64), empty, empty, nothing, nothing, nothing
        )
    return concatenate(parts)


def concatenate(parts: list[Scores]) -> Scores:
    """All rows of several scores."""
    return Scores(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Scores.__slots__)
    )


def _score_subject(
    predictions: Predictions, session: Session, subject: str, *, use_camera: bool
) -> Scores:
    rows = np.flatnonzero(predictions.subjects == subject)
    truth = session.truth[subject]
    stamps = predictions.stamps_ns[rows]
    truth_m = ground_truth.truth_at(truth, stamps)
    known = np.isfinite(truth_m).all(1)
    rows, stamps = rows[known], stamps[known]
    positions_m = predictions.positions_m[rows]
    return Scores(
        subjects=predictions.subjects[rows],
        stamps_ns=stamps,
        positions_m=positions_m,
        truth_m=truth_m[known],
        camera_age_s=_camera_age(session, subject, stamps, use_camera=use_camera),
        error_m=position.position_errors(truth, stamps, positions_m),
        square=position.squared_mahalanobis(
            truth, stamps, positions_m, predictions.covariances_m2[rows]),
    )


def _camera_age(
    session: Session, subject: str, stamps: npt.NDArray[np.int64], *, use_camera: bool
) -> npt.NDArray[np.float64]:
    """Seconds since the camera last saw the subject, (N,)."""
    frames = session.frames
    if frames is None or not use_camera:
        return np.full(len(stamps), np.inf)
    frame_of_box = np.repeat(np.arange(len(frames.stamps_ns)), np.diff(frames.starts))
    seen = frames.stamps_ns[frame_of_box[np.asarray(frames.subjects) == subject]]
    return ground_truth.seconds_since(stamps, seen)


def summarise(scores: Scores) -> dict[str, dict[str, float] | None]:
    """Median and 90th percentile of the error [m], with and without a camera in the last 0.5 s."""
    conditions = position.camera_conditions(scores.camera_age_s)
    return {name: _quantiles(scores, conditions[name]) for name in ('camera', 'no_camera')}


def _quantiles(scores: Scores, rows: npt.NDArray[np.bool_]) -> dict[str, float] | None:
    if not rows.any():
        return None
    quantiles = position.error_quantiles(scores.error_m[rows])
    return {
        'median': quantiles['median_m'],
        'p90': quantiles['p90_m'],
        'covered_90': position.coverage_90(scores.square[rows]),
        'n': int(rows.sum()),
    }


def segments(clock: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Cut a clock (M, 2), replayed time and wall time [ns], where another bag begins.

    Between bags replayed time jumps back, or further ahead than wall time. The latter also happens
    within a bag, when a busy machine hears of much at once: see `join`.
    """
    replayed, wall = np.diff(clock, axis=0).T
    return np.split(clock, np.flatnonzero((replayed < 0) | (replayed - wall > JUMP_NS)) + 1)


def join(
    parts: Sequence[npt.NDArray[np.int64]], ends_ns: Sequence[int],
) -> list[npt.NDArray[np.int64]]:
    """Segments by bag: one that goes on before the end of its bag, of `ends_ns`, belongs to it."""
    joined = list(parts[:1])
    for part in parts[1:]:
        end_ns = ends_ns[len(joined) - 1] if len(joined) <= len(ends_ns) else 0
        if joined[-1][-1, 0] < part[0, 0] < end_ns:
            joined[-1] = np.concatenate([joined[-1], part])
        else:
            joined.append(part)
    return joined


def during(predictions: Predictions, segment: npt.NDArray[np.int64]) -> Predictions:
    """The predictions that arrived while one bag was replayed, and are of its time."""
    (first_ns, begin_ns), (last_ns, end_ns) = segment[0], segment[-1]
    rows = (predictions.received_ns >= begin_ns) & (predictions.received_ns <= end_ns + JUMP_NS)
    rows &= (predictions.stamps_ns >= first_ns) & (predictions.stamps_ns <= last_ns)
    return Predictions(*(getattr(predictions, name)[rows] for name in Predictions.__slots__))


def latency_ms(
    predictions: Predictions, clock: npt.NDArray[np.int64], rate: float = 1.0,
) -> Mapping[str, float] | None:
    """Percentiles of the wall time from a tick's stamp to the arrival of its position [ms].

    Replay has a constant rate, so wall time = replayed time / rate + an offset; the least delayed
    clock message gives the offset. The result is short of that message's own transport, a fraction
    of a millisecond.
    """
    late_ns = [np.zeros(0, np.int64)]
    for segment in segments(clock):
        found = during(predictions, segment)
        first_ns, begin_ns = segment[0]
        offset_ns = np.min(segment[:, 1] - begin_ns - (segment[:, 0] - first_ns) / rate)
        due_ns = (found.stamps_ns - first_ns) / rate + offset_ns
        late_ns.append(found.received_ns - begin_ns - due_ns)
    values = np.concatenate(late_ns) / 1e6
    if not len(values):
        return None
    p50, p99 = np.quantile(values, (0.5, 0.99))
    return {'p50': float(p50), 'p99': float(p99), 'n': len(values)}
