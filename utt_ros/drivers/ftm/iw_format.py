"""What `iw dev IF measurement ftm_request FILE` reads and prints."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from utt_ros.drivers.phone_registry import is_plausible

METRES_PER_PS = 299_792_458.0 / 2 * 1e-12  # a round trip goes the way twice
RSSI_DBM = (-128, 30)
MAX_BOOT_NS = 2**62

PEER = re.compile(
    r'  Peer (?P<mac>[0-9a-f]{2}(?::[0-9a-f]{2}){5}):'
    r'(?: status=(?P<status>\d{1,10}) \((?P<word>\w{1,40})\))?'
    r'(?: @(?P<boot>\d{1,20}))?(?: tsf=\d{1,20})?(?: \(final\))?'
    r'(?P<none> no response!| - no data!| failed to parse response!)?\s*', re.ASCII)
FAILED = re.compile(
    r'    FTM failed: (?P<name>\w{1,40}) \((?P<code>\d{1,10})\)'
    r'(?: \[?retry after (?P<retry>\d{1,10})s\]?)?\s*', re.ASCII)
VALUE = re.compile(r'\s+(?P<name>[A-Z_]{1,40}): (?P<value>-?\d{1,20})\s*', re.ASCII)
COMMAND_FAILED = re.compile(r'command failed: (?P<text>[^\n]{1,200}) \((?P<code>-\d{1,5})\)')
STATUSES = {'REFUSED', 'TIMEOUT', 'FAILURE'}
REASONS = {  # enum nl80211_peer_measurement_ftm_failure_reasons
    'UNSPECIFIED', 'NO_RESPONSE', 'REJECTED', 'WRONG_CHANNEL', 'PEER_NOT_CAPABLE',
    'INVALID_TIMESTAMP', 'PEER_BUSY', 'BAD_CHANGED_PARAMS'}

ADVICE = {
    -1: 'run as root, or give the program the capability: setcap cap_net_admin+ep $(which iw)',
    -16: 'another measurement or a scan is under way: nothing else may range on this interface',
    -19: 'there is no such interface: `iw dev` lists them',
    -22: 'bandwidth, frequency and centre of a peer do not belong together: `iw dev IF scan` '
         'shows "primary channel" and "center freq segment 1" of the peer',
    -95: 'its driver or firmware cannot begin fine time measurements, or not with these settings. '
         '`iw phy` must list FTM under "Supported extended features" or "peer measurement"; some '
         'firmware of Intel cards can, others cannot: take the linux-firmware that others report '
         'to work, let the interface be idle and managed, try bandwidth 20 and asap, or use '
         'another source (esp_idf, gtec, android_udp)',
    -100: 'the interface is down: ip link set dev IF up',
    -132: 'radio is switched off: rfkill unblock wifi',
}


@dataclass(frozen=True, slots=True)
class Peer:
    """One line of a request."""

    mac: str
    bandwidth: int  # [MHz]
    frequency: int  # of the primary channel [MHz]
    centre: int  # of the whole channel [MHz]; 0: not said


@dataclass(frozen=True, slots=True)
class Burst:
    """What a peer answered."""

    mac: str
    boot_ns: int  # CLOCK_BOOTTIME
    range_m: float
    std_m: float  # NaN when not told
    rssi_dbm: float  # NaN when not told


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no range to a peer."""

    mac: str
    reason: str  # a name of a bounded set
    retry_s: int = 0  # it wants to be left alone for so long


def request(peers: list[Peer], ftms_per_burst: int, asap: bool) -> str:
    """Write the file of a request, one line per peer; 0 frames lets the driver choose."""
    rest = (f' ftms_per_burst={ftms_per_burst}' if ftms_per_burst else '') + asap * ' asap'
    return ''.join(
        f'{peer.mac} bw={peer.bandwidth} cf={peer.frequency}'
        f'{f" cf1={peer.centre}" if peer.centre else ""}{rest}\n' for peer in peers)


