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

"""Yaw survey: direction of an area's x axis from magnetic east, from compasses and courses.

While somebody walks, the compass heading of the phone less the course that the camera sees is the
`magnetic_yaw`, plus an angle at which this phone is carried, errors of its magnetometer that
depend on its heading, disturbances of the field that depend on the place, and noise. Angles and
errors of phones have zero mean. The twin needs the yaw with the mean disturbance of the floor, so
the fit is the best linear prediction of the mean over the walked square metres [D], each of which
counts once (universal kriging [S: Cressie 1993]).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from utt_ros.errors import MeasurementError
from utt_ros.geometry.compass import wrap_angle
from utt_ros.types import Array

CARRIED_STD_RAD = 0.13  # of the angle between a phone in the hand and its carrier's course [R]
STEP_AXIS_STD_RAD = 0.06  # of that angle where it is given [R]
HARD_IRON_STD_RAD = 0.06  # amplitude of errors that depend on the heading [R]
PLACE_STD_RAD, PLACE_M = 0.14, 2.5  # of disturbances in buildings, and their extent [R]
CELL_M = 1.0  # of the walked floor, over which their mean is taken
MIN_KNOWN_SHARE = 0.75  # of phones with an angle by steps, for their use
MAX_MEAN_CARRIED_RAD = 0.14  # beyond: steps of arms, not angles of phones, were measured [R]
NOISE_STD_RAD = 0.09  # of a sample: course, hand and step
HUBER_STDS = 1.345  # 95 % efficiency for normal errors [S: Huber 1981]
PASSES = 6
MAX_SAMPLES = 800
MIN_SAMPLES = 60
MIN_AGREEMENT = 0.6  # mean resultant length of heading less course, per phone
MAX_YAW_ERROR_RAD = 0.15  # standard error of a usable yaw
MAX_RESIDUAL_RAD = 0.4  # of samples
GOOD_YAW_ERROR_RAD = 0.035  # and of a good one, 2 degrees


@dataclass(frozen=True, slots=True)
class HeadingSamples:
    """N instants at which somebody walks with a phone in view."""

    phones: npt.NDArray[np.int64]  # (N,) numbers of phones
    positions_m: Array  # (N, 2) area frame
    courses_rad: Array  # (N,) counter-clockwise from the x axis
    compass_rad: Array  # (N,) counter-clockwise from magnetic east
    names: tuple[str, ...] = ()  # P, of the phones

    def __getitem__(self, rows: Any) -> 'HeadingSamples':
        return HeadingSamples(self.phones[rows], self.positions_m[rows], self.courses_rad[rows],
                              self.compass_rad[rows], self.names)


@dataclass(frozen=True, slots=True)
class YawFit:
    """Direction of the x axis with its standard error, and what it rests on."""

    yaw_rad: float  # counter-clockwise from magnetic east
    error_rad: float  # of the mean over the floor where people walked
    field_error_rad: float  # of the undisturbed field, from which that mean differs
    residual_rad: float  # robust standard deviation of samples from yaw and angle of the phone
    carried_rad: Array  # (P,) estimated angle of each phone, counter-clockwise from the course
    samples: HeadingSamples
    deviations_rad: Array  # (N,) compass less course, yaw and given angle of the phone


def fit_yaw(samples: HeadingSamples, carried_rad: Array | None = None) -> YawFit:
    """Fit the yaw. Raises MeasurementError when the walks do not determine it.

    `carried_rad` (P,): angles of the phones from their carriers' courses, NaN where unknown;
    without them they are 0 in the mean of phones.
    """
    samples = samples[np.arange(0, len(samples.phones), len(samples.phones) // MAX_SAMPLES + 1)]
    _check_samples(samples)
    count = int(samples.phones.max()) + 1
    given = np.full(count, np.nan) if carried_rad is None else carried_rad
    stds = np.where(np.isfinite(given), STEP_AXIS_STD_RAD, CARRIED_STD_RAD)
    given = np.where(np.isfinite(given), given, 0.0)
    differences = samples.compass_rad - samples.courses_rad - given[samples.phones]
    start = float(np.angle(np.exp(1j * differences).sum()))
    deviations = wrap_angle(differences - start)
    phones, places = _covariances(samples, stds)
    weights = np.ones(len(deviations))
    noise_std = NOISE_STD_RAD
    for _ in range(PASSES):
        variances = noise_std**2 / weights
        inverse = np.asarray(np.linalg.inv(phones + places + np.diag(variances)), np.float64)
        undisturbed = float((inverse @ deviations).sum()) / float(inverse.sum())
        # what covariances predict of each deviation; the rest is noise
        noise = variances * (inverse @ (deviations - undisturbed))
        noise_std = max(NOISE_STD_RAD, 1.4826 * float(np.median(np.abs(noise))))
        weights = np.minimum(1.0, HUBER_STDS * noise_std / np.maximum(np.abs(noise), 1e-9))
    floor = _floor_shares(samples.positions_m)
    share = _prediction_shares(inverse, places @ floor)
    yaw, own = float(share @ deviations), phones + np.diag(variances)
    error = float(share @ own @ share + (share - floor) @ places @ (share - floor))**0.5
    field_error = float(share @ (own + places) @ share)**0.5
    rest = np.asarray(wrap_angle(deviations - yaw), np.float64)
    carried = stds**2 * (
        (np.arange(count)[:, None] == samples.phones) @ (inverse @ (deviations - undisturbed)))
    spread = 1.4826 * float(np.median(np.abs(rest - carried[samples.phones])))
    if spread > MAX_RESIDUAL_RAD:
        raise MeasurementError(
            f'compasses and courses differ by {np.degrees(spread):.0f} degrees (robust standard '
            'deviation) beside the yaw: the magnetic field of the room is too disturbed')
    if error > MAX_YAW_ERROR_RAD:
        raise MeasurementError(
            f'the yaw would be known to ± {np.degrees(error):.0f} degrees only: walk all over the '
            'room, in all directions, with several phones')
    return YawFit(
        float(wrap_angle(np.array(start + yaw))), error, field_error, spread,
        carried + given, samples, rest)


def usable_angles(carried_rad: Array) -> Array | None:
    """Return angles (P,) of phones by their steps; None when these are rather those of arms.

    Most phones must have one, and since people hold phones to both sides of their course the
    mean must be small.
    """
    known = carried_rad[np.isfinite(carried_rad)]
    if len(known) < max(1.0, MIN_KNOWN_SHARE * len(carried_rad)):
        return None
    return carried_rad if abs(float(known.mean())) <= MAX_MEAN_CARRIED_RAD else None


def heading_agreement(headings_rad: Array, courses_rad: Array) -> float:
    """Return how constant the difference is: 1 for a phone that follows the course, 0 for none."""
    return float(np.abs(np.exp(1j * (headings_rad - courses_rad)).mean()))


def _check_samples(samples: HeadingSamples) -> None:
    count = len(samples.phones)
    if count < MIN_SAMPLES:
        raise MeasurementError(
            f'{count} samples of a walk with a compass in view: at least {MIN_SAMPLES} are '
            'needed; let somebody walk with a phone for two minutes')
    for phone in np.unique(samples.phones):
        own = samples[samples.phones == phone]
        found = heading_agreement(own.compass_rad, own.courses_rad)
        if found < MIN_AGREEMENT:
            raise MeasurementError(
                f'the compass does not follow the walks ({found:.2f} of 1 for one phone): is it '
                'carried by those whom the camera sees, in the hand and not in a swinging pocket?')


def _covariances(samples: HeadingSamples, carried_stds: Array) -> tuple[Array, Array]:
    """Compute covariances (N, N) [rad^2] of samples of one phone, and of one place."""
    same = samples.phones[:, None] == samples.phones
    turned = np.cos(samples.compass_rad[:, None] - samples.compass_rad)
    apart = np.linalg.norm(samples.positions_m[:, None] - samples.positions_m, axis=2)
    return (np.asarray(same * (carried_stds[samples.phones]**2 + HARD_IRON_STD_RAD**2 * turned)),
            np.asarray(PLACE_STD_RAD**2 * np.exp(-0.5 * (apart / PLACE_M)**2)))


def _floor_shares(positions_m: Array) -> Array:
    """Return shares (N,) of samples in a mean over walked cells of the floor, each once."""
    _, cells = np.unique(np.floor(positions_m / CELL_M), axis=0, return_inverse=True)
    counts = np.bincount(cells.ravel())
    return np.asarray(1 / (len(counts) * counts[cells.ravel()]))


def _prediction_shares(inverse: Array, covariances: Array) -> Array:
    """Return the shares (N,), with sum 1, of samples in the best prediction of a quantity.

    `inverse` (N, N): of the covariance of samples; `covariances` (N,): with the quantity.
    """
    of_mean = inverse.sum(0) / inverse.sum()
    known = inverse @ covariances
    return np.asarray(known + (1 - known.sum()) * of_mean)
