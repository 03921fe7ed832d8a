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

"""Range survey: offsets of access points and phones, and positions of access points.

Robust least squares on the model of `geometry.range_model`. Offsets are from the mean of access
points, and from that of phones; the common part belongs to the trend.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from utt_ros.errors import MeasurementError
from utt_ros.geometry.ap_locator import locate_access_point
from utt_ros.geometry.range_model import (
    REPEATS,
    TREND_MEAN,
    TREND_STD,
    RangeSamples,
    RangeTrend,
    range_features,
)
from utt_ros.geometry.robust_errors import CAUCHY, clustered_covariances
from utt_ros.types import Array

SPAN_S = 5.0  # ranges of one walk and span have like errors
MIN_AP_RANGES, MIN_AP_SPANS = 60, 8  # of an access point
MAX_OFFSET_ERROR_M = 0.3  # standard error of a usable offset
MAX_PLACE_ERROR_M = 1.5  # standard error of a usable position, along its worse axis
PHONE_STD_M = 0.5  # of offsets of phones [R]
MAX_SURVEY_RANGES = 6000
TOLERANCE = 1e-6  # relative change of the loss at which a fit ends
MAD_STD = 1.4826
TREND_SIZE = len(TREND_MEAN)


@dataclass(frozen=True, slots=True)
class RangeSurvey:
    """Offsets and positions of A access points, offsets of P phones, with standard errors."""

    addresses: tuple[str, ...]  # A
    positions_m: Array  # (A, 3) area frame
    position_errors_m: Array  # (A,) along the worse axis; 0 where it was given
    offsets_m: Array  # (A,) from the mean of access points
    offset_errors_m: Array  # (A,)
    names: tuple[str, ...]  # P
    phone_offsets_m: Array  # (P,) from the mean of phones
    phone_errors_m: Array  # (P,)
    line: Array  # (2,) offset [m] and slope [m/m] of the mean access point and phone
    line_covariance: Array  # (2, 2)
    counts: npt.NDArray[np.int64]  # (A,) ranges
    spans: npt.NDArray[np.int64]  # (A,) of SPAN_S of a walk
    spreads_m: Array  # (A,) robust standard deviation of ranges from the fit
    access_points: npt.NDArray[np.int64]  # (N,) of the ranges
    distances_m: Array  # (N,)
    excess_m: Array  # (N,) range less distance and offset of the phone
    fitted_m: Array  # (N,) of that excess


def survey_ranges(
    samples: RangeSamples, places_m: Mapping[str, Array | None], phone_height_m: float,
    ap_height_m: float, *, free: Collection[str] = (),
) -> RangeSurvey:
    """Fit the access points of `places_m`, (3,) [m] each, None where it is not known.

    Positions that are not known, and those of `free`, are fitted at their heights, `ap_height_m`
    where that is not known. Raises MeasurementError, with all reasons, when the walks do not
    determine an offset or a position.
    """
    samples = _select(samples, tuple(places_m))
    unknown = [number for number, (address, place) in enumerate(places_m.items())
               if place is None or address in free]
    heights = np.array([ap_height_m if place is None else place[2]
                        for place in places_m.values()])
    starts = np.array([(np.nan, np.nan) if place is None else place[:2]
                       for place in places_m.values()])
    clusters = _clusters(samples)
    _check_counts(samples.addresses, *_counts(samples, clusters))
    model = _RangeFit(samples, starts, heights - phone_height_m, unknown)
    model.locate()
    parameters, covariance = model.fit(clusters)
    survey = model.result(parameters, covariance, clusters, heights)
    _check_errors(survey)
    return survey


class _RangeFit:
    """Parameters: offsets, of phones as well, constant and trend, and places that are not known.

    Offsets are contrasts: coordinates of vectors whose sum is 0.
    """

    def __init__(
        self, samples: RangeSamples, places_m: Array, rises_m: Array, unknown: list[int],
    ) -> None:
        self._samples, self._places = samples, places_m.copy()
        self._rises, self._unknown = rises_m, unknown
        self._of_aps, self._of_phones = (
            _contrasts(len(names)) for names in (samples.addresses, samples.names))
        sizes = (self._of_aps.shape[1], self._of_phones.shape[1], 1, TREND_SIZE, 2 * len(unknown))
        ends = np.cumsum(sizes)
        self._parts = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]

    def locate(self) -> None:
        """Start the places that are not known. Raises MeasurementError for several likely ones."""
        known = np.setdiff1d(np.arange(len(self._rises)), self._unknown)
        trend = RangeTrend()
        own = np.isin(self._samples.access_points, known)
        if own.any():
            few = _RangeFit(self._samples[own], self._places, self._rises, [])
            trend = RangeTrend(*few.minimize()[few._parts[3]].tolist())
        for number in self._unknown:
            found = locate_access_point(
                self._samples[self._samples.access_points == number],
                float(self._rises[number]), trend)
            if found.rival_m is not None:
                raise MeasurementError(
                    f'{self._samples.addresses[number]}: it may be at {_place(found.position_m)} '
                    f'as well as at {_place(found.rival_m)}: walk on lines that cross, not along '
                    'one line')
            self._places[number] = found.position_m

    def fit(self, clusters: npt.NDArray[np.int64]) -> tuple[Array, Array]:
        """Return parameters and their covariance."""
        parameters = self.minimize()
        linear = least_squares(self._residuals, parameters, max_nfev=1)
        _, covariance = clustered_covariances(linear.jac, self._residuals(parameters), clusters)
        return parameters, covariance

    def minimize(self) -> Array:
        """Return the parameters of least loss."""
        start = np.zeros(self._parts[-1].stop)
        start[self._parts[3]] = TREND_MEAN
        start[self._parts[4]] = self._places[self._unknown].ravel()
        return np.asarray(
            least_squares(self._residuals, start, loss='cauchy', f_scale=CAUCHY,
                          ftol=TOLERANCE).x)

    def result(
        self, parameters: Array, covariance: Array, clusters: npt.NDArray[np.int64],
        heights_m: Array,
    ) -> RangeSurvey:
        """Describe a fit."""
        aps, phones, _, _, places = self._parts
        offsets = self._of_aps @ parameters[aps]
        phone_offsets = self._of_phones @ parameters[phones]
        errors, phone_errors = (
            np.sqrt(np.maximum(np.diag(basis @ covariance[part, part] @ basis.T), 0.0))
            for basis, part in ((self._of_aps, aps), (self._of_phones, phones)))
        position_errors = np.zeros(len(offsets))
        blocks = covariance[places, places]
        for index, number in enumerate(self._unknown):
            block = blocks[2 * index:2 * index + 2, 2 * index:2 * index + 2]
            position_errors[number] = np.linalg.eigvalsh(block)[-1]**0.5
        predicted, distance, _ = self._predict(parameters)
        samples = self._samples
        excess = samples.ranges_m - distance - phone_offsets[samples.phones]
        fitted = predicted - distance - phone_offsets[samples.phones]
        spreads = np.array([
            MAD_STD * np.median(np.abs(excess - fitted)[samples.access_points == number])
            for number in range(len(offsets))])
        line, line_covariance = _fit_line(
            distance, excess - offsets[samples.access_points], samples.noise_m, clusters)
        return RangeSurvey(
            samples.addresses, np.column_stack([self._at(parameters), heights_m]),
            position_errors, offsets, errors, samples.names, phone_offsets, phone_errors, line,
            line_covariance, *_counts(samples, clusters), spreads, samples.access_points, distance,
            excess, fitted)

    def _at(self, parameters: Array) -> Array:
        places = self._places.copy()
        places[self._unknown] = parameters[self._parts[4]].reshape(-1, 2)
        return places

    def _predict(self, parameters: Array) -> tuple[Array, Array, Array]:
        """Return ranges and distances (N,) and priors."""
        aps, phones, constant, trend, _ = self._parts
        samples = self._samples
        distance, features = range_features(
            samples.positions_m, samples.velocities_mps,
            self._at(parameters)[samples.access_points], self._rises[samples.access_points])
        phone_offsets = self._of_phones @ parameters[phones]
        predicted = (distance + features @ parameters[trend] + parameters[constant]
                     + (self._of_aps @ parameters[aps])[samples.access_points]
                     + phone_offsets[samples.phones])
        priors = np.concatenate([
            phone_offsets / PHONE_STD_M, (parameters[trend] - TREND_MEAN) / TREND_STD])
        return predicted, distance, priors

    def _residuals(self, parameters: Array) -> Array:
        predicted, _, priors = self._predict(parameters)
        deviation = (self._samples.ranges_m - predicted) / self._samples.noise_m
        return np.concatenate([deviation, priors * REPEATS**0.5])


def _fit_line(
    distance: Array, excess: Array, noise: Array, clusters: npt.NDArray[np.int64],
) -> tuple[Array, Array]:
    """Fit offset and slope (2,) of an excess over the distance, with their covariance (2, 2)."""
    features = np.stack([np.ones_like(distance), distance], axis=1) / noise[:, None]
    found = least_squares(lambda line: features @ line - excess / noise, np.zeros(2),
                          loss='cauchy', f_scale=CAUCHY)
    _, covariance = clustered_covariances(features, features @ found.x - excess / noise, clusters)
    return found.x, covariance


def _select(samples: RangeSamples, addresses: tuple[str, ...]) -> RangeSamples:
    """Select and number the ranges of access points, and thin out a long recording."""
    index = np.array([addresses.index(name) if name in addresses else -1
                      for name in samples.addresses])
    rows = np.flatnonzero(index[samples.access_points] >= 0)
    few = samples[rows[::len(rows) // MAX_SURVEY_RANGES + 1]]
    used, phones = np.unique(few.phones, return_inverse=True)
    return RangeSamples(
        few.ranges_m, index[few.access_points], phones.astype(np.int64), few.positions_m,
        few.velocities_mps, few.times_s, few.walks, addresses,
        tuple(few.names[number] for number in used))


def _clusters(samples: RangeSamples) -> npt.NDArray[np.int64]:
    """Number the spans (N,) of walks, over all access points: one body shadows several."""
    spans = np.stack([samples.walks, (samples.times_s // SPAN_S).astype(np.int64)])
    return np.unique(spans, axis=1, return_inverse=True)[1].ravel()


def _counts(
    samples: RangeSamples, clusters: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Count ranges and spans (A,) of access points."""
    own = [clusters[samples.access_points == number] for number in range(len(samples.addresses))]
    return (np.array([len(each) for each in own]),
            np.array([len(np.unique(each)) for each in own]))


