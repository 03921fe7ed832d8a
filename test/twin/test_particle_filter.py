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

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.access_point_list import AccessPoint
from utt_ros.errors import MeasurementError
from utt_ros.motion.velocity import observe_positions
from utt_ros.settings import AreaSettings
from utt_ros.twin.filter_types import MotionPrior
from utt_ros.twin.particle_filter import ParticleFilter
from utt_ros.twin.range_offsets import PhoneOffset, RangeOffsets
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.types import CHI2_90_2D

AREA = AreaSettings(area='hall')
T0 = 1_700_000_000_000_000_000  # stamp of the first tick of a world


def mahalanobis(estimate, world):
    error = estimate.position - world.position
    return np.einsum('si,sij,sj->s', error, np.linalg.inv(estimate.covariance), error)


def test_camera_mode_beats_raw_back_projection(world):
    people, tracker = world(), ParticleFilter(AREA)
    raw, filtered = [], []
    for k in range(150):
        batch = people.tick()
        estimate = tracker.step(batch, people.prior())
        seen = batch.camera_mask & (k > 10)
        depth_only = people.camera.back_project(batch.camera[seen])
        raw.append(np.linalg.norm(depth_only - people.position[seen], axis=1))
        filtered.append(people.distance(estimate)[seen])
    raw, filtered = np.concatenate(raw), np.concatenate(filtered)
    assert np.median(filtered) < 0.6 * np.median(raw)
    assert np.percentile(filtered, 90) < 0.6 * np.percentile(raw, 90)


def test_without_the_camera_imu_and_ftm_together_beat_ftm_alone(world):
    errors = {}
    for guided in (True, False):
        people, tracker = world(subjects=20), ParticleFilter(AREA)
        people.walk(tracker, 50)
        found = []
        for _ in range(100):
            estimate = people.walk(tracker, 1, guided=guided, camera=False)
            found.append(people.distance(estimate))
        errors[guided] = np.median(found[30:])
    assert errors[True] < 0.7 * errors[False]
    assert errors[True] < 1.5


@pytest.mark.parametrize('sensors', [{}, {'camera': False}], ids=['camera', 'no camera'])
def test_ellipse_of_90_percent_covers_about_that(world, sensors):
    people, tracker = world(subjects=20, seed=4), ParticleFilter(AREA)
    people.walk(tracker, 50)
    inside = []
    for _ in range(100):
        estimate = people.walk(tracker, 1, **sensors)
        inside.append(mahalanobis(estimate, people) < CHI2_90_2D)
    assert 0.80 <= np.mean(inside) <= 0.98


@pytest.mark.parametrize(('name', 'small', 'large'), [
    ('box_error', 0.0, 8.0), ('body_spread', 1.0, 4.0)])
def test_errors_of_boxes_widen_ellipses_also_where_positions_of_boxes_are_given(
        world, name, small, large):
    people = world(subjects=8, seed=4)
    batches = [people.tick() for _ in range(20)]

    def areas(value, *, given):
        tracker = ParticleFilter(AREA, ParticleFilterSettings(**{name: value}))
        for batch in batches:
            observed = observe_positions(batch.camera, batch.camera_mask, AREA) if given else None
            estimate = tracker.step(batch, None, observed)
        return np.linalg.det(estimate.covariance)

    exact, coarse = areas(small, given=True), areas(large, given=True)
    assert np.median(coarse / exact) > 2.0
    np.testing.assert_array_equal(coarse, areas(large, given=False))


def test_the_ring_of_a_first_range_becomes_a_position_when_the_subject_turns(world):
    people, tracker = world(subjects=12, seed=2), ParticleFilter(AREA)
    first = people.walk(tracker, 1, camera=False)
    assert first.known.all()
    radius = np.hypot(*people.position.T)
    spread = np.sqrt(np.trace(first.covariance, axis1=1, axis2=2))
    assert np.median(spread / radius) > 0.8  # all around the access point
    last = people.walk(tracker, 300, camera=False)
    assert np.median(people.distance(last)) < 0.35 * np.median(people.distance(first))


def test_nothing_is_known_before_camera_or_range(world):
    people, tracker = world(subjects=2), ParticleFilter(AREA)
    estimate = people.walk(tracker, 3, camera=False, ftm=False)
    assert not estimate.known.any()
    assert (estimate.position == 0).all()
    assert np.isinf(estimate.age_s['camera']).all()
    assert (estimate.age_s['imu'] == 0).all()


