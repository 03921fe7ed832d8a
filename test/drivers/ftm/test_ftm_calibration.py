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

from pathlib import Path

import numpy as np
import pytest

from utt_ros.drivers.ftm.ftm_calibration import (
    CalibrationPoint,
    FtmCalibration,
    FtmFit,
    fit_pair,
    fit_pairs,
    read_ftm_calibration,
    write_ftm_calibration,
)
from utt_ros.drivers.types import FtmSample
from utt_ros.errors import MeasurementError, SettingsError

AP = '02:00:00:00:00:01'
DISTANCES = (1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 10.0)


def measured(
        rng: np.random.Generator, offset: float, scale: float = 1.0, distances: tuple = DISTANCES,
        place: float = 0.1) -> list[CalibrationPoint]:
    """Thirty ranges per distance: each with noise, and each place with reflections of its own."""
    return [
        CalibrationPoint(
            'anna', AP, distance, offset + scale * distance + bias + rng.normal(0, 0.3))
        for distance in distances for bias in [rng.normal(0, place)] for _ in range(30)]


def test_offset_is_found_within_its_error(rng: np.random.Generator) -> None:
    fit = fit_pair(measured(rng, 1.3), with_scale=False)
    assert abs(fit.offset - 1.3) < 3 * fit.offset_error
    assert 0.01 < fit.offset_error < 0.15
    assert (fit.scale, fit.scale_error, fit.places, fit.ranges) == (1.0, 0.0, 7, 210)


def test_standard_errors_are_as_large_as_errors_are() -> None:
    errors = []
    for seed in range(60):
        fit = fit_pair(measured(np.random.default_rng(seed), -0.4), with_scale=False)
        errors.append((fit.offset + 0.4) / fit.offset_error)
    assert 0.7 < np.std(errors) < 1.8  # of seven places: a Student distribution, not a normal one


def test_a_scale_is_fitted_when_requested(rng: np.random.Generator) -> None:
    fit = fit_pair(measured(rng, 0.5, 1.08), with_scale=True)
    assert abs(fit.scale - 1.08) < 3 * fit.scale_error
    assert abs(fit.offset - 0.5) < 3 * fit.offset_error


def test_an_outlying_distance_has_little_influence(rng: np.random.Generator) -> None:
    points = measured(rng, 1.0)
    spoiled = [CalibrationPoint(point.phone, point.ap, point.distance_m,
                     point.range_m + 6.0 * (point.distance_m == 4.5)) for point in points]
    clean, robust = (fit_pair(each, with_scale=False) for each in (points, spoiled))
    assert abs(robust.offset - clean.offset) < 0.15  # the mean would move by 0.86
    assert robust.offset_error > clean.offset_error


@pytest.mark.parametrize(('distances', 'with_scale', 'why'), [
    ((3.0,), False, '1 distances: at least 3'), ((1.0, 2.0), False, '2 distances'),
    ((1.0, 4.0, 8.0), True, '3 distances: at least 4'),
    ((1.0, 1.5, 2.0, 2.5), True, 'span 1.50 m')])
def test_too_few_places_are_refused(
        rng: np.random.Generator, distances: tuple, with_scale: bool, why: str) -> None:
    with pytest.raises(MeasurementError, match=why):
        fit_pair(measured(rng, 1.0, distances=distances), with_scale=with_scale)


def test_no_points_are_refused_and_so_are_millimetres(rng: np.random.Generator) -> None:
    with pytest.raises(MeasurementError, match='no range'):
        fit_pairs([], with_scale=False)
    points = [CalibrationPoint('anna', AP, distance, 1000 * distance) for distance in DISTANCES]
    with pytest.raises(MeasurementError, match='in metres'):
        fit_pair(points, with_scale=False)


def test_perfect_ranges_are_fitted_without_a_warning() -> None:
    points = [CalibrationPoint('a', '', d, d + 0.5) for d in (1.0, 2.0, 3.0)]
    fit = fit_pair(points, with_scale=False)
    assert fit.offset == pytest.approx(0.5)
    assert fit.offset_error < 1e-6


def test_a_calibration_is_read_as_written_and_other_pairs_are_kept(tmp_path: Path) -> None:
    path = tmp_path / 'ftm.yaml'
    anna, ben = FtmFit('anna', AP, 1.25, 1.02, 0.1, 0.01, 5, 100, 0.2), FtmFit('ben', '', -0.5)
    write_ftm_calibration(path, {('anna', AP): anna})
    write_ftm_calibration(path, {('ben', ''): ben})
    assert read_ftm_calibration(path).fits == {('anna', AP): anna, ('ben', ''): ben}


def test_ranges_of_a_known_pair_are_corrected_and_others_are_left() -> None:
    calibration = FtmCalibration([FtmFit('anna', AP, 1.0, 1.1)])
    sample = FtmSample('anna', 5, 6.5, 0.22, AP)
    corrected = calibration.correct(sample)
    assert corrected.range_m == pytest.approx(5.0)
    assert corrected.std_m == pytest.approx(0.2)
    assert (corrected.stamp_ns, corrected.ap) == (5, AP)
    other = FtmSample('ben', 5, 6.5, 0.22, AP)
    assert calibration.correct(other) is other


@pytest.mark.parametrize(('written', 'offset', 'ap'), [
    ('1e-05', 1e-5, "'02:00:00:00:00:01'"), ('5e-1', 0.5, '02:00:00:00:00:01'),
    ('1.32', 1.32, '10:20:30:40:50:59')])
def test_numbers_and_addresses_of_a_calibration_need_no_special_spelling(
    written: str, offset: float, ap: str, tmp_path: Path,
) -> None:
    path = tmp_path / 'ftm.yaml'
    path.write_text(f'pairs:\n- {{phone: anna, ap: {ap}, offset: {written}}}\n')
    fit = read_ftm_calibration(path).fits['anna', ap.strip("'")]
    assert fit.offset == offset


@pytest.mark.parametrize('text', [
    'pairs: 3', '[1, 2]', 'pairs: [{phone: a, offset: far}]', 'pairs: [{phone: a, speed: 1.0}]',
    'pairs: [{phone: a, offset: .nan}]', 'pairs: [{phone: a, scale: 0.0}]', '{', '\x00',
    'pairs: [{phone: a}, {phone: a}]', 'pairs: [{1: 2}]'])
def test_broken_calibration_is_a_settings_error_that_names_the_file(
        tmp_path: Path, text: str) -> None:
    path = tmp_path / 'ftm.yaml'
    path.write_text(text)
    with pytest.raises(SettingsError, match=r'ftm\.yaml'):
        read_ftm_calibration(path)
