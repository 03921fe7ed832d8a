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

"""Survey of access points: offsets and places within their errors, and reasons for none."""

from collections.abc import Callable

import numpy as np
import pytest

from utt_ros.errors import MeasurementError
from utt_ros.geometry.range_model import RangeSamples
from utt_ros.geometry.range_survey import survey_ranges

PLACES_M = np.array([[0.0, 0.0], [15.0, 5.0], [6.0, -8.0]])
OFFSETS_M = np.array([0.4, -0.5, 0.1])
GIVEN = {f'ap{number}': np.array([*place, 2.5]) for number, place in enumerate(PLACES_M)}


def test_offsets_of_access_points_and_phones_are_recovered_within_their_errors(
    ranged_walks: Callable[..., RangeSamples], rng: np.random.Generator,
) -> None:
    samples = ranged_walks(rng, PLACES_M, OFFSETS_M.tolist(), [0.3, -0.3])
    survey = survey_ranges(samples, GIVEN, 1.2, 2.5)
    assert survey.offsets_m == pytest.approx(OFFSETS_M, abs=0.2)
    assert (np.abs(survey.offsets_m - OFFSETS_M) < 3.5 * survey.offset_errors_m).all()
    assert (survey.offset_errors_m < 0.15).all()
    assert survey.phone_offsets_m == pytest.approx([0.3, -0.3], abs=0.2)
    assert survey.line == pytest.approx([-0.9, 0.15], abs=0.3)
    assert not survey.position_errors_m.any()
    assert survey.positions_m[:, 2].tolist() == [2.5] * 3


def test_places_that_are_not_known_are_fitted_as_well(
    ranged_walks: Callable[..., RangeSamples], rng: np.random.Generator,
) -> None:
    samples = ranged_walks(rng, PLACES_M, OFFSETS_M.tolist(), [0.0, 0.0])
    moved = {**GIVEN, 'ap0': GIVEN['ap0'] + [3.0, 0.0, 0.0], 'ap2': None}
    survey = survey_ranges(samples, moved, 1.2, 2.5, free={'ap0'})
    assert survey.positions_m[:, :2] == pytest.approx(PLACES_M, abs=0.8)
    assert (survey.position_errors_m[[0, 2]] > 0.05).all()
    assert survey.position_errors_m[1] == 0.0
    assert survey.offsets_m == pytest.approx(OFFSETS_M, abs=0.5)


def test_only_the_access_points_that_are_asked_for_are_fitted(
    ranged_walks: Callable[..., RangeSamples], rng: np.random.Generator,
) -> None:
    samples = ranged_walks(rng, PLACES_M, OFFSETS_M.tolist())
    survey = survey_ranges(samples, {'ap2': GIVEN['ap2'], 'ap0': GIVEN['ap0']}, 1.2, 2.5)
    assert survey.addresses == ('ap2', 'ap0')
    assert survey.offsets_m == pytest.approx([-0.15, 0.15], abs=0.25)
    one = survey_ranges(samples, {'ap1': GIVEN['ap1']}, 1.2, 2.5)
    assert one.offsets_m.tolist() == [0.0], 'that of one access point belongs to the trend'
    assert one.line[0] == pytest.approx(-1.4, abs=0.5)


@pytest.mark.parametrize(('change', 'free', 'reason'), [
    ({'seconds': 15.0}, (), r'too few walks in view: ap0: 45 ranges in 3 spans of 5 s.*at least'),
    ({'seconds': 45.0, 'noise_m': 3.0}, (), r'offset of ap\d would be known to ± 0.\d\d m only'),
    ({'across': False, 'seconds': 60.0}, ('ap2',), r'ap2: it may be at .* as well as at .*cross'),
])
def test_walks_that_do_not_tell_are_refused_with_the_reason(
    ranged_walks: Callable[..., RangeSamples], rng: np.random.Generator, change: dict[str, float],
    free: tuple[str, ...], reason: str,
) -> None:
    samples = ranged_walks(rng, PLACES_M, OFFSETS_M.tolist(), **change)
    with pytest.raises(MeasurementError, match=reason):
        survey_ranges(samples, GIVEN, 1.2, 2.5, free=free)