def _contrasts(count: int) -> Array:
    """Return an orthonormal basis (count, count - 1) of vectors whose sum is 0."""
    return np.linalg.svd(np.ones((1, count)))[2][1:].T


def _place(position_m: Array) -> str:
    return f'({position_m[0]:.1f}, {position_m[1]:.1f})'


def _check_counts(
    addresses: tuple[str, ...], counts: npt.NDArray[np.int64], spans: npt.NDArray[np.int64],
) -> None:
    wrong = [f'{address}: {ranges} ranges in {count} spans of {SPAN_S:g} s'
             for address, ranges, count in zip(addresses, counts, spans, strict=True)
             if ranges < MIN_AP_RANGES or count < MIN_AP_SPANS]
    if wrong:
        raise MeasurementError(
            f'too few walks in view: {"; ".join(wrong)}; at least {MIN_AP_RANGES} in '
            f'{MIN_AP_SPANS} are needed of each access point')


def _check_errors(survey: RangeSurvey) -> None:
    wrong = [f'the offset of {address} would be known to ± {error:.2f} m only'
             for address, error in zip(survey.addresses, survey.offset_errors_m, strict=True)
             if not error <= MAX_OFFSET_ERROR_M]
    wrong += [f'the position of {address} would be known to ± {error:.1f} m only'
              for address, error in zip(survey.addresses, survey.position_errors_m, strict=True)
              if not error <= MAX_PLACE_ERROR_M]
    if wrong:
        raise MeasurementError(
            f'{"; ".join(wrong)}: walk longer, near each access point and far from it, on several '
            'sides')
