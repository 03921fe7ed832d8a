"""Android phones that send their RangingResults as JSON lines, over UDP or by HTTP POST."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from utt_ros.drivers.ftm.android_json import Result, parse
from utt_ros.drivers.phone_registry import Owners, StreamClocks, check_phones
from utt_ros.drivers.source import Source
from utt_ros.drivers.transport.sockets import Arrival, Now, Server
from utt_ros.drivers.types import Ranging
from utt_ros.settings import check, setting


@dataclass(frozen=True, slots=True)
class AndroidSettings:
    """Where phones send to, and which phone is whose."""

    host: str = setting('0.0.0.0', 'address to listen on')  # noqa: S104  phones are elsewhere
    port: int = setting(9710, 'port to listen on', low=1, high=65535)
    devices: tuple[str, ...] = setting(
        (), 'deviceId of each phone; empty: any, and it is the name of the phone')
    phones: tuple[str, ...] = setting((), 'name of each of these phones')

    def __post_init__(self) -> None:
        check(self)
        check_phones('devices', self.devices, self.phones)


class Android(Source[Ranging]):
    """Datagrams, or bodies of POST requests to any path, of one or more lines."""

    def __init__(
        self, settings: AndroidSettings, server: type[Server], now: Now = time.time_ns,
    ) -> None:
        super().__init__()
        self._owners = Owners(settings.devices, settings.phones)
        self._stamps = StreamClocks(self.counters)
        self._server = server(settings.host, settings.port, self.counters, now)

    def open(self) -> None:
        """Listen."""
        self._server.open()

    def read(self, timeout_s: float) -> Sequence[Ranging]:
        """Ranges that have come."""
        return [sample for arrival in self._server.read(timeout_s)
                for sample in self._take(arrival)]

    def close(self) -> None:
        """Listen no more."""
        self._server.close()

    def status(self) -> Mapping[str, object]:
        """Clocks of the phones."""
        return self._stamps.status()

    def _take(self, arrival: Arrival) -> list[Ranging]:
        results, refused = parse(arrival.data)
        self.counters.update(refused)
        devices: dict[str, list[Result]] = {}
        for result in results:
            devices.setdefault(result.device, []).append(result)
        return [sample for device, own in devices.items()
                for sample in self._take_device(device, own, arrival.arrival_ns)]

    def _take_device(
            self, device: str, results: list[Result], arrival_ns: int) -> Iterator[Ranging]:
        phone = self._owners.name(device)
        newest_ns = max(result.boot_ns for result in results)
        if not phone or not self._stamps.observe(phone, newest_ns, arrival_ns):
            self.counters['clock' if phone else 'unknown_phone'] += len(results)
            return
        for result in sorted(results, key=lambda result: result.boot_ns):
            stamp_ns = self._stamps.stamp(phone, result.mac, result.boot_ns)
            if stamp_ns is not None:
                yield Ranging(
                    phone, stamp_ns, result.range_m, result.std_m, result.mac, result.rssi_dbm,
                    result.attempted, result.successful)


def lacking() -> str:
    """Nothing: every machine can listen."""
    return ''
