"""ESP32 boards on serial ports, each carried as a phone: ESP-IDF's console, GTEC's tag reader."""

import os
import select
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import serial
from serial.tools import list_ports

from utt_ros.drivers.ftm.serial_format import Report, parse_esp_idf, parse_gtec
from utt_ros.drivers.phone_registry import StreamClocks, check_phones, is_mac
from utt_ros.drivers.source import Source
from utt_ros.drivers.types import Ranging
from utt_ros.errors import SettingsError, SourceError
from utt_ros.settings import check, setting

MAX_LINE_BYTES = 16_384  # 64 frames of GTEC are 6 kB
MAX_READ_BYTES = 65_536  # bytes of a port in one call of read
LOST_S = 2.0  # until a port that was lost is tried again while others go on


@dataclass(frozen=True, slots=True)
class BoardSettings:
    """Which boards, and whose."""

    ports: tuple[str, ...] = setting((), 'serial ports, such as /dev/ttyUSB0')
    phones: tuple[str, ...] = setting((), 'phone that the board on each port is carried as')
    baud: int = setting(115_200, 'speed of the ports [baud]', low=300, high=4_000_000)

    def __post_init__(self) -> None:
        check(self)
        check_phones('ports', self.ports, self.phones)


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """Which boards, whose, whom they range, and what makes them do so."""

    ports: tuple[str, ...] = setting((), 'serial ports, such as /dev/ttyUSB0')
    phones: tuple[str, ...] = setting((), 'phone that the board on each port is carried as')
    baud: int = setting(115_200, 'speed of the ports [baud]', low=300, high=4_000_000)
    ap: str = setting('', 'BSSID of who is ranged, which the console does not tell')
    command: str = setting('ftm -I', 'sent to make a board range once; empty: it does so itself')
    period: float = setting(0.5, 'time between such commands [s]', low=0.05, high=3600.0)

    def __post_init__(self) -> None:
        check(self)
        check_phones('ports', self.ports, self.phones)
        if self.ap and not is_mac(self.ap):
            raise SettingsError(f'ap is {self.ap!r}: like 02:00:00:00:00:01, in lower case')
        if not self.command.isprintable() or not self.command.isascii():
            raise SettingsError(f'command is {self.command!r}: it must be one line of ASCII')


@dataclass(slots=True)
class _Board:
    path: str
    phone: str
    port: serial.Serial | None = None
    rest: bytes = b''
    skips: bool = True  # until the end of a line: what it prints may have begun before us
    retry_s: float = 0.0
    trouble: str = ''
    asked_s: float = 0.0