def test_an_outlier_of_the_camera_is_ignored_and_a_second_one_in_a_row_accepted(world):
    people, tracker = world(subjects=1), ParticleFilter(AREA)
    people.position[:] = 6.0, 0.0
    before = people.walk(tracker, 20)
    batch = people.tick()
    batch.camera[:] = people.camera.project([[14.0, 3.0]])
    batch.camera_mask[:] = True
    after = tracker.step(batch, people.prior())
    assert np.linalg.norm(after.position - before.position) < 0.5
    batch = people.tick()
    batch.camera[:] = people.camera.project([[14.0, 3.0]])
    batch.camera_mask[:] = True
    moved = tracker.step(batch, people.prior())
    np.testing.assert_allclose(moved.position, [[14.0, 3.0]], atol=0.5)


def test_compass_error_is_learned_while_the_camera_sees_the_subject(world):
    people, tracker = world(subjects=8), ParticleFilter(AREA)
    people.compass_error[:] = 0.35
    estimate = people.walk(tracker, 100)
    assert np.median(np.abs(estimate.compass_error - 0.35)) < 0.15


def test_the_trend_of_ranges_is_learned_where_there_is_a_camera(world):
    people, tracker = world(subjects=20), ParticleFilter(AREA)
    people.walk(tracker, 150)
    # 1.1 d - 0.5, as in the world; only what it gives within reach of the camera matters
    found = tracker.range_trends[0] @ [[1.0] * 2, [6.0, 14.0]]
    np.testing.assert_allclose(found, [0.1, 0.9], atol=0.3)


def further_ranges(batch, people, area, every=3):
    """The tick with ranges to the access points after the first, whose offsets differ."""
    columns = []
    for number, (x, y, z) in enumerate(area.ap_positions[1:]):
        plane = np.hypot(*(people.position - (x, y)).T)
        distance = np.hypot(plane, z - area.phone_height)
        noise = 0.5 * people.rng.standard_t(4, len(plane))
        columns.append(1.1 * distance - 0.5 + 0.6 * number + noise)
    values = np.stack(columns, axis=1).astype(np.float32)
    mask = np.full(values.shape, batch.sequence % every == 1)
    return replace(
        batch, further_ftm=np.stack([values, 0.4 + 0 * values], axis=2) * mask[..., None],
        further_ftm_age_s=np.full(values.shape, 0.1, np.float32), further_ftm_mask=mask)


def places(*positions):
    return replace(AREA, access_points=tuple(
        AccessPoint(f'ap{number}', (x, y, 2.5)) for number, (x, y) in enumerate(positions)))


def test_with_three_access_points_people_are_found_without_a_camera(world):
    errors = []
    for area in (AREA, places((0, 0), (12, 8), (14, -9))):
        people, tracker = world(subjects=12), ParticleFilter(area)
        for _ in range(120):
            batch = people.tick(camera=False)
            if len(area.ap_positions) > 1:
                batch = further_ranges(batch, people, area)
            estimate = tracker.step(batch, people.prior())
        errors.append(np.linalg.norm(estimate.position - people.position, axis=1))
    assert np.median(errors[1]) < 1.2
    assert np.median(errors[1]) < 0.5 * np.median(errors[0])


def test_the_trend_of_each_access_point_is_learned(world):
    area = places((0, 0), (12, 8), (14, -9))
    people, tracker = world(subjects=20), ParticleFilter(area)
    for _ in range(150):
        tracker.step(further_ranges(people.tick(), people, area), people.prior())
    found = tracker.range_trends @ [1.0, 9.0]
    np.testing.assert_allclose(found, [0.4, 0.4, 1.0], atol=0.3)


def test_an_address_alone_changes_no_bit(world):
    found = []
    for area in (AREA, places(AREA.ap_position[:2])):
        people, tracker = world(subjects=5), ParticleFilter(area)
        estimate = people.walk(tracker, 40)
        estimate = people.walk(tracker, 40, camera=False)
        found.append((estimate.position.tobytes(), estimate.covariance.tobytes()))
    assert found[0] == found[1]


def test_a_tick_with_more_access_points_than_the_area_is_refused(world):
    area, people = places((0, 0), (12, 8), (14, -9)), world(subjects=2)
    batch = further_ranges(people.tick(), people, area)
    with pytest.raises(MeasurementError, match='ranges of 3 access points: the area has 2'):
        ParticleFilter(places((0, 0), (12, 8))).step(batch)


def test_ages_are_the_times_since_the_last_measurement_of_each_sensor(world):
    people, tracker = world(subjects=3), ParticleFilter(AREA)
    people.walk(tracker, 4)
    estimate = people.walk(tracker, 5, camera=False, imu=False)
    assert (estimate.age_s['camera'] >= 0.5).all()
    np.testing.assert_allclose(estimate.age_s['imu'], 0.5)
    assert (estimate.age_s['ftm'] <= 0.3).all()


