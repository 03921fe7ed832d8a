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

import numpy as np
import pytest

from utt_ros.sync.phone_buffers import INITIAL_SLOTS, PhoneBuffers, select_subjects
from utt_ros.types import NEVER_NS

INERTIAL, FIELD = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0), (7.0, 8.0, 9.0)
INSTANTS = np.array([10, 15])
SPAN = (0, 20)


@pytest.fixture
def phones() -> PhoneBuffers:
    return PhoneBuffers(capacity=64, max_phones=INITIAL_SLOTS + 1, max_gap_ns=10)


def fill(phones: PhoneBuffers, name: str, *, magnetic: bool = True) -> None:
    slot = phones.add_phone(name)
    for stamp in (10, 20):
        phones.inertial.add(slot, stamp, INERTIAL)
        if magnetic:
            phones.magnetic.add(slot, stamp, FIELD)


def test_slots_are_limited_and_reused(phones: PhoneBuffers) -> None:
    names = [f'p{k}' for k in range(INITIAL_SLOTS + 2)]
    slots = [phones.add_phone(name) for name in names]
    assert slots[-1] is None
    assert len(set(slots[:-1])) == INITIAL_SLOTS + 1
    phones.remove_phone('p3')
    assert phones.add_phone('q') == slots[3]


def test_a_refused_phone_costs_no_copy_of_the_buffers(phones: PhoneBuffers) -> None:
    for number in range(INITIAL_SLOTS + 1):
        phones.add_phone(f'p{number}')
    before = [ring._stamps for ring in phones.rings]
    assert phones.add_phone('stranger') is None
    assert all(ring._stamps is kept for ring, kept in zip(phones.rings, before, strict=True))


def test_a_phone_in_a_reused_slot_has_no_messages_of_the_former_one(phones: PhoneBuffers) -> None:
    fill(phones, 'a')
    phones.remove_phone('a')
    phones.add_phone('b')
    assert phones.newest('b') == NEVER_NS
    assert phones.present(SPAN) == ()


def test_samples_hold_interpolated_imu_and_the_newest_range(phones: PhoneBuffers) -> None:
    fill(phones, 'a')
    phones.ftm[0].add(phones.slots['a'], 5, (3.0, 0.5))
    samples = phones.sample(('a',), SPAN, 25, INSTANTS)
    np.testing.assert_array_equal(samples.imu[0], [(*INERTIAL, *FIELD)] * 2)
    assert samples.imu_mask.all()
    assert samples.ftm.tolist() == [[3.0, 0.5]]
    assert samples.ftm_mask.tolist() == [True]
    assert samples.ftm_age_s.tolist() == [np.float32(20e-9)]
    assert not phones.sample(('a',), SPAN, 25, INSTANTS).ftm_mask.any()  # no longer new


def test_a_missing_field_is_required_only_of_a_phone_with_a_magnetometer(
    phones: PhoneBuffers,
) -> None:
    fill(phones, 'a', magnetic=False)
    fill(phones, 'b', magnetic=False)
    phones.magnetic.add(phones.slots['b'], 12, FIELD)
    samples = phones.sample(('a', 'b'), SPAN, 25, INSTANTS)
    assert samples.imu_mask.tolist() == [[True, True], [False, False]]
    assert not samples.imu[0, :, 6:].any()


def test_a_phone_is_behind_until_its_messages_reach_the_end_of_the_span(
    phones: PhoneBuffers,
) -> None:
    fill(phones, 'a')
    assert phones.is_behind((0, 21))
    assert not phones.is_behind((0, 20))
    assert not phones.is_behind((20, 40))  # it has delivered nothing within the span


def test_overwritten_messages_count_as_lost_until_they_are_released(phones: PhoneBuffers) -> None:
    slot = phones.add_phone('a')
    for stamp in range(1, 200):
        phones.inertial.add(slot, stamp, INERTIAL)
    assert phones.mark_sampled(300) > 60
    for stamp in range(200, 290):
        phones.inertial.add(slot, stamp, INERTIAL)
    assert phones.mark_sampled(300) == 0


def test_selected_subjects_without_a_phone_get_masked_zeros(phones: PhoneBuffers) -> None:
    fill(phones, 'b')
    samples = select_subjects(phones.sample(('b',), SPAN, 25, INSTANTS), ('a', 'b', 'c'))
    assert samples.names == ('a', 'b', 'c')
    assert samples.imu_mask.any(axis=1).tolist() == [False, True, False]
    assert not samples.imu[0].any()
    assert samples.ftm_age_s.tolist() == [np.inf, np.inf, np.inf]


def test_ranges_of_further_access_points_are_sampled_each_with_its_age_and_once() -> None:
    phones = PhoneBuffers(capacity=16, max_phones=4, max_gap_ns=70, access_points=3)
    for name in ('a', 'b'):
        phones.add_phone(name)
    phones.ftm[1].add(phones.slots['a'], 40, (3.0, 0.5))
    phones.ftm[2].add(phones.slots['b'], 80, (9.0, 0.25))
    assert phones.present((0, 100)) == ('a', 'b')
    taken = phones.sample_further_ranges(('a', 'b'), ('0', 'a', 'b'), (0, 100), 100)
    again = phones.sample_further_ranges(('a', 'b'), ('0', 'a', 'b'), (0, 100), 100)
    ftm, age_s, is_new = taken
    assert ftm.tolist() == [[[0, 0], [0, 0]], [[3, 0.5], [0, 0]], [[0, 0], [9, 0.25]]]
    assert is_new.tolist() == [[False, False], [True, False], [False, True]]
    np.testing.assert_allclose(age_s[1:], [[6e-8, np.inf], [np.inf, 2e-8]])
    assert not again[2].any()
    assert (again[1] == age_s).all()
    phones.remove_phone('a')
    assert phones.present((0, 100)) == ('b',)
