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

"""Base of IMU sources that listen for phones on a port."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from utt_ros.drivers.imu.phone_assemblers import PhoneAssemblers, PhoneSettings
from utt_ros.drivers.imu.readings import Reading, refusal_key
from utt_ros.drivers.source import Source
from utt_ros.drivers.transport.sockets import Arrival, PortServer
from utt_ros.drivers.types import InertialSample, MagneticSample
from utt_ros.errors import MeasurementError
from utt_ros.settings import setting


@dataclass(frozen=True, slots=True)
class PortSettings(PhoneSettings):
    """Address to which phones send."""

    host: str = setting('0.0.0.0', 'address to listen on; 0.0.0.0: all of this machine')  # noqa: S104
    port: int = setting(0, 'port to listen on', low=0, high=65535)


class PortSource(Source[InertialSample | MagneticSample]):
    """Source that parses and assembles the arrivals of a server."""

    server: PortServer
    phones: PhoneAssemblers
    _trouble = ''

    @abstractmethod
    def parse(self, arrival: Arrival) -> tuple[str, Sequence[Reading]]:
        """Return device id and readings. Raises MeasurementError."""

    @property
    def address(self) -> str:
        return self.server.address

    def open(self) -> None:
        self.server.open()

    def read(self, timeout_s: float) -> list[InertialSample | MagneticSample]:
        samples: list[InertialSample | MagneticSample] = []
        for arrival in self.server.read(timeout_s):
            try:
                device, readings = self.parse(arrival)
            except MeasurementError as err:  # noqa: PERF203  the other arrivals are kept
                self.counters[refusal_key(err)] += 1
                self._trouble = f'{arrival.peer}: {err}'
            else:
                samples += self.phones.add(device, readings, arrival.arrival_ns)
        return samples

    def close(self) -> None:
        self.server.close()

    def status(self) -> Mapping[str, object]:
        """Return the address, and the clocks of phones."""
        return {'address': self.address, 'trouble': self._trouble, **self.phones.status()}
