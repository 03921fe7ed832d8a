"""Sources that wait for phones at a port of ours."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from utt_ros.drivers.imu.phone_clocks import Phones, PhoneSettings
from utt_ros.drivers.imu.readings import Reading
from utt_ros.drivers.source import Source
from utt_ros.drivers.transport.sockets import Arrival, Server
from utt_ros.drivers.types import Inertial, Magnetic
from utt_ros.errors import MeasurementError
from utt_ros.settings import setting


@dataclass(frozen=True, slots=True)
class PortSettings(PhoneSettings):
    """Where phones send to."""

    host: str = setting('0.0.0.0', 'address of ours to listen at; 0.0.0.0: all of them')  # noqa: S104
    port: int = setting(0, 'port to listen at', low=0, high=65535)


class PortSource(Source[Inertial | Magnetic]):
    """What a server receives, parsed and assembled."""

    server: Server
    phones: Phones

    @abstractmethod
    def parse(self, arrival: Arrival) -> tuple[str, Sequence[Reading]]:
        """Who sent it, and what. Raises MeasurementError."""

    def open(self) -> None:
        """Listen."""
        self.server.open()

    def read(self, timeout_s: float) -> list[Inertial | Magnetic]:
        """Samples that are complete."""
        samples: list[Inertial | Magnetic] = []
        for arrival in self.server.read(timeout_s):
            try:
                device, readings = self.parse(arrival)
            except MeasurementError:  # noqa: PERF203  nor may one bad packet
                self.counters['malformed'] += 1
            else:
                samples += self.phones.add(device, readings, arrival.arrival_ns)
        return samples

    def close(self) -> None:
        """Close the port."""
        self.server.close()

    def status(self) -> Mapping[str, object]:
        """Port, and the clocks of phones."""
        return {'port': self.server.port, **self.phones.status()}
