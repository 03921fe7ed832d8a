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

"""Base of FTM sources on serial ports: ESP32 boards, each carried as a phone."""

import os
import select
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import serial
from serial.tools import list_ports

from utt_ros.drivers.clock_sync import StreamClocks
from utt_ros.drivers.ftm.serial_format import BoardReport
from utt_ros.drivers.phone_registry import check_phones
from utt_ros.drivers.source import Source
from utt_ros.drivers.types import FtmSample
from utt_ros.errors import SettingsError, SourceError
from utt_ros.settings import check, setting

MAX_SERIAL_LINE_BYTES = 16_384  # 64 frames of GTEC are 6 kB
MAX_READ_BYTES = 65_536  # of a port in one call of read
REOPEN_S = 2.0  # wait before one lost port is reopened


@dataclass(frozen=True, slots=True)
class BoardSettings:
    """Serial ports of the boards, and their phones."""

    ports: tuple[str, ...] = setting((), 'serial ports, such as /dev/ttyUSB0')
    phones: tuple[str, ...] = setting((), 'phone as which the board on each port is carried')
    baud: int = setting(115_200, 'rate of the ports [baud]', low=300, high=4_000_000)

    def __post_init__(self) -> None:
        check(self)
        check_phones('ports', self.ports, self.phones)


@dataclass(slots=True)
class _Board:
    path: str
    phone: str
    port: serial.Serial | None = None
    rest: bytes = b''  # start of an incomplete line
    skips: bool = True  # the rest of a line whose start may be missing
    retry_s: float = 0.0
    error: str = ''
    command_s: float = 0.0


class BoardSource(Source[FtmSample]):
    """Serial boards; the source is lost only when all of them are.

    A sample is stamped with the arrival of its line, or, where the line holds a stamp of the
    board's clock, with the host time of that stamp. `command`, if any, starts a measurement each
    `period_s`; `ap` is the access point where lines do not name it.
    """

    def __init__(
        self, settings: BoardSettings, parse: Callable[[str], BoardReport | str], *,
        ap: str = '', command: str = '', period_s: float = 0.0,
    ) -> None:
        super().__init__()
        if not settings.ports:
            raise SettingsError('ports is empty: name at least one serial port')
        self._settings, self._parse = settings, parse
        self._ap, self._command, self._period_s = ap, command, period_s
        self._boards = [
            _Board(*pair) for pair in zip(settings.ports, settings.phones, strict=True)]
        self._clocks = StreamClocks(self.counters)

    def open(self) -> None:
        for board in self._boards:
            self._open(board)
        self._check_any_open()

    def read(self, timeout_s: float) -> Sequence[FtmSample]:
        now_s = time.monotonic()
        for board in self._boards:
            if board.port is None and now_s >= board.retry_s:
                self._open(board)
            self._command_board(board, now_s)
        self._check_any_open()
        ports = {board.port.fileno(): board for board in self._boards if board.port is not None}
        if self._command:
            timeout_s = min(timeout_s, self._period_s)
        ready, _, _ = select.select(list(ports), [], [], timeout_s)
        samples: list[FtmSample] = []
        for number in ready:
            for line in self._lines(ports[number]):
                samples += self._take(ports[number].phone, line, time.time_ns())
        return samples

    def close(self) -> None:
        for board in self._boards:
            self._lose(board, '')

    def status(self) -> Mapping[str, object]:
        """Return the clocks of the boards, and errors of lost ports."""
        lost = {f'{board.phone}.port': board.error for board in self._boards if board.error}
        trouble = '; '.join(dict.fromkeys(lost.values()))
        return {**self._clocks.status(), **lost, 'trouble': trouble}

    def _open(self, board: _Board) -> None:
        port = serial.Serial(
            None, self._settings.baud, timeout=0, write_timeout=0, exclusive=True)
        port.dtr = port.rts = False  # else many boards reset when their port is opened
        port.port = board.path
        try:
            port.open()
        except (serial.SerialException, OSError, ValueError) as err:
            self._lose(board, str(err))
        else:
            board.port = port
            board.rest, board.skips, board.error, board.command_s = b'', True, '', 0.0

    def _lose(self, board: _Board, error: str) -> None:
        port, board.port = board.port, None
        board.error, board.retry_s = error, time.monotonic() + REOPEN_S
        if port is not None:
            port.close()

    def _check_any_open(self) -> None:
        if all(board.port is None for board in self._boards):
            errors = '; '.join(dict.fromkeys(board.error for board in self._boards))
            known = ', '.join(port.device for port in list_ports.comports()) or 'none'
            raise SourceError(
                f'{errors}: plug the board in, and be in the group dialout; ports here: {known}')

    def _command_board(self, board: _Board, now_s: float) -> None:
        if not self._command or board.port is None or now_s - board.command_s < self._period_s:
            return
        board.command_s = now_s
        try:
            board.port.write(f'{self._command}\r\n'.encode('ascii'))
        except (serial.SerialException, OSError) as err:
            self._lose(board, f'{board.path}: {err}')

    def _lines(self, board: _Board) -> list[str]:
        """Read complete lines; close a port that has failed."""
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
        complete = [line for line in lines if len(line) <= MAX_SERIAL_LINE_BYTES]
        self.counters['long_line'] += len(lines) - len(complete)
        if len(board.rest) > MAX_SERIAL_LINE_BYTES:
            self.counters['long_line'] += 1
            board.rest, board.skips = b'', True
        return [line.decode('utf-8', 'replace') for line in complete]

    def _take(self, phone: str, line: str, arrival_ns: int) -> list[FtmSample]:
        report = self._parse(line.rstrip('\r'))
        if isinstance(report, str):
            self.counters[report or 'other_line'] += 1
            return []
        ap = report.ap or self._ap
        if report.boot_ns is None:
            self._clocks.check_host(arrival_ns)
            stamp_ns = self._clocks.admit(phone, ap, arrival_ns)
        elif self._clocks.observe(phone, report.boot_ns, arrival_ns):
            stamp_ns = self._clocks.stamp(phone, ap, report.boot_ns)
        else:
            self.counters['other_clock'] += 1
            return []
        if stamp_ns is None:
            return []
        return [FtmSample(phone, stamp_ns, report.range_m, report.std_m, ap, report.rssi_dbm,
                        report.attempted, report.successful)]


def missing_ports() -> str:
    """Return that this machine has no serial port, and the remedy; empty when it has one."""
    if not list_ports.comports():
        return 'there is no serial port: plug a board in (and load the driver of its USB chip)'
    return ''