def test_subjects_that_come_and_go_do_not_change_the_estimates_of_others(world):
    """Random numbers are per subject, so estimates stay the same to the bit."""
    alone, together = [], []
    for found, joins in ((alone, False), (together, True)):
        people, tracker = world(subjects=3), ParticleFilter(AREA)
        for k in range(40):
            visitor = joins and 10 <= k < 30
            who = slice(0, 3) if visitor else slice(0, 2)
            estimate = tracker.step(people.tick(camera=False, who=who), people.prior(who))
            found.append(estimate.position[:2])
    np.testing.assert_array_equal(alone, together)


def test_short_absence_is_bridged_and_a_long_one_forgotten(world):
    people, tracker = world(subjects=2), ParticleFilter(AREA)
    people.walk(tracker, 20)
    for absent, known in ((15, True), (25, False)):
        for _ in range(absent):
            tracker.step(people.tick(who=slice(0, 1)), people.prior(slice(0, 1)))
        estimate = people.walk(tracker, 1, camera=False, ftm=False)
        assert estimate.known.tolist() == [True, known]


def test_new_epoch_starts_everybody_anew(world):
    people, tracker = world(subjects=3), ParticleFilter(AREA)
    assert people.walk(tracker, 5).known.all()
    people.sequence, people.epoch = 0, 1
    estimate = people.walk(tracker, 1, camera=False, ftm=False)
    assert not estimate.known.any()
    assert np.isinf(estimate.age_s['camera']).all()


def test_same_batches_give_the_same_bits(world):
    runs = []
    for _ in range(2):
        people, tracker = world(subjects=5), ParticleFilter(AREA)
        people.walk(tracker, 30)
        runs.append(people.walk(tracker, 30, camera=False))
    np.testing.assert_array_equal(runs[0].position, runs[1].position)
    np.testing.assert_array_equal(runs[0].covariance, runs[1].covariance)


def test_values_that_are_not_finite_count_as_not_measured(world):
    people, tracker = world(subjects=3), ParticleFilter(AREA)
    people.walk(tracker, 10)
    for wrong in (np.nan, np.inf, -np.inf):
        batch = people.tick()
        batch.camera[:], batch.camera_mask[:] = wrong, True
        batch.ftm[:], batch.ftm_mask[:] = wrong, True
        estimate = tracker.step(batch, people.prior())
        assert np.isfinite(estimate.position).all()
    assert (people.distance(estimate) < 1.5).all()


@pytest.mark.parametrize('box', [[0, 0, 0, 0, 0], [640, 360, 1e30, 1, 1], [1e20] * 5,
                                 [640, 300, -5, -3, -9]])
@pytest.mark.parametrize('measured', [-1e20, -3.0, 0.0, 1e20])
def test_absurd_values_leave_the_estimate_finite(world, box, measured):
    people, tracker = world(subjects=2), ParticleFilter(AREA)
    for _ in range(12):
        batch = people.tick()
        batch.camera[:], batch.camera_mask[:] = box, True
        batch.ftm[:, 0], batch.ftm_mask[:] = measured, True
        estimate = tracker.step(batch, people.prior())
        for part in (estimate.position, estimate.covariance, estimate.velocity):
            assert np.isfinite(part).all()
    people.position[:] = 8.0, 0.0
    estimate = people.walk(tracker, 5)
    assert (people.distance(estimate) < 1.0).all()


def test_people_beyond_the_limit_are_refused_and_the_rest_served(world):
    people = world(subjects=6)
    tracker = ParticleFilter(AREA, ParticleFilterSettings(max_subjects=4))
    estimate = people.walk(tracker, 3)
    assert estimate.known.tolist() == [True] * 4 + [False] * 2
    assert tracker.refused == 6


def test_a_batch_without_subjects_gives_an_empty_estimate(world):
    people, tracker = world(subjects=2), ParticleFilter(AREA)
    estimate = tracker.step(people.tick(who=slice(0, 0)), people.prior(slice(0, 0)))
    assert estimate.position.shape == (0, 2)


def test_a_prior_without_a_valid_heading_is_not_used(world):
    people, tracker = world(subjects=2), ParticleFilter(AREA)
    people.walk(tracker, 10)
    fast = MotionPrior(np.zeros(2, np.float32), np.zeros(2, bool), np.full((2, 2), 50, np.float32),
                np.ones((2, 2), np.float32))
    for _ in range(10):
        estimate = tracker.step(people.tick(camera=False, ftm=False), fast)
    assert (np.linalg.norm(estimate.velocity, axis=1) < 3).all()


