"""Fine time measurements by this machine's own Wi-Fi card, through the program `iw`."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from utt_ros.drivers.ftm import iw_format
from utt_ros.drivers.phone_registry import StreamClocks, check_phones, is_mac
from utt_ros.drivers.source import Source
from utt_ros.drivers.types import Ranging
from utt_ros.errors import SettingsError, SourceError
from utt_ros.settings import check, setting
from utt_ros.types import NS_PER_S

BANDWIDTHS = (5, 10, 20, 40, 80, 160)
MAX_OUTPUT_BYTES = 1 << 20  # bytes
MAX_RETRY_S = 600
EARLY_NS, LATE_NS = 1_000_000_000, 100_000_000


@dataclass(frozen=True, slots=True)
class IwSettings:
    """Whom to range, where, and how often. A peer is who answers: its address is the `ap`."""

    interface: str = setting('wlan0', 'Wi-Fi interface of this machine')
    program: str = setting('iw', 'the program, a name on PATH or a path')
    macs: tuple[str, ...] = setting((), 'addresses of the peers to range')
    phones: tuple[str, ...] = setting(
        (), 'phone that each peer is carried as; of one name only when this machine is carried')
    bandwidths: tuple[int, ...] = setting(
        (80,), 'channel width of each peer, or one for all [MHz]', low=5, high=160)
    frequencies: tuple[int, ...] = setting(
        (5240,), 'primary channel of each peer, or one for all [MHz]', low=2400, high=7200)
    centres: tuple[int, ...] = setting(
        (5210,), 'centre of the channel of each peer, or one for all [MHz]; 0: not said',
        low=0, high=7200)
    ftms_per_burst: int = setting(
        8, 'frames in a burst; 0 lets the driver choose', low=0, high=31)
    asap: bool = setting(True, 'ask for the burst at once')
    at_once: int = setting(10, 'peers in one request; cards refuse more', low=1, high=64)
    period: float = setting(0.2, 'time between requests to a peer [s]', low=0.01, high=3600.0)
    timeout: float = setting(5.0, 'longest that a request may take [s]', low=0.1, high=600.0)

    def __post_init__(self) -> None:
        check(self)
        check_phones('macs', self.macs, self.phones, repeated=True)
        wrong = [mac for mac in self.macs if not is_mac(mac)]
        if wrong:
            raise SettingsError(
                f'macs holds {wrong[0]!r}: it must be like 02:00:00:00:00:01, in lower case')
        for name in ('bandwidths', 'frequencies', 'centres'):
            count = len(getattr(self, name))
            if count != 1 and count != len(self.macs):
                raise SettingsError(
                    f'{name} has {count} numbers: one for all, or {len(self.macs)}')
        odd = sorted(set(self.bandwidths) - set(BANDWIDTHS))
        if odd:
            raise SettingsError(f'bandwidths holds {odd[0]}: one of {BANDWIDTHS}')
        if not self.interface or self.interface.startswith('-') or '/' in self.interface:
            raise SettingsError(f'interface is {self.interface!r}: a name such as wlan0')


class IwSource(Source[Ranging]):
    """Runs one request after the other; a peer that is busy is left alone as long as it asks."""

    def __init__(self, settings: IwSettings) -> None:
        super().__init__()
        if not settings.macs:
            raise SettingsError('macs is empty: name at least one peer to range')
        self._settings = settings
        count = len(settings.macs)
        columns = (values * count if len(values) == 1 else values for values in (
            settings.bandwidths, settings.frequencies, settings.centres))
        self._peers = [
            iw_format.Peer(*row) for row in zip(settings.macs, *columns, strict=True)]
        self._phones = dict(zip(settings.macs, settings.phones, strict=True))
        self._stamps = StreamClocks(self.counters)
        self._due_s = dict.fromkeys(settings.macs, 0.0)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._begin_s = 0.0

    def open(self) -> None:
        """Look for the program."""
        if shutil.which(self._settings.program) is None:
            raise SourceError(missing(self._settings.program))
        self._folder = tempfile.TemporaryDirectory(prefix='utt-iw-')

    def read(self, timeout_s: float) -> Sequence[Ranging]:
        """Ranges of the request that has ended, if one has."""
        if self._process is None and not self._start(timeout_s):
            return []
        process = self._process
        if process is None or self._folder is None:
            raise SourceError('it is not open')
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._check_patience()
            return []
        self._process = None
        out, err = (_head(Path(self._folder.name, name)) for name in ('out', 'err'))
        if code != 0:
            raise SourceError(iw_format.explain(self._settings.interface, err, code))
        return self._take(out)

    def close(self) -> None:
        """End the program, if it runs."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _start(self, timeout_s: float) -> bool:
        """Begin a request to the peers whose turn it is; false, later, when there is none."""
        if self._folder is None:
            raise SourceError('it is not open')
        now_s = time.monotonic()
        due = sorted((self._due_s[peer.mac], index) for index, peer in enumerate(self._peers))
        if due[0][0] > now_s:
            time.sleep(min(due[0][0] - now_s, timeout_s))
            return False
        own = self._settings
        peers = [self._peers[index] for due_s, index in due[:own.at_once] if due_s <= now_s]
        self._due_s.update((peer.mac, now_s + own.period) for peer in peers)
        folder = Path(self._folder.name)
        (folder / 'request').write_text(
            iw_format.request(peers, own.ftms_per_burst, own.asap), encoding='ascii')
        command = [own.program, 'dev', own.interface, 'measurement', 'ftm_request',
                   str(folder / 'request')]
        self._begin_s = now_s
        try:
            with (folder / 'out').open('wb') as out, (folder / 'err').open('wb') as err:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        except OSError as error:
            raise SourceError(f'{own.program} cannot be run: {error}') from error
        return True

    def _check_patience(self) -> None:
        folder = Path(self._folder.name) if self._folder else Path()
        size = sum((folder / name).stat().st_size for name in ('out', 'err'))
        if size > MAX_OUTPUT_BYTES:
            raise SourceError(f'iw printed {size} bytes: {MAX_OUTPUT_BYTES} at most')
        if time.monotonic() - self._begin_s > self._settings.timeout:
            raise SourceError(
                f'iw did not end within {self._settings.timeout:g} s: the driver hangs, or '
                'timeout is too short for so many peers')

    def _take(self, text: str) -> list[Ranging]:
        bursts, failures, refused = iw_format.parse(text)
        self.counters.update(refused)
        now_s = time.monotonic()
        for failure in failures:
            self.counters[failure.reason] += 1
            if failure.mac in self._due_s and failure.retry_s:
                wait_s = min(failure.retry_s, MAX_RETRY_S)
                self._due_s[failure.mac] = now_s + wait_s
        boot_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        offset_ns = time.time_ns() - boot_ns
        first_ns = boot_ns - int((now_s - self._begin_s) * NS_PER_S) - EARLY_NS
        samples = []
        for burst in bursts:
            phone = self._phones.get(burst.mac)
            if phone is None:
                self.counters['unknown_phone'] += 1
            elif not first_ns <= burst.boot_ns <= boot_ns + LATE_NS:
                self.counters['stamp_outside_request'] += 1
            elif self._stamps.advance(phone, burst.mac, burst.boot_ns) is not None:
                samples.append(Ranging(
                    phone, burst.boot_ns + offset_ns, burst.range_m, burst.std_m, burst.mac,
                    burst.rssi_dbm))
        return samples


def missing(program: str = 'iw') -> str:
    """What to do about a program that is not there."""
    return f'the program {program} is not there: apt install iw (dnf install iw)'


def lacking() -> str:
    """Why this machine cannot range by itself; empty when it may be able to."""
    if shutil.which('iw') is None:
        return missing()
    if not list(Path('/sys/class/net').glob('*/phy80211')):
        return 'this machine has no Wi-Fi interface (`iw dev` lists none): plug one in'
    return ''


def _head(path: Path) -> str:
    with path.open('rb') as file:
        return file.read(MAX_OUTPUT_BYTES).decode('utf-8', 'replace')
