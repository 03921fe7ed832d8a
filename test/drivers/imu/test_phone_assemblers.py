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

from collections import Counter

import numpy as np
import pytest

from utt_ros.drivers.imu.phone_assemblers import PhoneAssemblers, PhoneSettings
from utt_ros.drivers.imu.readings import Reading
from utt_ros.drivers.types import InertialSample

NS_PER_S = 1_000_000_000
MS = 1_000_000
BEGIN_NS = 1_790_000_000 * NS_PER_S
DAY_NS = 86_400 * NS_PER_S


def make(**values: object) -> tuple[PhoneAssemblers, Counter[str]]:
    counters: Counter[str] = Counter()
    given = PhoneSettings(**values)
    return PhoneAssemblers(given, given.pairing(), counters), counters


def send(
    phones: PhoneAssemblers, host_ns: int, offset_ns: int, delay_ns: int = 2 * MS,
) -> list[InertialSample]:
    stamp_ns = host_ns + offset_ns
    readings = [Reading('gyro', stamp_ns, (0.0, 0.0, 0.0)),
                Reading('accel', stamp_ns, (0.0, 0.0, 9.8))]
    return phones.add('one', readings, host_ns + delay_ns)


def test_stamps_of_a_phone_3_days_off_that_drifts_are_true_within_2_ms(
    rng: np.random.Generator,
) -> None:
    phones, counters = make()
    errors, sent = [], 0
    for index in range(9000):
        passed_ns = index * 10 * MS
        offset_ns = -3 * DAY_NS + round(100e-6 * passed_ns)
        delay_ns = round((2.0 + rng.exponential(15.0)) * MS)
        sent += 1
        samples = send(phones, BEGIN_NS + passed_ns, offset_ns, delay_ns)
        errors += [(sample.stamp_ns - BEGIN_NS - passed_ns) / MS - 2.0 for sample in samples]
    assert np.abs(errors[-2500:]).max() < 2.0
    assert len(errors) == sent - counters['backward']
    assert counters['backward'] < 40
    assert phones.status()['one.drift_ppm'] == pytest.approx(-100.0, abs=40.0)


def test_a_phone_whose_clock_jumps_back_is_received_again_with_increasing_stamps() -> None:
    phones, counters = make()
    stamps = []
    for index in range(1000):
        offset_ns = 0 if index < 500 else -3 * DAY_NS  # it was started anew
        samples = send(phones, BEGIN_NS + index * 10 * MS, offset_ns)
        stamps += [sample.stamp_ns for sample in samples]
    assert np.all(np.diff(stamps) > 0)
    assert counters == {'other_clock': 400}  # two readings each, for two seconds
    assert stamps[-1] == BEGIN_NS + 9990 * MS + 2 * MS
    assert len(stamps) == 800


@pytest.mark.parametrize('is_stamped_by_arrival', [False, True])
def test_phones_are_received_again_after_the_host_clock_was_set_back(
    is_stamped_by_arrival: bool,
) -> None:
    phones, counters = make()
    stamps = []
    for index in range(1000):
        passed_ns = index * 10 * MS
        host_ns = BEGIN_NS + passed_ns - (0 if index < 500 else 3600 * NS_PER_S)
        peer_ns = host_ns + 2 * MS if is_stamped_by_arrival else DAY_NS + passed_ns
        stamps += [sample.stamp_ns for sample in send(phones, host_ns, peer_ns - host_ns)]
    assert counters['host_set_back'] == 1
    assert counters['backward'] == counters['late'] == 0
    assert len(stamps) == (1000 if is_stamped_by_arrival else 800)
    assert stamps[-1] == BEGIN_NS + 9990 * MS - 3600 * NS_PER_S + 2 * MS


@pytest.mark.parametrize(('kind', 'z'), [
    ('accel', -9.8), ('force', -9.8), ('raw_force', -1.0)])
def test_units_and_signs_of_ios_become_those_of_android(kind: str, z: float) -> None:
    given = PhoneSettings()
    phones = PhoneAssemblers(given, given.pairing(), Counter(), inverted=('one',))
    samples = phones.add('one', [Reading('gyro', BEGIN_NS, (0.0, 0.0, 0.0)),
                                 Reading(kind, BEGIN_NS, (0.0, 0.0, z))], BEGIN_NS)
    assert samples[0].accel[2] == pytest.approx(9.8, abs=0.01)


def test_ids_that_are_too_long_are_unknown_phones() -> None:
    phones, counters = make()
    assert phones.add('a' * 100_000, [Reading('accel', BEGIN_NS, (0.0, 0.0, 0.0))], BEGIN_NS) == []
    assert counters == {'unknown_phone': 1}


def test_an_outlying_stamp_affects_only_its_own_batch() -> None:
    phones, counters = make()
    for index in range(100):
        assert len(send(phones, BEGIN_NS + index * 10 * MS, 0)) == 1
        if index == 50:
            assert send(phones, BEGIN_NS + index * 10 * MS, DAY_NS) == []
    assert counters == {'other_clock': 2}


def test_batches_are_stamped_with_their_times_of_measurement() -> None:
    phones, counters = make()
    samples = []
    for second in range(5):
        begin_ns = BEGIN_NS + second * NS_PER_S
        readings = [Reading(kind, begin_ns + index * 10 * MS + DAY_NS, (0.0, 0.0, 0.0))
                    for kind in ('accel', 'gyro') for index in range(100)]
        samples += phones.add('one', readings, begin_ns + 990 * MS)
    assert [sample.stamp_ns for sample in samples] == [
        BEGIN_NS + index * 10 * MS for index in range(500)]
    assert not counters


@pytest.mark.parametrize('newest_first', [False, True])
def test_a_batch_measured_during_a_network_outage_is_taken_completely(
    newest_first: bool,
) -> None:
    phones, counters = make(reorder=0.3)
    readings = [Reading(kind, DAY_NS + index * 5 * MS, (0.0, 0.0, 0.0))
                for kind in ('accel', 'gyro') for index in range(10_000)]  # 50 s at 200 Hz
    samples = phones.add('one', readings[::-1] if newest_first else readings, BEGIN_NS)
    assert len(samples) == 10_000 - 60  # the last 0.3 s wait
    assert not counters


def test_readings_much_older_than_the_newest_of_a_batch_are_late() -> None:
    phones, counters = make()
    old = Reading('accel', 5, (0.0, 0.0, 0.0))
    phones.add('one', [old, Reading('accel', BEGIN_NS, (0.0, 0.0, 0.0))], BEGIN_NS)
    assert counters == {'late': 1}


def test_pushes_that_overtake_each_other_are_put_in_order() -> None:
    phones, counters = make(reorder=0.3)
    samples = []
    for push in (0, 1, 3, 2, 4, 5, 7, 6, 8, 9):  # of 0.2 s each; the late ones are held back
        begin_ns = push * 200 * MS
        readings = [Reading(kind, begin_ns + index * 10 * MS + NS_PER_S, (0.0, 0.0, 0.0))
                    for kind in ('accel', 'gyro') for index in range(20)]
        held_ns = 200 * MS if push in (2, 6) else 0
        samples += phones.add('one', readings, BEGIN_NS + begin_ns + 190 * MS + held_ns)
    assert [sample.stamp_ns for sample in samples] == [
        BEGIN_NS + index * 10 * MS for index in range(170)]  # the last 0.3 s wait
    assert not counters
