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
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utt_ros.drivers.imu.assembler import MAX_PENDING_READINGS, PairingSettings, SampleAssembler
from utt_ros.drivers.imu.readings import Reading
from utt_ros.drivers.types import InertialSample, MagneticSample

MS = 1_000_000
OFFSET_NS = 10**18


def reading(kind: str, at_ms: float, x: float = 0.0) -> Reading:
    return Reading(kind, round(at_ms * MS), (x, 0.0, 0.0))


def make(
    reorder_ms: int = 0, max_gap_ms: int = 50, adds_gravity: bool = False,
) -> tuple[SampleAssembler, Counter[str]]:
    counters: Counter[str] = Counter()
    pairing = PairingSettings(reorder_ms * MS, max_gap_ms * MS, adds_gravity)
    return SampleAssembler(
        'p', pairing, counters, lambda _stream, peer_ns: peer_ns + OFFSET_NS), counters


def rows(samples: list[Any]) -> list[tuple[float, float, float]]:
    """Milliseconds, x of accel, x of gyro."""
    return [((sample.stamp_ns - OFFSET_NS) / MS, float(sample.accel[0]), float(sample.gyro[0]))
            for sample in samples if isinstance(sample, InertialSample)]


def feed(assembler: SampleAssembler, *readings: Reading) -> list[Any]:
    assembler.add(readings)
    return assembler.take()


def test_the_gyroscope_is_interpolated_at_the_stamps_of_accel() -> None:
    assembler, counters = make()
    assert feed(assembler, reading('gyro', 0, 1.0), reading('accel', 5, 7.0)) == []
    assert rows(feed(assembler, reading('gyro', 20, 5.0))) == [(5.0, 7.0, 2.0)]
    assert rows(feed(assembler, reading('accel', 20, 8.0))) == [(20.0, 8.0, 5.0)]
    assert not counters


def test_nothing_is_extrapolated_and_no_long_gap_is_filled() -> None:
    assembler, counters = make()
    samples = feed(
        assembler, reading('accel', 5), reading('gyro', 10), reading('accel', 40),
        reading('gyro', 61), reading('accel', 61), reading('accel', 70))
    assert rows(samples) == [(61.0, 0.0, 0.0)]
    assert counters == {'unpaired': 2}  # before the first, in the gap; the last one waits
    assert feed(assembler, reading('accel', 2000)) == []
    assert counters == {'unpaired': 3}


def test_gravity_is_added_at_the_stamps_of_accel() -> None:
    assembler, _ = make(adds_gravity=True)
    samples = feed(
        assembler, reading('gravity', 0, 9.0), reading('gravity', 10, 10.0), reading('gyro', 0),
        reading('gyro', 10), reading('accel', 5, 1.0))
    assert rows(samples) == [(5.0, 10.5, 0.0)]
    assert feed(assembler, reading('accel', 15, 1.0), reading('gyro', 20)) == []  # no gravity yet


def test_readings_within_the_reorder_window_are_sorted() -> None:
    assembler, counters = make(reorder_ms=100)
    samples = []
    for at_ms in (20, 0, 10, 40, 30, 60, 50):
        samples += feed(assembler, reading('accel', at_ms, at_ms), reading('gyro', at_ms))
    assert samples == []
    samples = feed(assembler, reading('accel', 160), reading('gyro', 160))
    assert rows(samples) == [(at_ms, at_ms, 0.0) for at_ms in (0, 10, 20, 30, 40, 50, 60)]
    assert feed(assembler, reading('accel', 60), reading('accel', 59)) == []
    assert feed(assembler, reading('accel', 160)) == []
    assert counters == {'late': 2, 'duplicate': 1}


def kinds(assembler: SampleAssembler, sent: dict[str, float], until_ms: int = 3000) -> list[Any]:
    """Feed readings of kinds, with their x, each 10 ms."""
    samples = []
    for at_ms in range(0, until_ms, 10):
        samples += feed(assembler, *(reading(kind, at_ms, x) for kind, x in sent.items()))
    return samples


@pytest.mark.parametrize(('sent', 'accel', 'gyro'), [
    ({'force': 9.0, 'gyro': 1.0}, 9.0, 1.0),
    ({'raw_force': 8.0, 'gyro': 1.0}, 8.0, 1.0),
    ({'force': 9.0, 'raw_gyro': 2.0}, 9.0, 2.0),
    ({'raw_force': 8.0, 'raw_gyro': 2.0}, 8.0, 2.0),
    ({'accel': 1.0, 'gravity': 5.0, 'raw_gyro': 2.0}, 6.0, 2.0),
    ({'accel': 1.0, 'raw_force': 8.0, 'gyro': 1.0}, 8.0, 1.0),
    ({'accel': 1.0, 'gravity': 5.0, 'force': 9.0, 'raw_force': 8.0, 'gyro': 1.0, 'raw_gyro': 2.0},
     9.0, 1.0),
    ({'raw_gyro': 2.0, 'gyro': 1.0, 'raw_force': 8.0, 'gravity': 5.0, 'accel': 1.0}, 8.0, 1.0)])
