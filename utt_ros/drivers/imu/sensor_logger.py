"""Sensor Logger (Android, iOS): pushes JSON by HTTP. See docs/sources/sensor_logger.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from utt_ros.drivers.imu.formats import sensor_logger
from utt_ros.drivers.imu.network import PortSettings, PortSource
from utt_ros.drivers.imu.phone_clocks import Phones, check_inverted
from utt_ros.drivers.imu.readings import Reading
from utt_ros.drivers.source import Entry
from utt_ros.drivers.transport.http import HttpServer
from utt_ros.drivers.transport.sockets import Arrival
from utt_ros.settings import setting


@dataclass(frozen=True, slots=True)
class SensorLoggerSettings(PortSettings):
    """Push of Sensor Logger; `devices` are its device ids."""

    port: int = setting(8000, 'port to listen at', low=0, high=65535)
    reorder: float = setting(
        0.3, 'readings wait for earlier ones that come later [s]; pushes may overtake each other,'
        ' so more than the batch period that the app is set to', low=0.0, high=10.0)
    inverted: tuple[str, ...] = setting(
        (), 'phones that send accelerations with the sign of iOS: iPhones where "Standardise Units'
        ' & Frames" is off')

    def __post_init__(self) -> None:
        PortSettings.__post_init__(self)
        check_inverted(self.inverted, self.phones)


class SensorLogger(PortSource):
    """Its accelerometer leaves gravity out; so it is added."""

    def __init__(self, settings: SensorLoggerSettings) -> None:
        super().__init__()
        self.server = HttpServer(settings.host, settings.port, self.counters)
        self.phones = Phones(
            settings, settings.pairing(apart=True), self.counters, settings.inverted)

    def parse(self, arrival: Arrival) -> tuple[str, Sequence[Reading]]:
        """Parse a push."""
        body = sensor_logger(arrival.data)
        if body.bad:
            self.counters['malformed'] += body.bad
        return body.device, body.readings


ENTRY = Entry('Sensor Logger, pushed by HTTP', SensorLoggerSettings,
              lambda settings, _area: SensorLogger(settings), lambda: '')
