"""Every app's wire format, from another process, into its source."""

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from utt_ros.drivers.imu import SOURCES
from utt_ros.drivers.source import Source
from utt_ros.drivers.types import InertialSample, MagneticSample
from utt_ros.errors import SettingsError, SourceError
from utt_ros.settings import AreaSettings

APPS = ['sensor_logger', 'sensor_server', 'hyper_imu_udp', 'hyper_imu_tcp', 'sensor_streamer']
HARMLESS = {'backward', 'other_clock'}  # a busy machine delays the first one, or one for long
Start = Callable[..., subprocess.Popen]


@pytest.fixture
def open_source(free_port: int) -> Iterator[Callable[..., Source[Any]]]:
    opened = []

    def make(app: str, **values: Any) -> Source[Any]:
        if app.startswith('hyper_imu_'):
            values['transport'] = app.removeprefix('hyper_imu_')
            app = 'hyper_imu'
        if app == 'sensor_server':
            given = {'devices': (f'127.0.0.1:{free_port}',), 'phones': ('one',)}
        else:
            given = {'host': '127.0.0.1', 'port': free_port}
        entry = SOURCES[app]
        opened.append(entry.make(entry.settings(**{**given, **values}), AreaSettings()))
        with suppress(SourceError):
            opened[-1].open()
        return opened[-1]

    yield make
    for source in opened:
        source.close()
        source.close()


def collect(
    source: Source[Any], wait_until: Callable, done: Callable[[list[Any]], object],
) -> list[Any]:
    """Read as the pump does, until it is `done` with the samples."""
    samples: list[Any] = []

    def read() -> bool:
        try:
            samples.extend(source.read(0.1))
        except SourceError:
            source.close()
            source.open()
        return bool(done(samples))

    wait_until(read, 20.0)
    return samples


def check_samples(samples: list[Any], phone: str) -> None:
    """Values in SI units, host stamps of the instant that the gyroscope tells, in order."""
    inertial = [sample for sample in samples if isinstance(sample, InertialSample)]
    for sample in inertial:
        assert sample.phone == phone
        np.testing.assert_allclose(sample.accel, [0.25, -0.5, 9.75], rtol=1e-5)
        np.testing.assert_allclose(sample.gyro[:2], [0.5, -0.25], rtol=1e-5)
        late_s = (sample.stamp_ns % 10**10 / 1e9 - float(sample.gyro[2])) % 10.0
        assert min(late_s, 10.0 - late_s) < 1.0  # of a busy machine; see test_phones for accuracy
    magnetic = [sample for sample in samples if isinstance(sample, MagneticSample)]
    for sample in magnetic:
        assert sample.phone == phone
        np.testing.assert_allclose(sample.field, [20e-6, -10e-6, -40e-6], rtol=1e-5)
    for stream in (inertial, magnetic):
        assert stream
        assert np.all(np.diff([sample.stamp_ns for sample in stream]) > 0)


def name_of(app: str) -> str:
    return 'one' if app in ('sensor_logger', 'sensor_server') else 'phone_127_0_0_1'


@pytest.mark.parametrize('app', APPS)
def test_a_phone_3_days_off_is_read_in_si_units_and_host_time(
    app: str, open_source: Callable, start_phone: Start, free_port: int, wait_until: Callable,
) -> None:
    source = open_source(app)
    start_phone(app, free_port)
    samples = collect(source, wait_until, lambda found: len(found) > 60)
    check_samples(samples, name_of(app))
    assert set(source.counters) <= HARMLESS
    offset = source.status()[f'{name_of(app)}.offset_s']
    assert offset == pytest.approx(259_200.0, abs=1.0)


@pytest.mark.parametrize('app', APPS)
def test_garbage_between_packets_is_counted_and_costs_no_other(
    app: str, open_source: Callable, start_phone: Start, free_port: int, wait_until: Callable,
) -> None:
    source = open_source(app)
    start_phone(app, free_port, '--garbage')
    samples = collect(
        source, wait_until,
        lambda found: len(found) > 60 and source.counters['malformed'] > 20)
    check_samples(samples, name_of(app))


@pytest.mark.parametrize('app', APPS)
def test_ten_times_the_rate_is_read_as_well(
    app: str, open_source: Callable, start_phone: Start, free_port: int, wait_until: Callable,
) -> None:
    source = open_source(app)
    start_phone(app, free_port, '--rate', 1000)
    samples = collect(source, wait_until, lambda found: len(found) > 600)
    check_samples(samples, name_of(app))
    assert set(source.counters) <= HARMLESS


