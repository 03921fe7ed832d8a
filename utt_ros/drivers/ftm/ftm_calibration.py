"""What is constantly wrong with the ranges between a phone and an access point, and its remedy.

A range is `offset + scale * distance` and noise. The offset comes from delays in radio chips that
differ between models; the scale is 1 unless a fit of it is asked for. A calibration file:

    pairs:
    - {phone: anna, ap: '02:00:00:00:00:01', offset: 1.32, scale: 1.0, offset_error: 0.05,
       scale_error: 0.0, places: 6, ranges: 240, residual: 0.11}

Lengths are in metres; `ap` is empty when the source does not tell who answered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from utt_ros.drivers.types import Ranging
from utt_ros.errors import MeasurementError, SettingsError
from utt_ros.files import write_atomically
from utt_ros.settings import check, from_mapping, setting
from utt_ros.types import Array

MIN_PLACES = 3  # for an offset, so that one bad place can be seen
MIN_PLACES_FOR_SCALE = 4
MIN_SPAN_M = 3.0  # of distances, for a scale
SAME_PLACE_M = 0.01
HUBER = 1.345  # efficiency of 95 % when errors are normal after all [S: Huber 1981]
MAD_TO_STD = 1.4826
MIN_SPREAD_M = 0.01  # ranges are told in centimetres at best
ROUNDS = 100
MAX_FILE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Point:
    """A range that was measured at a known distance."""

    phone: str
    ap: str
    distance_m: float  # from antenna to antenna
    range_m: float


@dataclass(frozen=True, slots=True)
class Fit:
    """What a fit of one phone and access point says; a row of the file."""

    phone: str = setting('', 'name of the phone')
    ap: str = setting('', 'BSSID of who answers; empty when unknown')
    offset: float = setting(0.0, 'range at distance 0 [m]', low=-50.0, high=50.0)
    scale: float = setting(1.0, 'growth of range with distance', low=0.5, high=2.0)
    offset_error: float = setting(0.0, 'standard error of the offset [m]', low=0.0, high=1e3)
    scale_error: float = setting(0.0, 'standard error of the scale', low=0.0, high=1e3)
    places: int = setting(0, 'distances', low=0, high=10**9)
    ranges: int = setting(0, 'ranges', low=0, high=10**9)
    residual: float = setting(
        0.0, 'robust standard deviation of places from the fit [m]', low=0.0, high=1e3)

    def __post_init__(self) -> None:
        check(self)


class Calibration:
    """Corrections by phone and access point."""

    def __init__(self, fits: Iterable[Fit]) -> None:
        self.fits = {(fit.phone, fit.ap): fit for fit in fits}

    def correct(self, sample: Ranging) -> Ranging:
        """The range as the distance it means; the same object where nothing is known."""
        fit = self.fits.get((sample.phone, sample.ap))
        if fit is None:
            return sample
        return replace(sample, range_m=(sample.range_m - fit.offset) / fit.scale,
                       std_m=sample.std_m / fit.scale)


def fit_pairs(points: Sequence[Point], *, with_scale: bool) -> dict[tuple[str, str], Fit]:
    """A fit per phone and access point, sorted. Raises MeasurementError for too few places."""
    pairs = sorted({(point.phone, point.ap) for point in points})
    if not pairs:
        raise MeasurementError('no range at a known distance')
    fits = {}
    for phone, ap in pairs:
        own = [point for point in points if (point.phone, point.ap) == (phone, ap)]
        fits[phone, ap] = fit_pair(own, with_scale=with_scale)
    return fits


def fit_pair(points: Sequence[Point], *, with_scale: bool) -> Fit:
    """Fit the offset, and the scale if asked for, to ranges of one phone and access point.

    Ranges of one place share its reflections, so they say as much as one: their median. A line
    through the places is found with Huber's weights, so a place in somebody's shadow counts
    little; standard errors are his too [S: Huber, Robust Statistics, 1981, section 7.6].
    """
    distances, ranges, _ = places(points)
    count, span_m = len(distances), float(np.ptp(distances)) if len(distances) else 0.0
    least = MIN_PLACES_FOR_SCALE if with_scale else MIN_PLACES
    who = f'{points[0].phone} and {points[0].ap or "its access point"}' if points else 'nobody'
    if count < least:
        raise MeasurementError(
            f'{who}: ranges at {count} distances: at least {least} are needed, since reflections '
            'at one place look like an offset')
    if with_scale and span_m < MIN_SPAN_M:
        raise MeasurementError(
            f'{who}: distances span {span_m:.2f} m: at least {MIN_SPAN_M:g} m for a scale')
    columns = [np.ones(count), distances] if with_scale else [np.ones(count)]
    target = ranges if with_scale else ranges - distances
    found, errors, residual = _huber(np.stack(columns, axis=1), target)
    try:
        return Fit(
            points[0].phone, points[0].ap, round(float(found[0]), 4),
            round(float(found[1]), 5) if with_scale else 1.0, round(float(errors[0]), 4),
            round(float(errors[1]), 5) if with_scale else 0.0, count, len(points),
            round(residual, 4))
    except SettingsError as err:
        raise MeasurementError(f'{who}: {err}: are distances and ranges both in metres?') from err


def places(points: Sequence[Point]) -> tuple[Array, Array, npt.NDArray[np.int64]]:
    """Distances (P,), median ranges (P,) [m], and how many ranges (P,), by growing distance."""
    distances = np.array([point.distance_m for point in points])
    ranges = np.array([point.range_m for point in points])
    keys, place = np.unique(np.round(distances / SAME_PLACE_M), return_inverse=True)
    median = np.array([np.median(ranges[place == number]) for number in range(len(keys))])
    return keys * SAME_PLACE_M, median, np.bincount(place, minlength=len(keys))


def _huber(rows: Array, target: Array) -> tuple[Array, Array, float]:
    """Coefficients, their standard errors, and the robust spread of what is left."""
    count, width = rows.shape
    weights, spread = np.ones(count), MIN_SPREAD_M
    found = np.zeros(width)
    for _ in range(ROUNDS):
        root = np.sqrt(weights)
        last, found = found, np.linalg.lstsq(rows * root[:, None], target * root, rcond=None)[0]
        left = target - rows @ found
        spread = max(MIN_SPREAD_M, MAD_TO_STD * float(np.median(np.abs(left))))
        weights = np.minimum(1.0, HUBER * spread / np.maximum(np.abs(left), 1e-12))
        if np.allclose(found, last, atol=1e-6):
            break
    pull = left * weights
    inside = max(float(np.mean(np.abs(left) <= HUBER * spread)), 1.0 / count)
    few = 1 + width / count * (1 - inside) / inside  # his correction for few rows
    variance = (few / inside)**2 * float(pull @ pull) / max(count - width, 1)
    errors = np.sqrt(variance * np.diag(np.linalg.inv(rows.T @ rows)))
    return found, errors, spread


def write_calibration(path: Path, fits: Mapping[tuple[str, str], Fit]) -> None:
    """Write a calibration file; other pairs that are in it already stay. Raises SettingsError."""
    known = read_calibration(path).fits if path.exists() else {}
    document = {'pairs': [asdict(fit) for _, fit in sorted({**known, **fits}.items())]}
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    try:
        write_atomically(path, text.encode())
    except OSError as err:
        raise SettingsError(f'{path}: {err}') from err


def read_calibration(path: Path) -> Calibration:
    """Read a calibration file. Raises SettingsError."""
    rows = rows_of(read_yaml(path), 'pairs', path)
    try:
        fits = [from_mapping(Fit, row) for row in rows]
    except (SettingsError, TypeError) as err:
        raise SettingsError(f'{path}: {err}') from err
    if len({(fit.phone, fit.ap) for fit in fits}) < len(fits):
        raise SettingsError(f'{path}: a phone and access point are listed more than once')
    return Calibration(fits)


def read_yaml(path: Path) -> Any:
    """A document. Raises SettingsError."""
    try:
        with path.open('rb') as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise SettingsError(f'{path} is longer than {MAX_FILE_BYTES} bytes')
        return yaml.safe_load(data)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError, ValueError) as err:
        if isinstance(err, SettingsError):
            raise
        raise SettingsError(f'{path}: {err}') from err


def rows_of(document: Any, name: str, path: Path) -> list[Mapping[str, Any]]:
    """The list of mappings under a name. Raises SettingsError."""
    rows = document.get(name) if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(
            isinstance(row, dict) and all(isinstance(key, str) for key in row) for row in rows):
        raise SettingsError(f'{path}: a list of mappings named {name!r} is expected')
    return rows
