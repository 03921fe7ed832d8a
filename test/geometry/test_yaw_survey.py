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

"""Survey of the yaw: recovered within its error, whatever phones are held, or refused."""

import numpy as np
import pytest

from utt_ros.errors import MeasurementError
from utt_ros.geometry.compass import wrap_angle
from utt_ros.geometry.yaw_survey import (
    GOOD_YAW_ERROR_RAD,
    HeadingSamples,
    fit_yaw,
    heading_agreement,
    usable_angles,
)


def walks(
    rng: np.random.Generator, yaw_rad: float, carried_rad: list[float], *, count: int = 60,
    noise_rad: float = 0.08,
) -> HeadingSamples:
    """Samples at random places; each phone has an error that depends on its heading."""
    phones = np.repeat(np.arange(len(carried_rad)), count)
    courses = rng.uniform(-np.pi, np.pi, len(phones))
    compass = courses + yaw_rad + np.array(carried_rad)[phones]
    compass += 0.05 * np.cos(compass + phones) + rng.normal(0, noise_rad, len(phones))
    return HeadingSamples(
        phones, np.stack([rng.uniform(2, 15, len(phones)), rng.uniform(-6, 6, len(phones))], 1),
        courses, wrap_angle(compass), tuple(f'phone{number}' for number in range(
            len(carried_rad))))


@pytest.mark.parametrize('yaw_rad', [-3.1, 0.0, 1.2])
def test_yaw_is_recovered_from_phones_that_point_ahead_in_the_mean(
        rng: np.random.Generator, yaw_rad: float) -> None:
    fit = fit_yaw(walks(rng, yaw_rad, [0.1, -0.12, 0.05, -0.03]))
    assert abs(wrap_angle(np.array(fit.yaw_rad - yaw_rad))) < 0.035
    assert 0.04 < fit.error_rad < 0.08, 'each phone may be held anyhow'
    assert fit.error_rad < fit.field_error_rad
    assert fit.carried_rad == pytest.approx([0.1, -0.12, 0.05, -0.03], abs=0.04)


def test_known_angles_of_phones_do_not_move_the_yaw(rng: np.random.Generator) -> None:
    held = [0.3, 0.25, 0.2]
    fit = fit_yaw(walks(rng, 0.7, held), np.array([0.3, 0.25, 0.2]))
    assert fit.yaw_rad == pytest.approx(0.7, abs=0.03)
    assert fit.error_rad < 0.04
    assert fit_yaw(walks(rng, 0.7, held)).yaw_rad > 0.85, 'without them they are part of it'
    mixed = fit_yaw(walks(rng, 0.7, [0.3, 0.0]), np.array([0.3, np.nan]))
    assert mixed.yaw_rad == pytest.approx(0.7, abs=0.06)


def test_each_walked_place_counts_once_however_often_it_was_walked(
        rng: np.random.Generator) -> None:
    wide, narrow = (np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
                    for side in (6, 2))
    once, often = walks(rng, 0.8, [0.0, 0.0], count=36), walks(rng, 0.7, [0.0, 0.0], count=240)
    phones, courses, compass = (
        np.concatenate([getattr(part, name) for part in (once, often)])
        for name in ('phones', 'courses_rad', 'compass_rad'))
    places = np.concatenate([np.resize(wide + 0.5, (72, 2)),
                             np.resize(narrow + np.array([20.5, 0.5]), (480, 2))])
    fit = fit_yaw(HeadingSamples(phones, places, courses, compass), np.zeros(2))
    assert fit.yaw_rad == pytest.approx((36 * 0.8 + 4 * 0.7) / 40, abs=0.02)


def test_one_disturbed_place_and_gross_errors_move_the_yaw_little(
        rng: np.random.Generator) -> None:
    samples = walks(rng, 0.7, [0.0] * 4, count=100)
    compass = samples.compass_rad.copy()
    compass[np.linalg.norm(samples.positions_m - [5.0, 0.0], axis=1) < 2.0] += 0.5
    compass[rng.random(len(compass)) < 0.05] += 2.0
    fit = fit_yaw(HeadingSamples(
        samples.phones, samples.positions_m, samples.courses_rad, compass, samples.names))
    assert fit.yaw_rad == pytest.approx(0.7, abs=0.07)


@pytest.mark.parametrize(('change', 'reason'), [
    ({'count': 10}, '10 samples of a walk with a compass in view: at least 60'),
    ({'noise_rad': 3.0}, 'the compass does not follow the walks'),
    ({'noise_rad': 0.75}, 'the magnetic field of the room is too disturbed'),
])
def test_walks_that_do_not_tell_the_yaw_are_refused(
        rng: np.random.Generator, change: dict[str, float], reason: str) -> None:
    with pytest.raises(MeasurementError, match=reason):
        fit_yaw(walks(rng, 0.7, [0.0], **change))  # type: ignore[arg-type]


def test_walks_at_one_place_tell_that_they_do_not_give_a_good_yaw(
        rng: np.random.Generator) -> None:
    samples = walks(rng, 0.7, [0.0])
    fit = fit_yaw(HeadingSamples(
        samples.phones, np.full((60, 2), 0.5), np.zeros(60), 0.1 * rng.normal(size=60),
        samples.names))
    assert fit.yaw_rad == pytest.approx(0.0, abs=0.1)
    assert GOOD_YAW_ERROR_RAD < fit.error_rad < fit.field_error_rad < np.inf


@pytest.mark.parametrize(('angles', 'usable'), [
    ([0.1, -0.2, 0.05], True), ([0.1, np.nan, -0.1, 0.0], True),
    ([0.3, 0.25, 0.28], False), ([0.1, np.nan, np.nan], False), ([np.nan], False)])
def test_angles_by_steps_count_when_most_phones_have_one_and_their_mean_is_small(
        angles: list[float], usable: bool) -> None:
    assert (usable_angles(np.array(angles)) is not None) == usable


def test_agreement_is_1_for_a_constant_difference_and_0_for_none(
        rng: np.random.Generator) -> None:
    courses = rng.uniform(-np.pi, np.pi, 500)
    assert heading_agreement(courses + 1.0, courses) == pytest.approx(1.0)
    assert heading_agreement(rng.uniform(-np.pi, np.pi, 500), courses) < 0.15
