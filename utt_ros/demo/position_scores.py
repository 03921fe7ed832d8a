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

"""Published positions compared with the ground truth of their session."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from utt_ros.evaluation import ground_truth
from utt_ros.evaluation.metrics import position
from utt_ros.types import Array, Session, Stamps


@dataclass(frozen=True, slots=True)
class PublishedPositions:
    """Positions published by the twin of one area, N in all, in any order."""

    subjects: npt.NDArray[np.str_]  # (N,)
    stamps_ns: Stamps  # (N,) measurement time
    positions_m: Array  # (N, 2) area frame
    covariances_m2: Array  # (N, 2, 2)
    received_ns: Stamps  # (N,) wall clock; 0 when computed offline


@dataclass(frozen=True, slots=True)
class PositionScores:
    """Errors of N positions whose ground truth is known."""

    subjects: npt.NDArray[np.str_]  # (N,)
    stamps_ns: Stamps  # (N,)
    positions_m: Array  # (N, 2)
    truth_m: Array  # (N, 2)
    camera_age_s: Array  # (N,) since the last box of the subject; inf: none
    error_m: Array  # (N,) 2-D position error [m]
    square: Array  # (N,) squared Mahalanobis distance of the truth


def score_positions(
    positions: PublishedPositions, session: Session, *, use_camera: bool,
) -> PositionScores:
    """Compare positions with the ground truth of their session, interpolated to their stamps."""
    parts = [
        _score_subject(positions, session, subject, use_camera=use_camera)
        for subject in sorted(set(positions.subjects) & set(session.truth))]
    if parts:
        return concatenate_scores(parts)
    empty, points = np.zeros(0), np.zeros((0, 2))
    return PositionScores(
        np.zeros(0, '<U1'), np.zeros(0, np.int64), points, points, empty, empty, empty)


def concatenate_scores(parts: Sequence[PositionScores]) -> PositionScores:
    """Concatenate the rows of several scores."""
    return PositionScores(*(
        np.concatenate([getattr(part, name) for part in parts])
        for name in PositionScores.__slots__))


def _score_subject(
    positions: PublishedPositions, session: Session, subject: str, *, use_camera: bool,
) -> PositionScores:
    rows = np.flatnonzero(positions.subjects == subject)
    truth = session.truth[subject]
    stamps_ns = positions.stamps_ns[rows]
    truth_m = ground_truth.truth_at(truth, stamps_ns)
    known = np.isfinite(truth_m).all(1)
    rows, stamps_ns = rows[known], stamps_ns[known]
    positions_m = positions.positions_m[rows]
    return PositionScores(
        subjects=positions.subjects[rows],
        stamps_ns=stamps_ns,
        positions_m=positions_m,
        truth_m=truth_m[known],
        camera_age_s=_camera_age_s(session, subject, stamps_ns, use_camera=use_camera),
        error_m=position.position_errors(truth, stamps_ns, positions_m),
        square=position.squared_mahalanobis(
            truth, stamps_ns, positions_m, positions.covariances_m2[rows]))


def _camera_age_s(
    session: Session, subject: str, stamps_ns: Stamps, *, use_camera: bool,
) -> Array:
    """Time (N,) [s] since the last box of the subject."""
    frames = session.frames
    if frames is None or not use_camera:
        return np.full(len(stamps_ns), np.inf)
    frame_of_box = np.repeat(np.arange(len(frames.stamps_ns)), np.diff(frames.starts))
    detected_ns = frames.stamps_ns[frame_of_box[np.asarray(frames.subjects) == subject]]
    return ground_truth.seconds_since(stamps_ns, detected_ns)


def summarize_scores(scores: PositionScores) -> dict[str, dict[str, float] | None]:
    """Median and 90th percentile of the error [m], with and without a camera in the last 0.5 s."""
    conditions = position.camera_conditions(scores.camera_age_s)
    return {name: _summary(scores, conditions[name]) for name in ('camera', 'no_camera')}


def _summary(
    scores: PositionScores, rows: npt.NDArray[np.bool_],
) -> dict[str, float] | None:
    if not rows.any():
        return None
    quantiles = position.error_quantiles(scores.error_m[rows])
    return {
        'median': quantiles['median_m'],
        'p90': quantiles['p90_m'],
        'covered_90': position.coverage_90(scores.square[rows]),
        'n': int(rows.sum()),
    }
