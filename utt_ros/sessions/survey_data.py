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

"""Measurements of recorded sessions, arranged for a survey of their area."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter
from scipy.signal import savgol_filter

from utt_ros.errors import MeasurementError
from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.camera_survey import WalkerBoxes
from utt_ros.geometry.compass import compass_headings
from utt_ros.geometry.yaw_survey import (
    HeadingSamples,
    YawFit,
    fit_yaw,
    heading_agreement,
    usable_angles,
)
from utt_ros.motion.step_axis import estimate_step_axis
from utt_ros.settings import AreaSettings
from utt_ros.types import NS_PER_S, Array, Frames, MaskArray, PhoneStreams, Session, Stamps

GRID_S = 0.1  # of positions, as frames of cameras
MAX_GAP_S = 0.5  # between boxes of one walk
COURSE_ROWS, COURSE_ORDER = 15, 2  # of the filter that differentiates positions
MEDIAN_ROWS = 5  # of the filter against single wrong depths
MIN_WALK_S = 3.0
MIN_WALK_MPS = 0.5  # slower people turn on the spot
SAMPLE_ROWS = 5  # of the grid per sample
IMU_PERIOD_S = 0.02
SPAN_ROWS = 500  # of IMU over which the drift of a gyroscope does not matter
MIN_TRACK_AGREEMENT = 0.9  # of a phone with the only track that follows it
AGREEMENT_MARGIN = 0.1  # by which any other phone agrees less
MAX_GUESS_RAD = 0.7  # of the difference from that of all walks


class SeenWalk(NamedTuple):
    """Walk of one person in view, on a grid of GRID_S."""

    name: str  # of the subject; empty when it has no label
    times_s: Array  # (N,)
    positions_m: Array  # (N, 2) area frame
    velocities_mps: Array  # (N, 2)


class CarriedWalk(NamedTuple):
    """Walk with a phone; guessed when neither a label nor the number of phones tells which."""

    session: int  # number of its session
    name: str  # of the phone
    walk: SeenWalk
    samples: HeadingSamples | None  # None without a compass
    guessed: bool


def walker_boxes(sessions: Sequence[Session]) -> WalkerBoxes:
    """Collect the boxes of all sessions; a walker is a subject, or else a track of one session.

    Raises MeasurementError when no session has a box.
    """
    boxes: list[Array] = []
    names: list[str] = []
    times_s: list[Array] = []
    for number, session in enumerate(sessions):
        if session.frames is None:
            continue
        frames = session.frames
        boxes.append(frames.boxes.astype(np.float64))
        names += [subject or f'{number}/{track}' for subject, track in zip(
            frames.subjects, frames.track_ids, strict=True)]
        times_s.append(np.repeat(frames.stamps_ns, np.diff(frames.starts)) / NS_PER_S)
    if not names:
        raise MeasurementError('no boxes of people: record while the camera sees somebody walk')
    _, walkers = np.unique(names, return_inverse=True)
    return WalkerBoxes(
        np.concatenate(boxes), walkers.astype(np.int64), np.concatenate(times_s))


def heading_samples(sessions: Sequence[Session], area: AreaSettings) -> HeadingSamples:
    """Collect compass headings and courses of phones while their carriers walk in view.

    A walk belongs to the phone that its label names. One without belongs to the only phone, or to
    the one whose compass follows its course while no other's does. Raises MeasurementError when
    no phone has a compass, or none was seen.
    """
    if not any(len(phone.magnetic) for session in sessions for phone in session.phones.values()):
        raise MeasurementError('no compass: no phone sent a magnetic field')
    parts = [(each.name, each.samples) for each in carried_walks(sessions, area)
             if each.samples is not None]
    if not parts:
        raise MeasurementError(
            'no walk with a compass: the camera saw nobody whose phone is known; record one '
            'person with one phone, or with labels')
    names = sorted({name for name, _ in parts})
    return HeadingSamples(
        np.concatenate([np.full(len(part.phones), names.index(name)) for name, part in parts]),
        np.concatenate([part.positions_m for _, part in parts]),
        np.concatenate([part.courses_rad for _, part in parts]),
        np.concatenate([part.compass_rad for _, part in parts]), tuple(names))


def survey_yaw(sessions: Sequence[Session], area: AreaSettings) -> tuple[YawFit, bool]:
    """Fit the yaw of an area; return whether steps told how phones were held.

    Raises MeasurementError.
    """
    samples = heading_samples(sessions, area)
    angles = usable_angles(carried_angles(sessions, samples.names))
    return fit_yaw(samples, angles), angles is not None


def carried_angles(sessions: Sequence[Session], names: Sequence[str]) -> Array:
    """Estimate the angles (P,) [rad] of phones from their carriers' courses by the step axis.

    Counter-clockwise; NaN for a phone that nobody walked with. Raises no error.
    """
    sums = dict.fromkeys(names, 0j)
    for session in sessions:
        for name, phone in session.phones.items():
            stamps = phone.inertial_stamps_ns
            if name in sums and len(stamps):
                times_s = np.arange(stamps[0], stamps[-1], IMU_PERIOD_S * NS_PER_S) / NS_PER_S
                sums[name] += estimate_step_axis(
                    _interpolate(times_s, stamps, phone.inertial), IMU_PERIOD_S)
    return np.array([-np.angle(total) / 2 if total else np.nan for total in sums.values()])


def seen_walks(frames: Frames, area: AreaSettings) -> Iterator[SeenWalk]:
    """Yield the walks of all subjects and unlabelled tracks, without gaps."""
    positions, covariances = CameraModel(area).locate(frames.boxes)
    usable = np.isfinite(positions).all(1) & np.isfinite(covariances).all((1, 2))
    times_s = np.repeat(frames.stamps_ns, np.diff(frames.starts)) / NS_PER_S
    keys = np.array([f'{subject}/' if subject else f'/{track}' for subject, track in zip(
        frames.subjects, frames.track_ids, strict=True)])
    for key in np.unique(keys):
        rows = np.flatnonzero((keys == key) & usable)
        for own in np.split(rows, np.flatnonzero(np.diff(times_s[rows]) > MAX_GAP_S) + 1):
            if len(own) and np.ptp(times_s[own]) >= MIN_WALK_S:
                yield _smooth_walk(key.partition('/')[0], times_s[own], positions[own])


def _smooth_walk(name: str, times_s: Array, positions_m: Array) -> SeenWalk:
    grid = np.arange(times_s[0], times_s[-1], GRID_S)
    steady = median_filter(positions_m, (MEDIAN_ROWS, 1), mode='nearest')
    on_grid = np.stack([np.interp(grid, times_s, axis) for axis in steady.T], axis=1)
    smooth, velocity = (
        savgol_filter(on_grid, COURSE_ROWS, COURSE_ORDER, deriv, GRID_S, axis=0)
        for deriv in (0, 1))
    return SeenWalk(name, grid, smooth, velocity)


def carried_walks(sessions: Sequence[Session], area: AreaSettings) -> list[CarriedWalk]:
    """Return the walks whose phone is known, or told by the compass that alone follows them.

    Without those whose phone was guessed, and turned out to be another one's: all differences of
    compass and course are the yaw, and angles of phones.
    """
    walks = [each for number, session in enumerate(sessions)
             for each in _carried(number, session, area)]
    turns = [0j if each.samples is None else
             np.exp(1j * (each.samples.compass_rad - each.samples.courses_rad)).sum()
             for each in walks]
    common = np.sum(turns)
    return [each for each, turn in zip(walks, turns, strict=True)
            if not each.guessed or abs(np.angle(turn * common.conj())) <= MAX_GUESS_RAD]


def _carried(number: int, session: Session, area: AreaSettings) -> Iterator[CarriedWalk]:
    """Yield the walks of a session with the phone that was carried."""
    if session.frames is None:
        return
    compasses = {name: compass for name, phone in session.phones.items()
                 if (compass := _compass(phone)) is not None}
    only = next(iter(session.phones)) if len(session.phones) == 1 else ''
    for walk in seen_walks(session.frames, area):
        offers = {name: part for name, (stamps, headings, valid) in compasses.items()
                  if walk.name in ('', name)
                  and (part := _compare(walk, stamps, headings, valid)) is not None}
        name = walk.name or only or _follower(offers)
        if name in session.phones:
            yield CarriedWalk(
                number, name, walk, offers.get(name), not (walk.name or only))


def _follower(offers: dict[str, HeadingSamples]) -> str:
    """Return the phone whose compass alone follows a walk; empty when that is not clear."""
    ranked = sorted(((heading_agreement(part.compass_rad, part.courses_rad), name)
                     for name, part in offers.items()), reverse=True)
    second = ranked[1][0] if len(ranked) > 1 else 0.0
    is_clear = bool(ranked) and ranked[0][0] >= max(
        MIN_TRACK_AGREEMENT, second + AGREEMENT_MARGIN)
    return ranked[0][1] if is_clear else ''


def _compare(
    walk: SeenWalk, times_s: Array, headings_rad: Array, valid: MaskArray,
) -> HeadingSamples | None:
    """Compare a walk with a compass (R,) at instants of walking; None without one."""
    rows = np.searchsorted(times_s, walk.times_s).clip(0, len(times_s) - 1)
    near = valid[rows] & (np.abs(times_s[rows] - walk.times_s) <= 2 * IMU_PERIOD_S)
    use = near & (np.linalg.norm(walk.velocities_mps, axis=1) >= MIN_WALK_MPS)
    use &= np.arange(len(use)) % SAMPLE_ROWS == 0
    if not use.any():
        return None
    velocity = walk.velocities_mps[use]
    return HeadingSamples(
        np.zeros(len(velocity), np.int64), walk.positions_m[use],
        np.arctan2(velocity[:, 1], velocity[:, 0]), headings_rad[rows[use]])


def _compass(phone: PhoneStreams) -> tuple[Array, Array, MaskArray] | None:
    """Return times (R,) [s], headings (R,) from magnetic east, and valid (R,) of a phone."""
    streams = phone.inertial_stamps_ns, phone.magnetic_stamps_ns
    if not all(len(stamps) for stamps in streams):
        return None
    begin, end = (choose(stamps[edge] for stamps in streams) / NS_PER_S
                  for choose, edge in ((max, 0), (min, -1)))
    spans = int((end - begin) / IMU_PERIOD_S) // SPAN_ROWS
    if spans < 1:
        return None
    times_s = begin + IMU_PERIOD_S * np.arange(spans * SPAN_ROWS)
    imu = np.concatenate([
        _interpolate(times_s, phone.inertial_stamps_ns, phone.inertial),
        _interpolate(times_s, phone.magnetic_stamps_ns, phone.magnetic)], axis=1)
    measured = np.logical_and.reduce([_is_near(times_s, stamps) for stamps in streams])
    headings, valid = compass_headings(
        imu.reshape(spans, SPAN_ROWS, -1).astype(np.float32), measured.reshape(spans, SPAN_ROWS),
        IMU_PERIOD_S, 0.0)
    return times_s, headings.ravel().astype(np.float64), valid.ravel()


def _interpolate(times_s: Array, stamps_ns: Stamps, values: npt.NDArray[np.float32]) -> Array:
    return np.stack([np.interp(times_s, stamps_ns / NS_PER_S, axis) for axis in values.T], axis=1)


def _is_near(times_s: Array, stamps_ns: Stamps) -> MaskArray:
    """Return which times (R,) lie between stamps that are at most MAX_GAP_S apart."""
    after = np.searchsorted(stamps_ns, times_s * NS_PER_S).clip(1, len(stamps_ns) - 1)
    return np.asarray(np.diff(stamps_ns)[after - 1] <= MAX_GAP_S * NS_PER_S)
