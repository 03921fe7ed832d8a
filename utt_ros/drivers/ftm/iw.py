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

"""FTM source: Wi-Fi card of this machine, by the program `iw`. See docs/sources/iw.md."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from utt_ros.drivers.clock_sync import StreamClocks
from utt_ros.drivers.ftm import iw_format
from utt_ros.drivers.phone_registry import check_phones, is_mac
from utt_ros.drivers.source import Source, SourceEntry
from utt_ros.drivers.types import FtmSample
from utt_ros.errors import SettingsError, SourceError
from utt_ros.settings import check, setting
from utt_ros.types import NS_PER_S

BANDWIDTHS = (5, 10, 20, 40, 80, 160)
MAX_OUTPUT_BYTES = 1 << 20
MAX_RETRY_S = 600
EARLY_NS, LATE_NS = 1_000_000_000, 100_000_000  # tolerances of stamps around a request


@dataclass(frozen=True, slots=True)
class IwSettings:
    """Peers to range, their channels, and the period. A peer's address is the `ap` of samples."""

    interface: str = setting('wlan0', 'Wi-Fi interface of this machine')
    program: str = setting('iw', 'program, a name on PATH or a path')
    macs: tuple[str, ...] = setting((), 'addresses of the peers to range')
    phones: tuple[str, ...] = setting(
        (), 'phone as which each peer is carried; the same for all if this machine is carried')
    bandwidths: tuple[int, ...] = setting(
        (80,), 'channel width of each peer, or one for all [MHz]', low=5, high=160)
    frequencies: tuple[int, ...] = setting(
        (5240,), 'primary channel of each peer, or one for all [MHz]', low=2400, high=7200)
    centres: tuple[int, ...] = setting(
        (5210,), 'centre of the channel of each peer, or one for all [MHz]; 0: omitted',
        low=0, high=7200)
    ftms_per_burst: int = setting(
        8, 'frames in a burst; 0: the driver chooses', low=0, high=31)
    asap: bool = setting(True, 'request the burst as soon as possible')
    at_once: int = setting(10, 'peers in one request; cards limit them', low=1, high=64)
    period: float = setting(0.2, 'time between requests to a peer [s]', low=0.01, high=3600.0)
    timeout: float = setting(5.0, 'time limit of a request [s]', low=0.1, high=600.0)
    rssi_unit: float = setting(
        0.5, 'unit of RSSI_AVG [dBm]: 0.5 by nl80211; 1.0 for a driver that reports dBm',
        low=0.1, high=1.0)

    def __post_init__(self) -> None:
        check(self)
        check_phones('macs', self.macs, self.phones, repeated=True)
        invalid = [mac for mac in self.macs if not is_mac(mac)]
        if invalid:
            raise SettingsError(
                f'macs holds {invalid[0]!r}: it must be like 02:00:00:00:00:01, in lower case')
        for name in ('bandwidths', 'frequencies', 'centres'):
            count = len(getattr(self, name))
            if count != 1 and count != len(self.macs):
                raise SettingsError(
                    f'{name} has {count} numbers: one for all, or {len(self.macs)}')
        unknown = sorted(set(self.bandwidths) - set(BANDWIDTHS))
        if unknown:
            raise SettingsError(f'bandwidths holds {unknown[0]}: one of {BANDWIDTHS}')
        if not self.interface or self.interface.startswith('-') or '/' in self.interface:
            raise SettingsError(f'interface is {self.interface!r}: a name such as wlan0')


