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

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utt_ros.drivers.imu import SOURCES, iio
from utt_ros.drivers.imu.iio import (
    IioSettings,
    IioSource,
    parse_mount_matrix,
    parse_number,
)
from utt_ros.drivers.types import InertialSample, MagneticSample
from utt_ros.errors import MeasurementError, SettingsError, SourceError

BEGIN_NS = 1_790_000_000_000_000_000


def write(folder: Path, name: str, scale: str, raw: tuple[object, object, object]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f'in_{name}_scale').write_text(scale + '\n')
    for axis, value in zip('xyz', raw, strict=True):
        (folder / f'in_{name}_{axis}_raw').write_text(f'{value}\n')


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    """Make a tree as the kernel does for an lsm6dsx and a magnetometer."""
    write(tmp_path / 'iio:device0', 'accel', '0.000598', (0, -100, 16400))
    write(tmp_path / 'iio:device1', 'anglvel', '0.000153', (1000, 0, -2000))
    write(tmp_path / 'iio:device2', 'magn', '0.001', (200, -100, 0))
    (tmp_path / 'iio:device2' / 'in_magn_x_offset').write_text('50\n')
    return tmp_path


@pytest.fixture
def source(devices: Path) -> Iterator[IioSource]:
    ticks = iter(range(10**6))
    made = IioSource(IioSettings(phone='robot', rate=1000.0, root=str(devices)),
               lambda: BEGIN_NS + next(ticks) * 1000)
    with made:
        yield made
    made.close()


def test_raw_values_become_si_units_with_stamps_between_their_reads(source: IioSource) -> None:
    inertial, magnetic = source.read(1.0)
    assert isinstance(inertial, InertialSample)
    assert isinstance(magnetic, MagneticSample)
    np.testing.assert_allclose(inertial.accel, [0.0, -0.0598, 9.8072], rtol=1e-5)
    np.testing.assert_allclose(inertial.gyro, [0.153, 0.0, -0.306], rtol=1e-5)
    np.testing.assert_allclose(magnetic.field, [25e-6, -10e-6, 0.0], rtol=1e-5)  # 1 G = 100 uT
    assert inertial.phone == magnetic.phone == 'robot'
    assert inertial.stamp_ns == magnetic.stamp_ns == BEGIN_NS + 500


def test_a_mount_matrix_turns_into_the_axes_of_the_device(
    devices: Path, source: IioSource,
) -> None:
    (devices / 'iio:device0' / 'in_accel_mount_matrix').write_text('0, 0, 1; 0, 1, 0; -1, 0, 0\n')
    source.open()
    np.testing.assert_allclose(source.read(1.0)[0].accel, [9.8072, -0.0598, 0.0], atol=1e-6)


Files = dict[str, object]


def chip(kind: str, scale: object = '0.001', x: int = 0, **others: object) -> Files:
    """Files of a sensor whose x axis reads a value."""
    raw = {f'in_{kind}_{axis}_raw': value for axis, value in zip('xyz', (x, 0, 9000), strict=True)}
    return {**raw, f'in_{kind}_scale': scale, **others}


def tree(root: Path, devices: dict[int, Files]) -> Path:
    for number, files in devices.items():
        folder = root / f'iio:device{number}'
        folder.mkdir(parents=True)
        for name, value in files.items():
            (folder / name).write_text(f'{value}\n')
    return root


def six(x: int, **others: object) -> Files:
    return {**chip('accel', x=x), **chip('anglvel'), **others}


@pytest.mark.parametrize('devices', [
    {0: chip('accel', x=1), 1: six(7)},
    {0: chip('anglvel'), 1: six(7)},
    {2: six(7), 10: six(1)},
    {2: chip('accel', x=7), 10: chip('accel', x=1), 11: chip('anglvel')},
    {0: chip('accel', x=1, label='accel-base'), 1: chip('accel', x=7, label='accel-display'),
     2: chip('anglvel', label='accel-display')},
    {0: chip('accel', x=1, label='accel-base'), 1: chip('accel', x=7, label='accel-display'),
     2: chip('anglvel', label='gyro-display')},
    {0: chip('accel', x=1, location='lid'), 1: chip('accel', x=7, location='base'),
     2: chip('anglvel', location='base')},
    {0: chip('accel', x=1, location='base'), 1: chip('accel', x=7, location='lid'),
     2: chip('anglvel', label='accel-display')},
    {0: chip('accel', x=1, name='kxcjk1013'), 1: chip('accel', x=7, name='lsm6dsm_accel'),
     2: chip('anglvel', name='lsm6dsm_gyro')},
    {0: chip('accel', x=1, label='accel-base'), 1: chip('accel', x=7),
     2: chip('anglvel', label='accel-display')},
    {0: chip('accel', x=7), 1: chip('anglvel')}])
def test_acceleration_and_rotation_are_of_one_chip_or_place(
    tmp_path: Path, devices: dict[int, Files],
) -> None:
    with IioSource(IioSettings(root=str(tree(tmp_path, devices)))) as source:
        assert source.read(1.0)[0].accel[0] == pytest.approx(0.007)


def test_devices_of_one_bus_address_belong_together(tmp_path: Path) -> None:
    kernel = tmp_path / 'kernel'
    tree(kernel / 'i2c-1', {0: chip('accel', x=1)})
    tree(kernel / 'i2c-2', {1: chip('accel', x=7), 2: chip('anglvel')})
    for folder in kernel.glob('*/*'):
        (tmp_path / folder.name).symlink_to(folder)
    with IioSource(IioSettings(root=str(tmp_path))) as source:
        assert source.read(1.0)[0].accel[0] == pytest.approx(0.007)
        assert source.status() == {'accel': 'iio:device1, no mount matrix',
                                   'gyro': 'iio:device2, no mount matrix', 'trouble': ''}


