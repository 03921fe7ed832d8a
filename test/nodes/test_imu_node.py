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

"""The driver of phones' IMUs: an app in another process, topics over real DDS."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Imu, MagneticField

from utt_ros.bridge.messages.sensors import to_ns
from utt_ros.bridge.node.qos import RELIABLE, SENSOR

PEER = Path(__file__).parents[1] / 'drivers' / 'peers' / 'imu_apps.py'
APPS = ['sensor_logger', 'sensor_server', 'hyper_imu_udp', 'hyper_imu_tcp', 'sensor_streamer',
        'phyphox']
NODE = ('--ros-args', '-r', '__ns:=/hall', '-p', 'area:=hall')


@pytest.fixture
def free_port() -> int:
    with socket.create_server(('127.0.0.1', 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def start_phone() -> Iterator[Callable[..., None]]:
    phones = []

    def start(app: str, port: int, *options: object) -> None:
        command = [sys.executable, PEER, app, '127.0.0.1', port, *options]
        phones.append(subprocess.Popen([str(word) for word in command]))

    yield start
    for phone in phones:
        phone.kill()
        phone.wait()


def parameters(app: str, port: int) -> list[str]:
    source = 'hyper_imu' if app.startswith('hyper_imu') else app
    values = {'source': source, 'first_wait': 0.1}
    if app in ('sensor_server', 'phyphox'):
        values |= {f'{source}.devices': f"['127.0.0.1:{port}']", f'{source}.phones': "['ann']"}
    else:
        device = "['one']" if app == 'sensor_logger' else "['127.0.0.1']"
        values |= {f'{source}.host': '127.0.0.1', f'{source}.port': port,
                   f'{source}.devices': device, f'{source}.phones': "['ann']"}
    if source == 'hyper_imu':
        values['hyper_imu.transport'] = app.removeprefix('hyper_imu_')
    return [word for name, value in values.items() for word in ('-p', f'{name}:={value}')]


@pytest.mark.parametrize('app', APPS)
def test_an_app_becomes_rep_145_topics_of_its_phone(
    app: str, start_node: Callable, listener, start_phone: Callable, free_port: int,
    wait_until: Callable,
) -> None:
    heard = listener.hear(Imu, '/hall/phones/ann/imu/data_raw', SENSOR)
    fields = listener.hear(MagneticField, '/hall/phones/ann/imu/mag', SENSOR)
    told = listener.hear(DiagnosticArray, '/diagnostics', RELIABLE)
    start_phone(app, free_port)  # 3 days off, drifting
    start_node('imu', *NODE, *parameters(app, free_port))

    def diagnosed() -> dict[str, str]:
        return {value.key: value.value for message in told for value in message.status[0].values}

    wait_until(lambda: len(heard) > 30 and len(fields) > 5 and 'ann.offset_s' in diagnosed(),
               30.0, listener.spin)
    for message in heard:
        assert message.header.frame_id == 'hall/ann'
        assert message.orientation_covariance[0] == -1.0
        force, rate = message.linear_acceleration, message.angular_velocity
        assert (force.x, force.y, force.z) == pytest.approx((0.25, -0.5, 9.75), rel=1e-5)
        assert (rate.x, rate.y) == pytest.approx((0.5, -0.25), rel=1e-5)
        late_s = (to_ns(message.header.stamp) % 10**10 / 1e9 - rate.z) % 10.0
        assert min(late_s, 10.0 - late_s) < 1.0  # of a busy machine
    for message in fields:
        assert message.header.frame_id == 'hall/ann'
        field = message.magnetic_field
        assert (field.x, field.y, field.z) == pytest.approx((20e-6, -10e-6, -40e-6), rel=1e-5)
    for messages in (heard, fields):
        stamps = [to_ns(message.header.stamp) for message in messages]
        assert stamps == sorted(set(stamps))
    values = diagnosed()
    assert values['source'] == app.removesuffix('_udp').removesuffix('_tcp')
    if app != 'phyphox':  # whose clock starts with its experiment
        assert float(values['ann.offset_s']) == pytest.approx(259_200.0, abs=1.0)
    assert float(values['rate_hz']) > 0.0


def test_sensors_of_this_machine_become_topics(
    start_node: Callable, listener, wait_until: Callable, tmp_path: Path,
) -> None:
    folder = tmp_path / 'iio:device0'
    folder.mkdir()
    for name, scale, raw in (('accel', 0.0005, 19_600), ('anglvel', 0.001, -500)):
        (folder / f'in_{name}_scale').write_text(f'{scale}\n')
        for axis in 'xyz':
            (folder / f'in_{name}_{axis}_raw').write_text(f'{raw}\n')
    heard = listener.hear(Imu, '/hall/phones/robot/imu/data_raw', SENSOR)
    start_node('imu', *NODE, '-p', 'source:=iio', '-p', f'iio.root:={tmp_path}',
               '-p', 'iio.phone:=robot')
    wait_until(lambda: len(heard) > 10, 30.0, listener.spin)
    assert heard[0].header.frame_id == 'hall/robot'
    assert heard[0].linear_acceleration.z == pytest.approx(9.8)
    assert heard[0].angular_velocity.x == pytest.approx(-0.5)


def test_an_unknown_source_and_wrong_settings_end_the_node(start_node: Callable) -> None:
    for words, remark in (
            (('-p', 'source:=crystal_ball'), 'crystal_ball'),
            (('-p', 'source:=hyper_imu', '-p', 'hyper_imu.transport:=smoke'), 'smoke')):
        node = start_node('imu', *NODE, *words)
        node.expect(2)
        assert node.process.wait(30.0) == 2
        node.wait()
        assert remark in node.said