class IwSource(Source[FtmSample]):
    """One request of iw after the other; a busy peer is skipped for the time it requests."""

    def __init__(self, settings: IwSettings) -> None:
        super().__init__()
        if not settings.macs:
            raise SettingsError('macs is empty: name at least one peer to range')
        self._settings = settings
        count = len(settings.macs)
        columns = (values * count if len(values) == 1 else values for values in (
            settings.bandwidths, settings.frequencies, settings.centres))
        self._peers = [
            iw_format.FtmPeer(*row) for row in zip(settings.macs, *columns, strict=True)]
        self._phones = dict(zip(settings.macs, settings.phones, strict=True))
        self._clocks = StreamClocks(self.counters)
        self._due_s = dict.fromkeys(settings.macs, 0.0)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._request_s = 0.0

    def open(self) -> None:
        if shutil.which(self._settings.program) is None:
            raise SourceError(missing_program(self._settings.program))
        self._folder = tempfile.TemporaryDirectory(prefix='utt-iw-')

    def read(self, timeout_s: float) -> Sequence[FtmSample]:
        """Return the ranges of a completed request."""
        if self._process is None and not self._start(timeout_s):
            return []
        process = self._process
        if process is None or self._folder is None:
            raise SourceError('iw is not open')
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._check_limits()
            return []
        self._process = None
        out, err = (_head(Path(self._folder.name, name)) for name in ('out', 'err'))
        if code != 0:
            raise SourceError(iw_format.explain_exit(self._settings.interface, err, code))
        return self._take(out)

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _start(self, timeout_s: float) -> bool:
        """Start a request to the peers that are due; false, after a wait, when none is."""
        if self._folder is None:
            raise SourceError('iw is not open')
        now_s = time.monotonic()
        due = sorted((self._due_s[peer.mac], index) for index, peer in enumerate(self._peers))
        if due[0][0] > now_s:
            time.sleep(min(due[0][0] - now_s, timeout_s))
            return False
        settings = self._settings
        peers = [self._peers[index] for due_s, index in due[:settings.at_once] if due_s <= now_s]
        self._due_s.update((peer.mac, now_s + settings.period) for peer in peers)
        folder = Path(self._folder.name)
        (folder / 'request').write_text(
            iw_format.format_request(peers, settings.ftms_per_burst, settings.asap),
            encoding='ascii')
        command = [settings.program, 'dev', settings.interface, 'measurement', 'ftm_request',
                   str(folder / 'request')]
        self._request_s = now_s
        try:
            with (folder / 'out').open('wb') as out, (folder / 'err').open('wb') as err:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        except OSError as error:
            raise SourceError(f'{settings.program} cannot be run: {error}') from error
        return True

    def _check_limits(self) -> None:
        folder = Path(self._folder.name) if self._folder else Path()
        size = sum((folder / name).stat().st_size for name in ('out', 'err'))
        if size > MAX_OUTPUT_BYTES:
            raise SourceError(f'iw printed {size} bytes: {MAX_OUTPUT_BYTES} at most')
        if time.monotonic() - self._request_s > self._settings.timeout:
            raise SourceError(
                f'iw did not end within {self._settings.timeout:g} s: the driver hangs, or '
                'timeout is too short for so many peers')

    def _take(self, text: str) -> list[FtmSample]:
        bursts, failures, refused = iw_format.parse_iw(text, self._settings.rssi_unit)
        self.counters.update(refused)
        now_s = time.monotonic()
        for failure in failures:
            self.counters[failure.reason] += 1
            if failure.mac in self._due_s and failure.retry_s:
                wait_s = min(failure.retry_s, MAX_RETRY_S)
                self._due_s[failure.mac] = now_s + wait_s
        boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        offset_ns = time.time_ns() - boot_ns
        first_ns = boot_ns - int((now_s - self._request_s) * NS_PER_S) - EARLY_NS
        samples = []
        for burst in bursts:
            phone = self._phones.get(burst.mac)
            if phone is None:
                self.counters['unknown_phone'] += 1
            elif not first_ns <= burst.boot_ns <= boot_ns + LATE_NS:
                self.counters['stamp_outside_request'] += 1
            elif self._clocks.admit(phone, burst.mac, burst.boot_ns) is not None:
                samples.append(FtmSample(
                    phone, burst.boot_ns + offset_ns, burst.range_m, burst.std_m, burst.mac,
                    burst.rssi_dbm))
        return samples


def missing_program(program: str) -> str:
    return f'the program {program} is not installed: apt install iw (dnf install iw)'


def missing_card() -> str:
    """Return why this machine cannot range, and the remedy; empty when it may be able to."""
    if shutil.which('iw') is None:
        return missing_program('iw')
    if not list(Path('/sys/class/net').glob('*/phy80211')):
        return 'this machine has no Wi-Fi interface (`iw dev` lists none): plug one in'
    return ''


def _head(path: Path) -> str:
    with path.open('rb') as file:
        return file.read(MAX_OUTPUT_BYTES).decode('utf-8', 'replace')


ENTRY = SourceEntry('Wi-Fi card of this machine, through iw', IwSettings,
                    lambda settings, _area: IwSource(settings), missing_card)
