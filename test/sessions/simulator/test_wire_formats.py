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

"""Messages of simulated phones, read by the parsers of the drivers."""

from collections import Counter

import numpy as np
import pytest

from utt_ros.drivers.ftm.android_json import parse_android
from utt_ros.drivers.imu.formats import parse_sensor_logger
from utt_ros.drivers.imu.phone_assemblers import PhoneAssemblers
from utt_ros.drivers.imu.sensor_logger import SensorLoggerSettings
from utt_ros.drivers.types import InertialSample, MagneticSample
from utt_ros.sessions.simulator.live_world import live_session_plan, phone_clock
from utt_ros.sessions.simulator.wire_formats import (
    ranging_results,
    sensor_logger_body,
    sensor_logger_readings,
)
from utt_ros.sessions.simulator.world import START_NS, simulate_session
from utt_ros.types import PhoneStreams


@pytest.fixture(scope='module')
def streams() -> PhoneStreams:
    return simulate_session(live_session_plan(0, 10.0)).phones['walker1']


def test_ranges_are_android_results_in_millimetres_and_time_since_boot(
    streams: PhoneStreams,
) -> None:
    clock = phone_clock('walker1', 0)
    boot_ns = clock.boot_ns(streams.ftm_stamps_ns - START_NS)
    lines = ranging_results('walker1', streams.range_aps, boot_ns, streams.ftm, streams.ftm_signal)
    parsed, refused = parse_android(b''.join(lines))
    assert not refused
    assert {result.device for result in parsed} == {'walker1'}
    assert {result.mac for result in parsed} == {streams.ap}
    ranges = np.array([(result.range_m, result.std_m) for result in parsed])
    np.testing.assert_allclose(ranges, streams.ftm, atol=0.6e-3)
    signal = np.array(
        [(result.rssi_dbm, result.attempted, result.successful) for result in parsed])
    assert signal.tolist() == streams.ftm_signal.tolist()
    lag_ns = boot_ns - [result.boot_ns for result in parsed]
    assert ((lag_ns >= 0) & (lag_ns < 1_000_000)).all()


def test_pushes_are_those_of_sensor_logger_and_restore_the_measurements(
    streams: PhoneStreams,
) -> None:
    parsed = parse_sensor_logger(sensor_logger_body('walker1', sensor_logger_readings(streams)))
    assert (parsed.device, parsed.refused.total()) == ('walker1', 0)
    counters: Counter[str] = Counter()
    settings = SensorLoggerSettings(reorder=0.0)
    samples = PhoneAssemblers(settings, settings.pairing(adds_gravity=True), counters).add(
        parsed.device, parsed.readings, int(streams.inertial_stamps_ns[-1]))
    assert not counters
    inertial = [sample for sample in samples if isinstance(sample, InertialSample)]
    imu = np.array([np.concatenate([sample.accel, sample.gyro]) for sample in inertial])
    np.testing.assert_allclose(imu, streams.inertial[:len(imu)], atol=5e-6)
    assert len(imu) > len(streams.inertial) - 5
    fields = np.array([sample.field for sample in samples if isinstance(sample, MagneticSample)])
    np.testing.assert_allclose(fields, streams.magnetic[:len(fields)], atol=1e-11)
