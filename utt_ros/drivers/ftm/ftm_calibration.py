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

"""FTM calibration: systematic error of ranges between a phone and an access point.

A range is `offset + scale * distance` plus noise. The offset is caused by delays of radio chips,
which differ between models; the scale is 1 unless it is fitted. A calibration file:

    pairs:
    - {phone: anna, ap: '02:00:00:00:00:01', offset: 1.32, scale: 1.0, offset_error: 0.05,
       scale_error: 0.0, places: 6, ranges: 240, residual: 0.11}

Lengths are in metres; `ap` is empty when the source does not name the responder.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from utt_ros.drivers.types import FtmSample
from utt_ros.errors import DocumentError, MeasurementError, SettingsError
from utt_ros.files import read_limited, write_atomically
from utt_ros.parameter_yaml import load_yaml
from utt_ros.settings import check, from_mapping, setting
from utt_ros.types import Array

MIN_PLACES = 3  # for an offset, so that one outlier is visible
MIN_PLACES_FOR_SCALE = 4
MIN_SPAN_M = 3.0  # of distances, for a scale
SAME_PLACE_M = 0.01
HUBER = 1.345  # 95 % efficiency for normal errors [S: Huber 1981]
MAD_TO_STD = 1.4826
MIN_SPREAD_M = 0.01  # resolution of ranges, 1 cm at best
MAX_ITERATIONS = 100
MAX_CALIBRATION_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """Range measured at a known distance."""

    phone: str
    ap: str
    distance_m: float  # from antenna to antenna
    range_m: float


@dataclass(frozen=True, slots=True)
class FtmFit:
    """Fit of one phone and access point; a row of the file."""

    phone: str = setting('', 'name of the phone')
    ap: str = setting('', 'BSSID of the access point; empty when unknown')
    offset: float = setting(0.0, 'range at distance 0 [m]', low=-50.0, high=50.0)
    scale: float = setting(1.0, 'slope of the range over distance', low=0.5, high=2.0)
    offset_error: float = setting(0.0, 'standard error of the offset [m]', low=0.0, high=1e3)
    scale_error: float = setting(0.0, 'standard error of the scale', low=0.0, high=1e3)
    places: int = setting(0, 'number of distances', low=0, high=10**9)
    ranges: int = setting(0, 'number of ranges', low=0, high=10**9)
    residual: float = setting(
        0.0, 'robust standard deviation of places from the fit [m]', low=0.0, high=1e3)

    def __post_init__(self) -> None:
        check(self)


class FtmCalibration:
    """Range corrections by phone and access point."""

    def __init__(self, fits: Iterable[FtmFit]) -> None:
        self.fits = {(fit.phone, fit.ap): fit for fit in fits}

    def correct(self, sample: FtmSample) -> FtmSample:
        """Return the sample with its calibrated range; itself where no fit exists."""
        fit = self.fits.get((sample.phone, sample.ap))
        if fit is None:
            return sample
        return replace(sample, range_m=(sample.range_m - fit.offset) / fit.scale,
                       std_m=sample.std_m / fit.scale)


def fit_pairs(
    points: Sequence[CalibrationPoint], *, with_scale: bool,
) -> dict[tuple[str, str], FtmFit]:
    """Fit each phone and access point, sorted. Raises MeasurementError for too few distances."""
    pairs = sorted({(point.phone, point.ap) for point in points})
    if not pairs:
        raise MeasurementError('no range at a known distance')
    fits = {}
    for phone, ap in pairs:
        fits[phone, ap] = fit_pair(points_of((phone, ap), points), with_scale=with_scale)
    return fits


def fit_pair(points: Sequence[CalibrationPoint], *, with_scale: bool) -> FtmFit:
    """Fit the offset, and optionally the scale, to ranges of one phone and access point.

    Ranges at one distance share its reflections, so their median counts as one measurement. A
    line through the medians is fitted with Huber's weights, which limit the influence of a
    shadowed place; standard errors are Huber's [S: Robust Statistics, 1981, section 7.6].
    """
    distances, ranges, _ = distance_medians(points)
    count, span_m = len(distances), float(np.ptp(distances)) if len(distances) else 0.0
    required = MIN_PLACES_FOR_SCALE if with_scale else MIN_PLACES
    pair = f'{points[0].phone} and {points[0].ap or "its access point"}' if points else 'no points'
    if count < required:
        raise MeasurementError(
            f'{pair}: ranges at {count} distances: at least {required} are needed, since '
            'reflections at one place resemble an offset')
    if with_scale and span_m < MIN_SPAN_M:
        raise MeasurementError(
            f'{pair}: distances span {span_m:.2f} m: at least {MIN_SPAN_M:g} m for a scale')
    columns = [np.ones(count), distances] if with_scale else [np.ones(count)]
    target = ranges if with_scale else ranges - distances
    coefficients, errors, residual = _huber(np.stack(columns, axis=1), target)
    try:
        return FtmFit(
            points[0].phone, points[0].ap, round(float(coefficients[0]), 4),
            round(float(coefficients[1]), 5) if with_scale else 1.0, round(float(errors[0]), 4),
            round(float(errors[1]), 5) if with_scale else 0.0, count, len(points),
            round(residual, 4))
    except SettingsError as err:
        raise MeasurementError(f'{pair}: {err}: are distances and ranges both in metres?') from err


def points_of(
    pair: tuple[str, str], points: Sequence[CalibrationPoint],
) -> list[CalibrationPoint]:
    """Return the points of one phone and access point."""
    return [point for point in points if (point.phone, point.ap) == pair]


def distance_medians(
    points: Sequence[CalibrationPoint],
) -> tuple[Array, Array, npt.NDArray[np.int64]]:
    """Return distances (P,), increasing, median ranges (P,) [m] and numbers of ranges (P,)."""
    distances = np.array([point.distance_m for point in points])
    ranges = np.array([point.range_m for point in points])
    keys, place = np.unique(np.round(distances / SAME_PLACE_M), return_inverse=True)
    median = np.array([np.median(ranges[place == number]) for number in range(len(keys))])
    return keys * SAME_PLACE_M, median, np.bincount(place, minlength=len(keys))


def _huber(rows: Array, target: Array) -> tuple[Array, Array, float]:
    """Return coefficients, their standard errors, and the robust spread of the residuals."""
    count, width = rows.shape
    weights, spread = np.ones(count), MIN_SPREAD_M
    coefficients = np.zeros(width)
    for _ in range(MAX_ITERATIONS):
        root = np.sqrt(weights)
        last = coefficients
        coefficients = np.linalg.lstsq(rows * root[:, None], target * root, rcond=None)[0]
        residuals = target - rows @ coefficients
        spread = max(MIN_SPREAD_M, MAD_TO_STD * float(np.median(np.abs(residuals))))
        weights = np.minimum(1.0, HUBER * spread / np.maximum(np.abs(residuals), 1e-12))
        if np.allclose(coefficients, last, atol=1e-6):
            break
    influence = residuals * weights
    inside = max(float(np.mean(np.abs(residuals) <= HUBER * spread)), 1.0 / count)
    small_sample = 1 + width / count * (1 - inside) / inside  # Huber's correction
    variance = (small_sample / inside)**2 * float(influence @ influence) / max(count - width, 1)
    errors = np.sqrt(variance * np.diag(np.linalg.inv(rows.T @ rows)))
    return coefficients, errors, spread


def write_ftm_calibration(path: Path, fits: Mapping[tuple[str, str], FtmFit]) -> None:
    """Write a calibration file; its other pairs are kept. Raises SettingsError."""
    previous = read_ftm_calibration(path).fits if path.exists() else {}
    document = {'pairs': [asdict(fit) for _, fit in sorted({**previous, **fits}.items())]}
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    try:
        write_atomically(path, text.encode())
    except OSError as err:
        raise SettingsError(f'{path}: {err}') from err


def read_ftm_calibration(path: Path) -> FtmCalibration:
    """Read a calibration file. Raises SettingsError."""
    rows = yaml_rows(read_yaml(path), 'pairs', path)
    try:
        fits = [from_mapping(FtmFit, row) for row in rows]
    except (SettingsError, TypeError) as err:
        raise SettingsError(f'{path}: {err}') from err
    if len({(fit.phone, fit.ap) for fit in fits}) < len(fits):
        raise SettingsError(f'{path}: a phone and access point are listed more than once')
    return FtmCalibration(fits)


def read_yaml(path: Path) -> Any:
    """Read a YAML document of at most MAX_CALIBRATION_BYTES. Raises SettingsError."""
    try:
        return load_yaml(read_limited(path, MAX_CALIBRATION_BYTES))
    except (OSError, DocumentError) as err:
        raise SettingsError(f'{path}: {err}') from err


def yaml_rows(document: Any, name: str, path: Path) -> list[Mapping[str, Any]]:
    """Return the list of mappings under a name. Raises SettingsError."""
    rows = document.get(name) if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(
            isinstance(row, dict) and all(isinstance(key, str) for key in row) for row in rows):
        raise SettingsError(f'{path}: a list of mappings named {name!r} is expected')
    return rows
