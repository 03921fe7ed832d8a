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

"""IMU source: phyphox (Android, iOS), polled by HTTP. See docs/sources/phyphox.md."""

import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Condition, Event, Thread

from utt_ros.drivers.imu.phone_assemblers import PhoneAssemblers, PhoneSettings, check_inverted
from utt_ros.drivers.imu.phyphox_buffers import (
    SensorBuffers,
    newest_query,
    parse_experiment,
    parse_newest,
    parse_values,
    values_query,
)
from utt_ros.drivers.imu.readings import Reading
from utt_ros.drivers.phone_registry import check_addresses
from utt_ros.drivers.source import Source, SourceEntry
from utt_ros.drivers.types import InertialSample, MagneticSample
from utt_ros.errors import MeasurementError, SourceError
from utt_ros.settings import check, setting

MAX_ANSWER_BYTES = 16 << 20
MAX_PENDING_ANSWERS = 200
MAX_STATE_LENGTH = 300
CONNECT_S = 3.0
RETRY_S = 5.0  # of one phone
SILENCE_S = 1.0  # after which the newest time is requested anew: the data may have been cleared
PAUSED = 'the measurement is paused: press the play button in the app'


@dataclass(frozen=True, slots=True)
class PhyphoxSettings(PhoneSettings):
    """Settings of phyphox; `devices` are addresses of phones."""

    devices: tuple[str, ...] = setting(
        ('192.168.1.2:8080',), 'addresses of the phones as the app shows them, host:port')
    phones: tuple[str, ...] = setting(
        ('phone',), 'names of these phones in topics, one for each device')
    period: float = setting(0.1, 'time between two requests to a phone [s]', low=0.02, high=5.0)
    start: bool = setting(True, 'start the measurement of the app when it is paused')
    inverted: tuple[str, ...] = setting(
        (), 'phones whose app sends accelerations with the opposite sign')

    def __post_init__(self) -> None:
        check(self)
        check_addresses(self.devices, self.phones)
        check_inverted(self.inverted, self.phones)


class _Poller(Thread):
    """Thread that requests the new values of one phone."""

    def __init__(self, device: str, settings: PhyphoxSettings, answers: '_Answers') -> None:
        super().__init__(name=f'poller of {device}', daemon=True)
        self._device, self._settings, self._answers = device, settings, answers
        self._connection = HTTPConnection(device, timeout=CONNECT_S)
        self._ended = Event()
        self.state = 'opening'  # or 'open', or the cause of the loss

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                self._poll()
            except MeasurementError as err:  # noqa: PERF203  retried, whatever the cause
                self._answers.refuse()
                self._fail(str(err), self._settings.period)
            except SourceError as err:
                self._fail(str(err), RETRY_S)
            except Exception as err:  # noqa: BLE001
                self._fail(f'{type(err).__name__}: {err}', RETRY_S)
            finally:
                self._connection.close()

    def stop(self) -> None:
        self._ended.set()

    def _fail(self, cause: str, wait_s: float) -> None:
        self.state = cause[:MAX_STATE_LENGTH].encode('ascii', 'backslashreplace').decode()
        self._ended.wait(wait_s)

    def _poll(self) -> None:
        """Request values until the experiment is another, or has no new ones for a while."""
        sensors = parse_experiment(self._get('/config'))
        newest_s = parse_newest(self._get(newest_query(sensors)), sensors)
        last_s = time.monotonic()
        while not self._ended.wait(self._settings.period):
            if self._request(sensors, newest_s):
                last_s = time.monotonic()
            elif time.monotonic() - last_s > SILENCE_S:
                return

    def _request(self, sensors: list[SensorBuffers], newest_s: dict[str, float]) -> bool:
        """Request values; return whether there are new ones."""
        data = self._get(values_query(sensors, newest_s))
        arrival_ns = time.time_ns()
        answer = parse_values(data, sensors)
        newest_s.update(answer.newest_s)
        self._answers.put(self._device, answer.readings, answer.refused, arrival_ns)
        if answer.is_measuring:
            self.state = 'open'
        elif self._settings.start:
            self._get('/control?cmd=start')
        else:
            self.state = PAUSED
        return bool(answer.newest_s)

    def _get(self, path: str) -> bytes:
        self._connection.request('GET', path)
        response = self._connection.getresponse()
        data = response.read(MAX_ANSWER_BYTES + 1)
        if response.status != 200:
            raise MeasurementError(f'HTTP status {response.status} for {path[:40]}')
        if len(data) > MAX_ANSWER_BYTES:
            raise MeasurementError(f'an answer of more than {MAX_ANSWER_BYTES} bytes')
        return data