@pytest.mark.parametrize(('mag', 'is_used'), [
    ('accel-display', True), ('accel-base', False), ('', True)])
def test_magnetometer_of_another_place_is_not_used(
    tmp_path: Path, mag: str, is_used: bool,
) -> None:
    devices = {0: six(7, label='accel-display'), 1: chip('magn', label=mag)}
    with IioSource(IioSettings(root=str(tree(tmp_path, devices)))) as source:
        assert len(source.read(1.0)) == 1 + is_used


@pytest.mark.parametrize(('devices', 'says'), [
    ({0: chip('accel', label='accel-base'), 1: chip('anglvel', label='accel-display')},
     r'different places.*iio:device0 \(base\), iio:device1 \(display\)'),
    ({0: {**chip('anglvel'), **{f'in_accel_{axis}_raw': 1 for axis in 'xyz'}}},
     'in_accel_scale is missing'),
    ({0: six(1, in_mount_matrix='0, 0, 0; 0, 0, 0; 0, 0, 0')}, 'must be orthogonal'),
    ({0: six(1, in_accel_mount_matrix='1, 0, 0; 0, 1')}, 'not a 3 x 3 matrix')])
def test_sensors_whose_axes_or_units_are_unknown_are_refused(
    tmp_path: Path, devices: dict[int, Files], says: str,
) -> None:
    with pytest.raises(SourceError, match=says):
        IioSource(IioSettings(root=str(tree(tmp_path, devices)))).open()


def test_new_values_are_seen_and_bad_ones_counted(devices: Path, source: IioSource) -> None:
    file = devices / 'iio:device0' / 'in_accel_x_raw'
    file.write_text('1000\n')
    assert source.read(1.0)[0].accel[0] == pytest.approx(0.598)
    for bad in ('', 'nan\n', '1e9\n', 'x' * 1000):
        file.write_text(bad)
        assert source.read(1.0) == []
    assert (source.counters['malformed'], source.counters['implausible']) == (3, 1)
    file.write_text('-1000\n')
    assert source.read(1.0)[0].accel[0] == pytest.approx(-0.598)


def test_sensors_are_read_at_their_rate_and_a_wait_ends_at_its_timeout(devices: Path) -> None:
    with IioSource(IioSettings(rate=1.0, root=str(devices))) as source:
        assert len(source.read(0.0)) == 2
        assert source.read(0.01) == []


def test_a_host_clock_that_was_set_back_far_is_followed(devices: Path) -> None:
    hour_ns = 3600 * 10**9
    stamps = iter([BEGIN_NS, BEGIN_NS + 2, BEGIN_NS - hour_ns, BEGIN_NS + 2 - hour_ns])
    with IioSource(IioSettings(rate=1000.0, root=str(devices)), lambda: next(stamps)) as source:
        got = [source.read(1.0)[0].stamp_ns for _ in range(2)]
    assert got == [BEGIN_NS + 1, BEGIN_NS + 1 - hour_ns]
    assert source.counters['host_set_back'] == 1
    assert source.counters['backward'] == 0


def test_stamps_are_refused_until_a_host_clock_set_back_a_little_catches_up(devices: Path) -> None:
    stamps = iter([100, 102, 50, 52, 104, 106])
    with IioSource(IioSettings(rate=1000.0, root=str(devices)), lambda: next(stamps)) as source:
        assert [len(source.read(1.0)) for _ in range(3)] == [2, 0, 2]
        assert source.counters['backward'] == 1


def test_a_missing_device_is_an_error_with_the_remedy(
    tmp_path: Path, source: IioSource, devices: Path,
) -> None:
    missing = tmp_path / 'nothing'
    for file in devices.glob('iio:device1/in_anglvel_*_raw'):
        file.unlink()
    with pytest.raises(SourceError, match='in_anglvel_x_raw: load the driver'):
        source.open()
    with pytest.raises(SourceError, match='closed'):
        source.read(0.0)
    assert 'in_accel_x_raw and in_anglvel_x_raw' in iio.missing_sensors(missing)
    assert iio.missing_sensors(devices) != ''


def test_a_scale_that_is_not_a_number_is_named(devices: Path) -> None:
    (devices / 'iio:device1' / 'in_anglvel_scale').write_text('much\n')
    with pytest.raises(SourceError, match=r'gyro: .*much'):
        IioSource(IioSettings(root=str(devices))).open()


def test_only_sources_of_this_machine_can_be_unavailable() -> None:
    for name in SOURCES.names():
        assert SOURCES[name].title
        assert (SOURCES[name].unavailable() == '') or name == 'iio'


def test_a_phone_without_a_name_is_refused() -> None:
    with pytest.raises(SettingsError, match="''"):
        IioSettings(phone='')


def test_files_of_iio_are_numbers_and_matrices() -> None:
    assert parse_number(b'-1234\n') == -1234.0
    assert parse_number(b'0.000598\n') == 0.000598
    np.testing.assert_array_equal(
        parse_mount_matrix(b'0, 1, 0; -1, 0, 0; 0, 0, 1\n'), [[0, 1, 0], [-1, 0, 0], [0, 0, 1]])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40) | st.text('0123456789-+.,; enaif', max_size=40).map(str.encode))
def test_no_file_of_iio_raises_another_error(data: bytes) -> None:
    for parse in (parse_number, parse_mount_matrix):
        with suppress(MeasurementError):
            assert np.isfinite(parse(data)).all()