def parse(text: str) -> tuple[list[Burst], list[Failure], Counter[str]]:
    """Ranges and failures in the output of a request; what cannot be understood is counted."""
    bursts, failures, refused = [], [], Counter[str]()
    for head, lines in _blocks(text, refused):
        result = _read(head, lines, refused)
        if isinstance(result, Burst):
            bursts.append(result)
        elif result is not None:
            failures.append(result)
    return bursts, failures, refused


def explain(interface: str, stderr: str, code: int) -> str:
    """What went wrong and what to do, when iw ended with an exit code that is not 0."""
    found = COMMAND_FAILED.search(stderr)
    if found is None:
        said = stderr.strip().splitlines()
        return f'iw ended with exit code {code}: {said[0][:200] if said else "it says nothing"}'
    number = int(found['code'])
    advice = ADVICE.get(number, 'see `dmesg` for what the driver says').replace('IF', interface)
    return f'iw on {interface}: {found["text"]} ({number}): {advice}'


def _blocks(text: str, refused: Counter[str]) -> Iterator[tuple[re.Match[str], list[str]]]:
    """Heads of peers, each with the lines that belong to it."""
    head, lines = None, list[str]()
    for line in text.split('\n'):
        if line.startswith('  Peer'):
            if head is not None:
                yield head, lines
            head, lines = PEER.fullmatch(line), []
            refused['garbage'] += head is None
        elif not line.startswith('    '):
            if head is not None:
                yield head, lines
            head = None
        else:
            lines.append(line)
    if head is not None:
        yield head, lines


def _read(
        head: re.Match[str], lines: list[str], refused: Counter[str]) -> Burst | Failure | None:
    mac = head['mac']
    if head['none']:
        return Failure(mac, 'no_response' if 'response!' in head['none'] else 'no_data')
    failed = next((found for line in lines if (found := FAILED.fullmatch(line))), None)
    if failed is not None:
        name = failed['name'] if failed['name'] in REASONS else 'other'
        return Failure(mac, f'failed_{name.lower()}', int(failed['retry'] or 0))
    if head['status'] != '0':
        word = head['word'] if head['word'] in STATUSES else 'other'
        return Failure(mac, f'status_{word.lower()}')
    values = {found['name']: int(found['value'])
              for line in lines if (found := VALUE.fullmatch(line))}
    return _burst(mac, int(head['boot'] or 0), values, refused)


def _burst(
        mac: str, boot_ns: int, values: dict[str, int], refused: Counter[str]) -> Burst | None:
    """From numbers of nl80211: RTT_AVG [ps], DIST_AVG [mm], variances of these, RSSI_AVG [dBm].

    The distance is taken where the driver tells it, else half the way of light in the round trip.
    """
    if not 0 < boot_ns < MAX_BOOT_NS:
        refused['no_stamp'] += 1
        return None
    unit_m = 1e-3 if 'DIST_AVG' in values else METRES_PER_PS
    kind = 'DIST' if 'DIST_AVG' in values else 'RTT'
    if f'{kind}_AVG' not in values:
        refused['no_range'] += 1
        return None
    range_m = unit_m * _signed(values[f'{kind}_AVG'], 64)
    variance = values.get(f'{kind}_VARIANCE', -1)
    std_m = unit_m * math.sqrt(variance) if variance >= 0 else math.nan
    if not is_plausible(range_m, std_m):
        refused['implausible'] += 1
        return None
    rssi = _signed(values['RSSI_AVG'], 32) if 'RSSI_AVG' in values else RSSI_DBM[1] + 1
    return Burst(mac, boot_ns, range_m, std_m,
                 float(rssi) if RSSI_DBM[0] <= rssi <= RSSI_DBM[1] else math.nan)


def _signed(value: int, bits: int) -> int:
    """A number that older releases print as if it had no sign."""
    return value - 2**bits if value >= 2 ** (bits - 1) else value