def test_empty_frames_of_a_covered_camera_do_not_push_people_out_of_view(world):
    people, tracker = world(subjects=20, seed=3), ParticleFilter(AREA)
    people.position[:] = people.rng.uniform([5, -2], [11, 2], (20, 2))
    people.walk(tracker, 30)
    inside = []
    for _ in range(100):
        batch = people.tick()
        batch.camera_mask[:] = False
        estimate = tracker.step(batch, people.prior())
        inside.append(people.distance(estimate))
    assert np.median(inside[30:]) < 1.6


def test_a_filter_begins_with_the_trends_and_phones_that_an_earlier_one_learned(world):
    area = places((0, 0), (12, 8), (14, -9))
    people, tracker = world(subjects=20), ParticleFilter(area)
    for _ in range(150):
        tracker.step(further_ranges(people.tick(), people, area), people.prior())
    known = tracker.known_offsets()
    assert [row.ap for row in known.access_points] == ['ap0', 'ap1', 'ap2']
    later = ParticleFilter(area, offsets=known)
    np.testing.assert_allclose(later.range_trends, tracker.range_trends, atol=1e-9)
    assert later.known_offsets().access_points == tuple(
        replace(row, offset_error=again.offset_error, slope_error=again.slope_error,
                correlation=again.correlation)
        for row, again in zip(known.access_points, later.known_offsets().access_points,
                              strict=True))
    assert not ParticleFilter(area).known_offsets().access_points, 'nothing was learned'
    elsewhere = ParticleFilter(places((0, 1), (12, 8), (14, -9)), offsets=known)
    assert elsewhere.range_trends[0].tolist() == [-0.5, 0.1], 'it was moved'
    np.testing.assert_allclose(elsewhere.range_trends[1:], tracker.range_trends[1:], atol=1e-9)


def test_offsets_without_a_row_change_no_bit(world):
    found = []
    for offsets in (None, RangeOffsets()):
        people, tracker = world(), ParticleFilter(AREA, offsets=offsets)
        people.walk(tracker, 30)
        found.append(people.walk(tracker, 20, camera=False))
    assert np.array_equal(found[0].position, found[1].position)
    assert np.array_equal(found[0].covariance, found[1].covariance)


def test_known_offset_of_a_phone_is_taken_off_its_ranges(world):
    errors = []
    for offset_m in (0.0, 3.0):
        people, area = world(subjects=12), places((0, 0), (12, 8), (14, -9))
        tracker = ParticleFilter(area, offsets=RangeOffsets((), tuple(
            PhoneOffset(name, '', offset_m, 0.1) for name in people.tick().subjects)))
        for _ in range(120):
            batch = further_ranges(people.tick(camera=False), people, area)
            batch = replace(batch, ftm=batch.ftm + np.array([3, 0], np.float32),
                            further_ftm=batch.further_ftm + np.array([3, 0], np.float32))
            estimate = tracker.step(batch, people.prior())
        errors.append(np.median(np.linalg.norm(estimate.position - people.position, axis=1)))
    assert errors[1] < 1.2
    assert errors[1] < 0.8 * errors[0]


def test_how_a_phone_is_held_is_learned_once_per_tick_and_forgotten_with_its_owner(world):
    people = world(subjects=2)
    people.position[:], people.direction[:] = (6.0, -1.0), 0.4
    tracker = ParticleFilter(AREA, ParticleFilterSettings(max_subjects=1))

    def expected_after(ticks, who, **sensors):
        for _ in range(ticks):
            batch = people.tick(who=who, **sensors)
            batch.imu[..., 2], batch.imu[..., 6:] = 9.81, (0.0, 28e-6, -30e-6)
            tracker.step(batch, people.prior(who))
            tracker.learn_fields()
        return tracker.expected_measurements('imu', batch.stamp_ns)

    first, nobody, second = slice(0, 1), slice(0, 0), slice(1, 2)
    expected = expected_after(20, first)
    assert list(expected) == ['s00']
    assert not tracker.expected_measurements('imu', 0), 'no tick has this stamp'
    tracker.learn_fields()  # again
    later = tracker.expected_measurements('imu', T0 + 19 * 10**8)
    np.testing.assert_array_equal(later['s00'].mean, expected['s00'].mean)
    np.testing.assert_array_equal(later['s00'].std, expected['s00'].std)
    held = expected_after(20, first, imu=False)
    assert (held['s00'].std[6:8] > 1.2 * expected['s00'].std[6:8]).all(), 'it is of 2 s ago'
    expected_after(25, nobody)
    assert expected_after(6, second, imu=False) == {}
    assert list(tracker.expected_measurements('ftm', T0 + 70 * 10**8)) == ['s01']
    assert list(expected_after(1, second)) == ['s01']
