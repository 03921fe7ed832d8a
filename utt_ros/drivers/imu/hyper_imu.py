"""HyperIMU (Android): packets of numbers by UDP or TCP. See docs/sources/hyper_imu.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from utt_ros.drivers.imu.formats import HYPER_IMU, HYPER_IMU_OTHERS, hyper_imu
from utt_ros.drivers.imu.network import PortSettings, PortSource
from utt_ros.drivers.imu.phone_clocks import Phones
from utt_ros.drivers.imu.readings import Reading
from utt_ros.drivers.source import Entry
from utt_ros.drivers.transport.sockets import Arrival, DatagramServer, LineServer
from utt_ros.errors import SettingsError
from utt_ros.settings import setting

MAX_COLUMNS = 64
TRANSPORTS = {'udp': DatagramServer, 'tcp': LineServer}


@dataclass(frozen=True, slots=True)
class HyperImuSettings(PortSettings):
    """Packets of HyperIMU; `devices` are IP addresses of phones."""

    port: int = setting(2055, 'port to listen at', low=0, high=65535)
    transport: str = setting('udp', 'udp or tcp, as in the app')
    columns: tuple[str, ...] = setting(
        ('time', 'accel', 'gyro', 'mag'), 'what the app is set to send, in this order: time'
        ' (one number), accel, gyro, mag, skip3 (three each), skip (one)')

    def __post_init__(self) -> None:
        PortSettings.__post_init__(self)
        if self.transport not in TRANSPORTS:
            raise SettingsError(f'transport is {self.transport!r}: it must be udp or tcp')
        known = {*HYPER_IMU, *HYPER_IMU_OTHERS}
        unknown = [name for name in self.columns if name not in known]
        if unknown or len(self.columns) > MAX_COLUMNS:
            raise SettingsError(f'columns are {list(self.columns)[:MAX_COLUMNS]}: '
                                f'at most {MAX_COLUMNS} of {", ".join(sorted(known))}')
        for name in ('accel', 'gyro'):
            if name not in self.columns:
                raise SettingsError(f'columns are {list(self.columns)}: {name} is missing')
        repeated = [name for name in ('time', *HYPER_IMU) if self.columns.count(name) > 1]
        if repeated:
            raise SettingsError(f'columns are {list(self.columns)}: {repeated[0]} is there twice')


class HyperImu(PortSource):
    """All readings of a packet carry one stamp."""

    def __init__(self, settings: HyperImuSettings) -> None:
        super().__init__()
        self._columns = settings.columns
        self.server = TRANSPORTS[settings.transport](
            settings.host, settings.port, self.counters)
        self.phones = Phones(settings, settings.pairing(), self.counters)

    def parse(self, arrival: Arrival) -> tuple[str, Sequence[Reading]]:
        """Parse a packet."""
        return arrival.peer, hyper_imu(arrival.data, self._columns, arrival.arrival_ns)


ENTRY = Entry('HyperIMU, by UDP or TCP', HyperImuSettings,
              lambda settings, _area: HyperImu(settings), lambda: '')
