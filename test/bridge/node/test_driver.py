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

"""Base of the drivers: states, the reading thread, and samples that cannot be published."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event
from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.experimental.events_executor import EventsExecutor
from rclpy.lifecycle import TransitionCallbackReturn

from utt_ros.bridge.node.driver import Driver, hardware_name
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.drivers import camera, ftm, imu
from utt_ros.drivers.reader import SourceReader
from utt_ros.drivers.source import Source, SourceEntry
from utt_ros.errors import SourceError
from utt_ros.plugins import Registry
from utt_ros.settings import setting


@dataclass(frozen=True, slots=True)
class NoSettings:
    """It needs one, to be declared."""

    unused: int = setting(0, 'nothing', low=0, high=1)


class Handed(Source[int]):
    """Delivers what it is handed."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[int] = []
        self.hold, self.held = Event(), Event()
        self.hold.set()
        self.opened = self.closed = 0
        self.told: dict[str, object] = {}
        self.error = ''

    def open(self) -> None:
        self.opened += 1

    def read(self, timeout_s: float) -> list[int]:
        if self.error:
            raise SourceError(self.error)
        if not self.hold.is_set():
            self.held.set()
            self.hold.wait()
        Event().wait(min(timeout_s, 0.01))
        taken, self.waiting = self.waiting, []
        return taken

    def close(self) -> None:
        self.closed += 1

    def status(self) -> dict[str, object]:
        return self.told


class Plain(Driver):
    """Keeps what it would publish."""

    def __init__(self, source: Handed) -> None:
        self.published: list[int] = []
        super().__init__('plain', Registry('source', 'utt_ros.no_sources', {'handed': SourceEntry(
            'for tests', NoSettings, lambda _settings, _area: source, lambda: '')}), 'handed')

    def publish(self, samples: Sequence[Any]) -> None:
        for sample in samples:
            if sample < 0:
                raise OverflowError(f'{sample} is no stamp')
            self.published.append(sample)


@dataclass
class Running:
    """A driver in the test's process."""

    node: Plain
    source: Handed
    executor: EventsExecutor

    def spin(self) -> None:
        self.executor.spin_once(timeout_sec=0.05)


@pytest.fixture
def running(ros: int) -> Iterator[Running]:
    source = Handed()
    node = Plain(source)
    executor = EventsExecutor()
    executor.add_node(node)
    yield Running(node, source, executor)
    source.hold.set()
    executor.remove_node(node)
    node.destroy_node()
    executor.shutdown()


def test_sample_that_cannot_be_published_does_not_affect_others(
        running: Running, wait_until: Callable[..., None]) -> None:
    running.source.waiting = [1, -2, 3, -4, 5]
    wait_until(lambda: len(running.node.published) == 3, spin=running.spin)
    assert running.node.published == [1, 3, 5]
    assert running.node._values()['not_published'] == 2


def test_shutdown_ends_reading(running: Running) -> None:
    assert running.node.trigger_shutdown() == TransitionCallbackReturn.SUCCESS
    assert running.source.closed == 1
    running.source.waiting = [1]
    running.spin()
    assert running.source.waiting == [1]


def test_source_held_by_a_thread_is_not_read_by_a_second_one(
        running: Running, wait_until: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch) -> None:
    node, source = running.node, running.source
    monkeypatch.setattr(SourceReader.stop, '__defaults__', (0.05,))
    source.hold.clear()
    wait_until(source.held.is_set)
    node.trigger_deactivate()
    assert node.trigger_activate() == TransitionCallbackReturn.FAILURE
    assert source.opened == 1
    source.hold.set()
    wait_until(lambda: source.closed == 1)
    wait_until(lambda: node.trigger_activate() == TransitionCallbackReturn.SUCCESS)
    source.waiting = [7]
    wait_until(lambda: node.published == [7], spin=running.spin)
    assert (source.opened, source.closed) == (2, 1)


def test_lost_source_and_refused_input_are_in_the_log_once(
        running: Running, wait_until: Callable[..., None],
        monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(running.node._troubles, '_warn', lines.append)
    running.source.error = 'ttyUSB7 is not there: plug it in'
    running.source.told = {'trouble': 'encoding is 64FC1'}
    wait_until(lambda: len(lines) > 1, spin=running.spin)
    for _ in range(5):
        running.node._values()
    assert sorted(lines) == ['encoding is 64FC1', 'ttyUSB7 is not there: plug it in']


def test_foreign_texts_in_diagnostics_do_not_end_a_driver(
        running: Running, wait_until: Callable[..., None]) -> None:
    heard: list[DiagnosticArray] = []
    running.node.create_subscription(DiagnosticArray, '/diagnostics', heard.append, RELIABLE)
    running.source.told = {'connection': 'invalid header: \udcff', 'long': 'x' * 100_000}
    wait_until(lambda: heard, spin=running.spin)
    values = {pair.key: pair.value for pair in heard[-1].status[0].values}
    assert values['connection'] == 'invalid header: ?'
    assert len(values['long']) <= 1000


@pytest.mark.parametrize(('kind', 'source', 'values', 'name'), [
    (camera, 'opencv', {'location': 'rtsp://me:secret@10.0.0.5/a'}, 'opencv rtsp://10.0.0.5/a'),
    (camera, 'opencv', {}, 'opencv 0'), (camera, 'zed', {'serial': 123}, 'zed 123'),
    (camera, 'zed', {}, 'zed'), (ftm, 'iw', {}, 'iw wlan0'),
    (ftm, 'gtec', {'ports': ('/dev/a', '/dev/b'), 'phones': ('x', 'y')}, 'gtec /dev/a,/dev/b'),
    (ftm, 'android_udp', {'port': 9000}, 'android_udp 0.0.0.0:9000'),
    (imu, 'sensor_server', {}, 'sensor_server 192.168.1.2:8080'),
    (imu, 'iio', {'root': '/sys'}, 'iio /sys')])
def test_hardware_is_the_device_of_a_source_without_its_password(kind, source, values, name):
    assert hardware_name(source, kind.SOURCES[source].settings(**values)) == name
