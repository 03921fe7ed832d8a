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

"""Fields of phones, remembered relative to courses."""

import numpy as np
import pytest

from utt_ros.geometry.compass import rotate_about
from utt_ros.twin.expected_measurements import ExpectedMeasurement
from utt_ros.twin.held_fields import FIELD_STD_T, NEWEST_STD_T, HeldFields, unoriented_std
from utt_ros.types import Array, ComplexArray

UP = np.array([0.0, 0.6, 0.8])  # of a phone that is tilted towards its owner
AT_COURSE_0 = np.array([28e-6, -24e-6, -32e-6])  # 28 uT across the phone, 40 uT down
T0_NS = 1_700_000_000_000_000_000
LONG_S = 1000.0  # after which the newest field tells nothing


def field(course: float) -> Array:
    return np.asarray(rotate_about(UP[:, None], AT_COURSE_0[:, None], np.array([-course]))[:, 0])


def sure(course: float) -> Array:
    return np.exp(1j * course * np.array([1, 2]))


def walk(
    fields: HeldFields, course: float, turned: float, ticks: int, sureness: float = 1.0,
    row: int = 0, begin_s: float = 0.0,
) -> float:
    """Learn at a course from a phone that is `turned` from that of AT_COURSE_0; return the end."""
    return learn(fields, field(turned), sureness * sure(course), ticks, row, begin_s)


def learn(
    fields: HeldFields, magnetic: Array, courses: ComplexArray, ticks: int, row: int = 0,
    begin_s: float = 0.0,
) -> float:
    imu = np.concatenate([9.81 * UP, np.zeros(3), magnetic]).astype(np.float32)
    for tick in range(ticks):
        end_s = begin_s + 0.1 * tick
        fields.learn(np.array([row]), np.tile(imu, (1, 5, 1)), np.ones((1, 5), bool),
                     courses[:, None], T0_NS + round(1e9 * end_s))
    return end_s


def expect(fields: HeldFields, courses: ComplexArray, time_s: float) -> ExpectedMeasurement:
    found = fields.expect(0, courses, T0_NS + round(1e9 * time_s))
    assert found is not None
    return found


def test_a_phone_that_was_never_measured_has_no_field() -> None:
    fields = HeldFields(2)
    walk(fields, 0.3, 0.3, 5, row=1)
    assert fields.expect(0, sure(0.0), T0_NS) is None
    fields.forget(1)
    assert fields.expect(1, sure(0.0), T0_NS) is None


def test_the_field_turns_with_the_course_about_the_vertical_of_the_phone() -> None:
    fields = HeldFields(1)
    end_s = walk(fields, 0.4, 0.4, 50)
    found = expect(fields, sure(2.0), end_s + 3.0)
    errors = [np.abs(found.mean[6:] - field(course)).max() for course in (0.4, 2.0)]
    assert errors[1] < 0.4 * errors[0]  # the newest field, 3 s old, counts a little
    assert found.mean[6:] @ UP == pytest.approx(AT_COURSE_0 @ UP, rel=0.02)
    assert np.isnan(found.mean[:6]).all()
    assert np.isnan(found.std[:6]).all()


def test_a_field_that_is_measured_now_counts_more_than_the_course() -> None:
    fields = HeldFields(1)
    end_s = walk(fields, 0.4, 0.4, 50)
    found = expect(fields, sure(2.0), end_s)
    assert np.linalg.norm(found.mean[6:] - field(0.4)) < np.linalg.norm(
        found.mean[6:] - field(2.0))
    assert (found.std[6:] < NEWEST_STD_T).all()


def test_the_deviation_grows_with_time_and_with_the_uncertainty_of_the_course() -> None:
    fields = HeldFields(1)
    end_s = walk(fields, 0.4, 0.4, 50)
    stds = []
    for directions, age_s in ((sure(0.4), 0.0), (sure(0.4), 6.0), (0.0 * sure(0.4), 6.0)):
        found = expect(fields, directions, end_s + age_s)
        stds.append(found.std[6])
    assert stds == sorted(stds)
    assert stds[2] > 1.2 * stds[1]
    assert stds[1] > 1.2 * stds[0]