class _Answers:
    """Bounded queue of parsed answers, from the pollers to the thread that reads the source."""

    def __init__(self, counters: Counter[str]) -> None:
        self._counters = counters
        self._queue: deque[tuple[str, list[Reading], int]] = deque()
        self._changed = Condition()

    def put(
        self, device: str, readings: list[Reading], refused: Counter[str], arrival_ns: int,
    ) -> None:
        with self._changed:
            self._counters.update(refused)
            if len(self._queue) == MAX_PENDING_ANSWERS:
                self._counters['queue_full'] += len(self._queue.popleft()[1])
            self._queue.append((device, readings, arrival_ns))
            self._changed.notify()

    def refuse(self) -> None:
        """Count an answer that cannot be parsed."""
        with self._changed:
            self._counters['malformed'] += 1

    def take(self, timeout_s: float) -> list[tuple[str, list[Reading], int]]:
        """Return and remove all answers, oldest first; wait for one up to the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue, timeout_s)
            answers = list(self._queue)
            self._queue.clear()
        return answers


class PhyphoxSource(Source[InertialSample | MagneticSample]):
    """phyphox; stamps count from the start of its experiment."""

    def __init__(self, settings: PhyphoxSettings) -> None:
        super().__init__()
        self._settings = settings
        self._phones = PhoneAssemblers(
            settings, settings.pairing(adds_gravity=True), self.counters, settings.inverted)
        self._answers = _Answers(self.counters)
        self._pollers: dict[str, _Poller] = {}

    def open(self) -> None:
        self.close()
        settings = self._settings
        self._answers = _Answers(self.counters)
        self._pollers = {
            phone: _Poller(device, settings, self._answers)
            for device, phone in zip(settings.devices, settings.phones, strict=True)}
        for poller in self._pollers.values():
            poller.start()

    def read(self, timeout_s: float) -> Sequence[InertialSample | MagneticSample]:
        """Return complete samples. Raises SourceError when no phone answers."""
        samples: list[InertialSample | MagneticSample] = []
        answers = self._answers.take(timeout_s)
        for device, readings, arrival_ns in answers:
            samples += self._phones.add(device, readings, arrival_ns)
        states = {phone: poller.state for phone, poller in self._pollers.items()}
        if not answers and not {'open', 'opening', PAUSED} & set(states.values()):
            raise SourceError('; '.join(f'{phone}: {state}' for phone, state in states.items())
                              + ': allow remote access in phyphox there, and compare the address')
        return samples

    def close(self) -> None:
        for poller in self._pollers.values():
            poller.stop()
        for poller in self._pollers.values():
            poller.join(CONNECT_S + 1.0)
        self._pollers = {}

    def status(self) -> Mapping[str, object]:
        """Return the state of each connection, and the clocks of phones."""
        states = {phone: poller.state for phone, poller in self._pollers.copy().items()}
        lost = [f'{phone}: {state}' for phone, state in states.items()
                if state not in ('open', 'opening')]
        return {**{f'{phone}.connection': state for phone, state in states.items()},
                'trouble': '; '.join(lost), **self._phones.status()}


ENTRY = SourceEntry('phyphox, polled by HTTP', PhyphoxSettings,
                    lambda settings, _area: PhyphoxSource(settings), lambda: '')