class Boards(Source[Ranging]):
    """Boards that come and go; it is lost only when none is there.

    A stamp is when the line had come, and with a stamp of the board's own clock in it, the
    instant of that by our clock.
    """

    def __init__(
        self, settings: BoardSettings | ConsoleSettings, parse: Callable[[str], Report | str],
    ) -> None:
        super().__init__()
        if not settings.ports:
            raise SettingsError('ports is empty: name at least one serial port')
        self._settings, self._parse = settings, parse
        self._ap = getattr(settings, 'ap', '')
        self._command: str = getattr(settings, 'command', '')
        self._period_s: float = getattr(settings, 'period', 0.0)
        self._boards = [
            _Board(*pair) for pair in zip(settings.ports, settings.phones, strict=True)]
        self._stamps = StreamClocks(self.counters)

    def open(self) -> None:
        """Open the ports that are there."""
        for board in self._boards:
            self._open(board)
        self._check_one_is_there()

    def read(self, timeout_s: float) -> Sequence[Ranging]:
        """Ranges in the lines that have come."""
        now_s = time.monotonic()
        for board in self._boards:
            if board.port is None and now_s >= board.retry_s:
                self._open(board)
            self._ask(board, now_s)
        self._check_one_is_there()
        ports = {board.port.fileno(): board for board in self._boards if board.port is not None}
        if self._command:
            timeout_s = min(timeout_s, self._period_s)
        ready, _, _ = select.select(list(ports), [], [], timeout_s)
        samples: list[Ranging] = []
        for number in ready:
            for line in self._lines(ports[number]):
                samples += self._take(ports[number].phone, line, time.time_ns())
        return samples

    def close(self) -> None:
        """Let go of the ports."""
        for board in self._boards:
            self._lose(board, '')

    def status(self) -> Mapping[str, object]:
        """Clocks of the boards, and ports that are missing."""
        lost = {f'{board.phone}.port': board.trouble for board in self._boards if board.trouble}
        return {**self._stamps.status(), **lost}

    def _open(self, board: _Board) -> None:
        port = serial.Serial(
            None, self._settings.baud, timeout=0, write_timeout=0, exclusive=True)
        port.dtr = port.rts = False  # else many boards start anew when their port is opened
        port.port = board.path
        try:
            port.open()
        except (serial.SerialException, OSError, ValueError) as err:
            self._lose(board, str(err))
        else:
            board.port = port
            board.rest, board.skips, board.trouble, board.asked_s = b'', True, '', 0.0

    def _lose(self, board: _Board, trouble: str) -> None:
        port, board.port = board.port, None
        board.trouble, board.retry_s = trouble, time.monotonic() + LOST_S
        if port is not None:
            port.close()

    def _check_one_is_there(self) -> None:
        if all(board.port is None for board in self._boards):
            troubles = '; '.join(dict.fromkeys(board.trouble for board in self._boards))
            known = ', '.join(port.device for port in list_ports.comports()) or 'none'
            raise SourceError(
                f'{troubles}: plug the board in, and be in the group dialout; ports here: {known}')

    def _ask(self, board: _Board, now_s: float) -> None:
        if not self._command or board.port is None or now_s - board.asked_s < self._period_s:
            return
        board.asked_s = now_s
        try:
            board.port.write(f'{self._command}\r\n'.encode('ascii'))
        except (serial.SerialException, OSError) as err:
            self._lose(board, f'{board.path}: {err}')

    def _lines(self, board: _Board) -> list[str]:
        """Whole lines that have come; a port that is gone is lost."""
        if board.port is None:
            return []
        try:
            data = os.read(board.port.fileno(), MAX_READ_BYTES)
        except BlockingIOError:
            return []
        except OSError as err:
            self._lose(board, f'{board.path}: {err}')
            return []
        if not data:
            self._lose(board, f'{board.path}: it was unplugged')
            return []
        *lines, board.rest = (board.rest + data).split(b'\n')
        if board.skips and lines:
            lines, board.skips = lines[1:], False
        whole = [line for line in lines if len(line) <= MAX_LINE_BYTES]
        self.counters['too_long'] += len(lines) - len(whole)
        if len(board.rest) > MAX_LINE_BYTES:
            self.counters['too_long'] += 1
            board.rest, board.skips = b'', True
        return [line.decode('utf-8', 'replace') for line in whole]

    def _take(self, phone: str, line: str, arrival_ns: int) -> list[Ranging]:
        report = self._parse(line.rstrip('\r'))
        if isinstance(report, str):
            self.counters[report or 'other_line'] += 1
            return []
        ap = report.ap or self._ap
        if report.boot_ns is None:
            self._stamps.notice(arrival_ns)
            stamp_ns = self._stamps.advance(phone, ap, arrival_ns)
        elif self._stamps.observe(phone, report.boot_ns, arrival_ns):
            stamp_ns = self._stamps.stamp(phone, ap, report.boot_ns)
        else:
            self.counters['clock'] += 1
            return []
        if stamp_ns is None:
            return []
        return [Ranging(phone, stamp_ns, report.range_m, report.std_m, ap, report.rssi_dbm,
                        report.attempted, report.successful)]


def esp_idf(settings: ConsoleSettings) -> Boards:
    """Boards with ESP-IDF's example wifi/ftm, as a station."""
    return Boards(settings, parse_esp_idf)


def gtec(settings: BoardSettings) -> Boards:
    """Boards with GTEC's tag reader."""
    return Boards(settings, parse_gtec)


def lacking() -> str:
    """Why no board can be read here; empty when one may be."""
    if not list_ports.comports():
        return 'no serial port is there: plug a board in (and load the driver of its USB chip)'
    return ''
