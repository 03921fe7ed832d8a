"""What simulated phones send, read by the parsers of the drivers."""

from collections import Counter

import numpy as np
import pytest

from utt_ros.drivers.ftm.android_json import parse
from utt_ros.drivers.imu.formats import sensor_logger
from utt_ros.drivers.imu.phone_clocks import PhoneAssemblers
from utt_ros.drivers.imu.sensor_logger import SensorLoggerSettings
from utt_ros.drivers.types import InertialSample, MagneticSample
from utt_ros.sessions.simulator.live_world import clock_of, world
from utt_ros.sessions.simulator.wire_formats import felt, push, results
from utt_ros.sessions.simulator.world import START_NS, simulate
from utt_ros.types import PhoneStreams


@pytest.fixture(scope='module')
def streams() -> PhoneStreams:
    return simulate(world(0, 10.0)).phones['walker1']


def test_ranges_are_android_results_in_whole_millimetres_and_the_phones_clock(
    streams: PhoneStreams,
) -> None:
    clock = clock_of('walker1', 0)
    boot_ns = clock.boot_ns(streams.ftm_stamps_ns - START_NS)
    lines = results('walker1', streams.ap, boot_ns, streams.ftm, streams.ftm_signal)
    parsed, refused = parse(b''.join(lines))
    assert not refused
    assert {result.device for result in parsed} == {'walker1'}
    assert {result.mac for result in parsed} == {streams.ap}
    found = np.array([(result.range_m, result.std_m) for result in parsed])
    np.testing.assert_allclose(found, streams.ftm, atol=0.6e-3)
    told = np.array([(result.rssi_dbm, result.attempted, result.successful) for result in parsed])
    assert told.tolist() == streams.ftm_signal.tolist()
    lag_ns = boot_ns - [result.boot_ns for result in parsed]
    assert ((lag_ns >= 0) & (lag_ns < 1_000_000)).all()


def test_pushes_are_those_of_sensor_logger_and_become_what_the_phone_felt(
    streams: PhoneStreams,
) -> None:
    parsed = sensor_logger(push('walker1', felt(streams)))
    assert (parsed.device, parsed.bad) == ('walker1', 0)
    counters: Counter[str] = Counter()
    settings = SensorLoggerSettings(reorder=0.0)
    samples = PhoneAssemblers(settings, settings.pairing(apart=True), counters).add(
        parsed.device, parsed.readings, int(streams.inertial_stamps_ns[-1]))
    assert not counters
    inertial = [sample for sample in samples if isinstance(sample, InertialSample)]
    accel = np.array([np.concatenate([each.accel, each.gyro]) for each in inertial])
    np.testing.assert_allclose(accel, streams.inertial[:len(accel)], atol=5e-6)
    assert len(accel) > len(streams.inertial) - 5
    fields = np.array([each.field for each in samples if isinstance(each, MagneticSample)])
    np.testing.assert_allclose(fields, streams.magnetic[:len(fields)], atol=1e-11)


def test_clocks_of_a_phone_are_its_own_and_drift() -> None:
    one, other = clock_of('walker1', 0), clock_of('walker2', 0)
    assert one != other
    assert one == clock_of('walker1', 0)
    since_ns = np.array([0, 10**12])
    gone_ns = np.diff(one.wall_ns(since_ns, 5 * 10**18))[0]
    assert gone_ns == pytest.approx(10**12 * (1 + one.drift_ppm * 1e-6), abs=300)
    assert np.diff(one.boot_ns(since_ns))[0] == gone_ns