@pytest.mark.parametrize('app', APPS)
def test_a_phone_that_falls_silent_and_comes_back_is_heard_again(
    app: str, open_source: Callable, start_phone: Start, free_port: int, wait_until: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('utt_ros.drivers.imu.sensor_server.RETRY_S', 0.2)
    source = open_source(app)
    phone = start_phone(app, free_port)
    samples = collect(source, wait_until, lambda found: len(found) > 20)
    phone.kill()
    phone.wait()
    with suppress(SourceError):  # a source that connects says that nobody is there
        wait_until(lambda: not source.read(0.05))
    start_phone(app, free_port)
    samples += collect(source, wait_until, lambda found: len(found) > 20)
    check_samples(samples, name_of(app))


def test_phones_are_named_as_set_and_strangers_are_counted(
    open_source: Callable, start_phone: Start, free_port: int, wait_until: Callable,
) -> None:
    source = open_source('hyper_imu_udp', devices=('127.0.0.2', '127.0.0.3'), phones=('a', 'b'))
    for address in ('127.0.0.2', '127.0.0.3', '127.0.0.4'):
        start_phone('hyper_imu_udp', free_port, '--bind', address)
    samples = collect(
        source, wait_until,
        lambda found: source.counters['unknown_phone'] > 20
        and all(sum(sample.phone == name for sample in found) > 20 for name in 'ab'))
    for name in 'ab':
        check_samples([sample for sample in samples if sample.phone == name], name)
    assert len(samples) == sum(sample.phone in ('a', 'b') for sample in samples)


def test_signs_of_ios_are_turned(
    open_source: Callable, start_phone: Start, free_port: int, wait_until: Callable,
) -> None:
    source = open_source('sensor_logger', inverted=('one',))
    start_phone('sensor_logger', free_port, '--ios')
    check_samples(collect(source, wait_until, lambda found: len(found) > 20), 'one')


def test_a_phone_that_is_not_there_says_so(open_source: Callable, wait_until: Callable) -> None:
    source = open_source('sensor_server')
    with pytest.raises(SourceError, match=r'one: ConnectionRefusedError.*start SensorServer'):
        wait_until(lambda: source.read(0.05))


def test_an_address_that_no_resolver_takes_says_so(
    open_source: Callable, wait_until: Callable,
) -> None:
    source = open_source('sensor_server', devices=('a..b:8080',))
    with pytest.raises(SourceError, match=r'one: UnicodeError.*start SensorServer'):
        wait_until(lambda: source.read(0.05))


def test_an_answer_that_is_no_text_is_told_in_text(
    open_source: Callable, wait_until: Callable, free_port: int,
) -> None:
    with socket.create_server(('127.0.0.1', free_port)) as stranger:
        source = open_source('sensor_server')
        answered, _ = stranger.accept()
        with answered:
            answered.recv(4096)
            answered.sendall(b'HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: \xff'
                             + b'x' * 5000 + b'\r\n\r\n')
        with pytest.raises(SourceError, match=r'one: Invalid.*Upgrade header') as caught:
            wait_until(lambda: source.read(0.05))
    assert str(caught.value).isascii()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(('app', 'values', 'remark'), [
    ('hyper_imu', {'transport': 'smoke'}, "transport is 'smoke'"),
    ('hyper_imu', {'columns': ('time', 'accel')}, 'gyro is missing'),
    ('hyper_imu', {'columns': ('accel', 'gyro', 'gyro')}, 'gyro is listed twice'),
    ('hyper_imu', {'columns': ('accel', 'gyro', 'smell')}, 'smell'),
    ('hyper_imu', {'devices': ('127.0.0.1',)}, 'devices has 1 entries and phones 0'),
    ('sensor_logger', {'devices': ('x',), 'phones': ('a b',)}, "'a b'"),
    ('sensor_logger', {'devices': ('x',), 'phones': ('a',), 'inverted': ('b',)}, "'b'"),
    ('sensor_logger', {'reorder': -1.0}, 'at least 0'),
    ('sensor_server', {'devices': ('nowhere',)}, 'host:port'),
    ('sensor_server', {'devices': (), 'phones': ()}, 'one or more'),
    ('sensor_server', {'devices': ('127.0.0.1:70000',)}, 'ports up to 65535'),
    ('sensor_streamer', {'port': 70_000}, 'at most 65535'),
    ('iio', {'phone': ''}, "''"),
])
def test_wrong_settings_are_named(app: str, values: dict[str, Any], remark: str) -> None:
    entry = SOURCES[app]
    with pytest.raises(SettingsError, match=remark):
        replace(entry.settings(), **values)