def test_without_a_course_the_vertical_field_is_left() -> None:
    fields = HeldFields(1)
    walk(fields, 0.4, 0.4, 50)
    found = expect(fields, np.zeros(2, np.complex128), LONG_S)
    level = found.mean[6:] - UP * (UP @ found.mean[6:])
    assert UP @ found.mean[6:] == pytest.approx(UP @ AT_COURSE_0, rel=0.3)
    assert np.linalg.norm(level) < 0.5 * np.linalg.norm(field(0.4) - UP * (UP @ AT_COURSE_0))


def test_unsure_courses_teach_little() -> None:
    errors = []
    for sureness in (1.0, 0.2):
        fields = HeldFields(1)
        end_s = walk(fields, 0.4, 0.4, 50)
        end_s = walk(fields, 2.5, 0.4, 20, sureness, begin_s=end_s + 0.1)  # a wrong course
        found = expect(fields, sure(1.0), end_s + 3.0)
        errors.append(np.abs(found.mean[6:] - field(1.0)).max())
    assert errors[1] < 0.5 * errors[0]


def test_a_new_way_of_holding_is_learned_within_seconds() -> None:
    fields = HeldFields(1)
    end_s = walk(fields, 0.0, 0.0, 100)
    # the phone turns, the course does not
    end_s = walk(fields, 0.0, 1.5, 150, begin_s=end_s + 0.1)
    found = expect(fields, sure(0.0), end_s)
    assert np.abs(found.mean[6:] - field(1.5)).max() < FIELD_STD_T


def test_one_tick_after_a_long_absence_counts_as_the_first_one() -> None:
    """The phone was silent for a minute, and is held in another way."""
    found = []
    for ticks in (0, 100):
        fields = HeldFields(1)
        if ticks:
            walk(fields, 0.0, 0.0, ticks)
        end_s = walk(fields, 0.0, 1.5, 1, begin_s=70.0)
        found += [expect(fields, sure(course), end_s + age_s)
                  for course, age_s in ((0.0, 0.0), (2.0, 3.0))]
    for first, returned in zip(found[:2], found[2:], strict=True):
        assert returned.mean[6:] == pytest.approx(first.mean[6:], abs=0.1e-6)
        assert returned.std[6:] == pytest.approx(first.std[6:], rel=0.01)


def test_the_newest_field_follows_the_time_between_ticks() -> None:
    """At ten ticks per second a fifth of each tick counts."""
    known = []
    for ticks in (1, 2):
        fields = HeldFields(1)
        end_s = walk(fields, 0.0, 0.0, 20)
        for _ in range(ticks):  # without a course, so that only the newest field tells
            end_s += 0.2 / ticks
            walk(fields, 0.0, 1.5, 1, sureness=0.0, begin_s=end_s)
        known.append(expect(fields, 0.0 * sure(0.0), end_s).mean[6])
    assert known[0] == pytest.approx(known[1], abs=0.2e-6)


def test_rows_that_are_masked_or_not_finite_teach_nothing() -> None:
    fields = HeldFields(3)
    imu = np.ones((3, 5, 9), np.float32)
    imu[1, 2, 6] = np.nan
    mask = np.ones((3, 5), bool)
    mask[0] = False
    fields.learn(np.arange(3), imu, mask, np.ones((2, 3), np.complex128), T0_NS)
    assert [fields.expect(row, sure(0.0), T0_NS) is None for row in range(3)] == [
        True, True, False]


def test_a_phone_without_a_magnetometer_has_no_field() -> None:
    fields = HeldFields(1)
    learn(fields, np.zeros(3), sure(0.0), 50)
    assert fields.expect(0, sure(0.0), T0_NS) is None


def test_while_the_field_of_a_phone_stalls_the_one_before_is_expected() -> None:
    found = []
    for stalled in (0, 30):
        fields = HeldFields(1)
        end_s = walk(fields, 0.4, 0.4, 50)
        if stalled:
            learn(fields, np.zeros(3), sure(0.4), stalled, begin_s=end_s + 0.1)
        found.append(expect(fields, sure(2.0), end_s + 3.0))
    np.testing.assert_array_equal(found[0].mean, found[1].mean)
    np.testing.assert_array_equal(found[0].std, found[1].std)


def test_deviations_of_a_field_are_alike_in_all_directions_and_others_stay() -> None:
    std = np.arange(1.0, 10.0)
    assert unoriented_std('imu', std) == pytest.approx([*std[:6], *[(194 / 3)**0.5] * 3])
    assert unoriented_std('camera', std[:5]) == pytest.approx(std[:5])
    assert np.isnan(unoriented_std('imu', np.full(9, np.nan))).all()