def test_the_best_acceleration_and_rotation_that_a_phone_sends_are_used(
    sent: dict[str, float], accel: float, gyro: float,
) -> None:
    assembler, counters = make(adds_gravity=True)
    values = rows(kinds(assembler, sent))[1:]
    assert len(values) >= 297
    assert {(x, turn) for _, x, turn in values} == {(accel, gyro)}
    assert not counters


def test_uncalibrated_magnetic_fields_fill_in() -> None:
    assembler, _ = make(adds_gravity=True)
    samples = kinds(assembler, {'raw_mag': 2e-5, 'mag': 1e-5})
    samples += kinds(make()[0], {'raw_mag': 3e-5})
    assert {round(float(sample.field[0]), 6) for sample in samples[1:]} == {1e-5, 3e-5}


def test_the_other_acceleration_is_used_again_when_the_better_one_ends() -> None:
    assembler, _ = make(adds_gravity=True)
    kinds(assembler, {'force': 9.0, 'gyro': 1.0, 'accel': 1.0, 'gravity': 5.0}, 500)
    samples = feed(assembler, *(
        reading(kind, at_ms, x) for at_ms in range(500, 3000, 10)
        for kind, x in (('gyro', 1.0), ('accel', 1.0), ('gravity', 5.0))))
    assert {x for _, x, _ in rows(samples)} == {6.0}


@pytest.mark.parametrize('sent', [
    {'gyro': 1.0}, {'raw_gyro': 1.0}, {'accel': 1.0}, {'force': 1.0}, {'raw_force': 1.0},
    {'accel': 1.0, 'gyro': 1.0}, {'accel': 1.0, 'gravity': 1.0}, {'gyro': 1.0, 'gravity': 1.0}])
def test_readings_that_lack_others_are_counted(sent: dict[str, float]) -> None:
    assembler, counters = make(adds_gravity=True)
    assert kinds(assembler, sent) == []
    assert counters['unpaired'] > 150


def test_magnetic_samples_need_no_other_sensor() -> None:
    assembler, _ = make()
    samples = feed(assembler, reading('mag', 8, 2e-5), reading('mag', 4, 1e-5))
    assert [type(sample) for sample in samples] == [MagneticSample, MagneticSample]
    assert [sample.stamp_ns - OFFSET_NS for sample in samples] == [4 * MS, 8 * MS]
    np.testing.assert_allclose(samples[1].field, [2e-5, 0.0, 0.0])


def test_readings_whose_stamp_the_clock_refuses_make_no_samples() -> None:
    counters: Counter[str] = Counter()
    assembler = SampleAssembler('p', PairingSettings(0, 50 * MS, False), counters,
                                lambda _stream, peer_ns: peer_ns if peer_ns != 10 * MS else None)
    assert len(feed(assembler, reading('gyro', 0), reading('accel', 0), reading('mag', 0))) == 2
    assert feed(assembler, reading('gyro', 10), reading('accel', 10), reading('mag', 10)) == []
    assert len(feed(assembler, reading('gyro', 20), reading('accel', 20))) == 1
    assert not counters


def test_memory_is_bounded_when_a_sensor_sends_nothing() -> None:
    assembler, counters = make()
    for at_ms in range(0, 100_000, 10):
        assert feed(assembler, reading('accel', at_ms)) == []
    assert counters['unpaired'] > 9000
    assert len(assembler._accel.stamps) < 200
    for at_ms in range(MAX_PENDING_READINGS + 10):
        assembler.add([reading('gyro', at_ms)])
    assert len(assembler._gyro.stamps) == MAX_PENDING_READINGS
    assert counters['overflow'] == 10


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.sampled_from(['accel', 'gyro', 'gravity', 'mag']),
                                st.integers(1, 400)), max_size=8), max_size=20),
    st.integers(0, 60), st.booleans())
def test_samples_are_ordered_and_never_invented_in_any_order_of_readings(
    batches: list[list[tuple[str, int]]], reorder_ms: int, adds_gravity: bool,
) -> None:
    assembler, _ = make(reorder_ms, adds_gravity=adds_gravity)
    samples = []
    for batch in batches:
        samples += feed(assembler, *(reading(kind, at_ms, at_ms) for kind, at_ms in batch))
    sent = {(kind, at_ms) for batch in batches for kind, at_ms in batch}
    for kind, record in (('accel', InertialSample), ('mag', MagneticSample)):
        stamps_ms = [(sample.stamp_ns - OFFSET_NS) // MS
                     for sample in samples if isinstance(sample, record)]
        assert stamps_ms == sorted(set(stamps_ms))
        assert {(kind, at_ms) for at_ms in stamps_ms} <= sent
    for at_ms, accel, gyro in rows(samples):
        assert gyro == pytest.approx(at_ms, rel=1e-5)  # each sensor tells its own time
        assert accel == pytest.approx(2 * at_ms if adds_gravity else at_ms, rel=1e-5)
