"""SensorStreamer (Android): JSON packets by TCP. See docs/sources/sensor_streamer.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from utt_ros.drivers.imu.formats import sensor_streamer
from utt_ros.drivers.imu.network import PortSettings, PortSource
from utt_ros.drivers.imu.phone_clocks import Phones
from utt_ros.drivers.imu.readings import Reading
from utt_ros.drivers.source import Entry
from utt_ros.drivers.transport.sockets import Arrival, LineServer
from utt_ros.settings import setting


@dataclass(frozen=True, slots=True)
class SensorStreamerSettings(PortSettings):
    """Packets of SensorStreamer as TCP client; `devices` are IP addresses of phones."""

    port: int = setting(5000, 'port to listen at', low=0, high=65535)


class SensorStreamer(PortSource):
    """Every sensor has a stamp of its own."""

    def __init__(self, settings: SensorStreamerSettings) -> None:
        super().__init__()
        self.server = LineServer(settings.host, settings.port, self.counters)
        self.phones = Phones(settings, settings.pairing(), self.counters)

    def parse(self, arrival: Arrival) -> tuple[str, Sequence[Reading]]:
        """Parse a packet."""
        return arrival.peer, sensor_streamer(arrival.data)


ENTRY = Entry('SensorStreamer, by TCP', SensorStreamerSettings,
              lambda settings, _area: SensorStreamer(settings), lambda: '')
