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

"""Request and output of `iw dev IF measurement ftm_request FILE`."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from utt_ros.drivers.phone_registry import is_plausible_range

METRES_PER_PS = 299_792_458.0 / 2 * 1e-12  # per round trip
IW_RSSI_LIMITS_DBM = (-128, 30)
RSSI_UNIT_DBM = 0.5  # of RSSI_AVG [S: NL80211_PMSR_FTM_RESP_ATTR_RSSI_AVG, "s32, 1/2 dBm"]
MAX_BOOT_NS = 2**62

PEER_LINE = re.compile(
    r'  Peer (?P<mac>[0-9a-f]{2}(?::[0-9a-f]{2}){5}):'
    r'(?: status=(?P<status>\d{1,10}) \((?P<word>\w{1,40})\))?'
    r'(?: @(?P<boot>\d{1,20}))?(?: tsf=\d{1,20})?(?: \(final\))?'
    r'(?P<none> no response!| - no data!| failed to parse response!)?\s*', re.ASCII)
FAILED_LINE = re.compile(
    r'    FTM failed: (?P<name>\w{1,40}) \((?P<code>\d{1,10})\)'
    r'(?: \[?retry after (?P<retry>\d{1,10})s\]?)?\s*', re.ASCII)
VALUE_LINE = re.compile(r'\s+(?P<name>[A-Z_]{1,40}): (?P<value>-?\d{1,20})\s*', re.ASCII)
COMMAND_FAILED = re.compile(r'command failed: (?P<text>[^\n]{1,200}) \((?P<code>-\d{1,5})\)')
MEASUREMENT_STATUSES = {'REFUSED', 'TIMEOUT', 'FAILURE'}
FAILURE_REASONS = {  # enum nl80211_peer_measurement_ftm_failure_reasons
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
class FtmPeer:
    """Responder to range, one line of a request."""

    mac: str
    bandwidth: int  # [MHz]
    frequency: int  # of the primary channel [MHz]
    centre: int  # of the whole channel [MHz]; 0: omitted


@dataclass(frozen=True, slots=True)
class IwBurst:
    """Range to one peer, over one burst."""

    mac: str
    boot_ns: int  # CLOCK_BOOTTIME
    range_m: float
    std_m: float  # NaN when unknown
    rssi_dbm: float  # NaN when unknown


@dataclass(frozen=True, slots=True)
class IwFailure:
    """Failed measurement of one peer."""

    mac: str
    reason: str  # key, of a bounded set
    retry_s: int = 0  # wait that the peer requests


def format_request(peers: list[FtmPeer], ftms_per_burst: int, asap: bool) -> str:
    """Format a request file, one line per peer; with 0 frames the driver chooses."""
    suffix = (f' ftms_per_burst={ftms_per_burst}' if ftms_per_burst else '') + asap * ' asap'
    return ''.join(
        f'{peer.mac} bw={peer.bandwidth} cf={peer.frequency}'
        f'{f" cf1={peer.centre}" if peer.centre else ""}{suffix}\n' for peer in peers)


def parse_iw(
    text: str, rssi_unit_dbm: float = RSSI_UNIT_DBM,
) -> tuple[list[IwBurst], list[IwFailure], Counter[str]]:
    """Parse the output of a request into ranges, failures and the counts of refusals by key."""
    bursts, failures, refused = [], [], Counter[str]()
    for head, lines in _blocks(text, refused):
        result = _parse_block(head, lines, refused, rssi_unit_dbm)
        if isinstance(result, IwBurst):
            bursts.append(result)
        elif result is not None:
            failures.append(result)
    return bursts, failures, refused


def explain_exit(interface: str, stderr: str, code: int) -> str:
    """Return cause and remedy of an exit code of iw that is not 0."""
    match = COMMAND_FAILED.search(stderr)
    if match is None:
        lines = stderr.strip().splitlines()
        return f'iw ended with exit code {code}: {lines[0][:200] if lines else "no message"}'
    number = int(match['code'])
    advice = ADVICE.get(number, 'see messages of the driver in `dmesg`').replace('IF', interface)
    return f'iw on {interface}: {match["text"]} ({number}): {advice}'


def _blocks(text: str, refused: Counter[str]) -> Iterator[tuple[re.Match[str], list[str]]]:
    """Yield the first line of each peer with its other lines."""
    head, lines = None, list[str]()
    for line in text.split('\n'):
        if line.startswith('  Peer'):
            if head is not None:
                yield head, lines
            head, lines = PEER_LINE.fullmatch(line), []
            refused['malformed'] += head is None
        elif not line.startswith('    '):
            if head is not None:
                yield head, lines
            head = None
        else:
            lines.append(line)
    if head is not None:
        yield head, lines


def _parse_block(
    head: re.Match[str], lines: list[str], refused: Counter[str], rssi_unit_dbm: float,
) -> IwBurst | IwFailure | None:
    mac = head['mac']
    if head['none']:
        return IwFailure(mac, 'no_response' if 'response!' in head['none'] else 'no_data')
    failed = next((match for line in lines if (match := FAILED_LINE.fullmatch(line))), None)
    if failed is not None:
        name = failed['name'] if failed['name'] in FAILURE_REASONS else 'other'
        return IwFailure(mac, f'failed_{name.lower()}', int(failed['retry'] or 0))
    if head['status'] != '0':
        word = head['word'] if head['word'] in MEASUREMENT_STATUSES else 'other'
        return IwFailure(mac, f'status_{word.lower()}')
    values = {match['name']: int(match['value'])
              for line in lines if (match := VALUE_LINE.fullmatch(line))}
    return _burst(mac, int(head['boot'] or 0), values, refused, rssi_unit_dbm)


def _burst(
    mac: str, boot_ns: int, values: dict[str, int], refused: Counter[str], rssi_unit_dbm: float,
) -> IwBurst | None:
    """Convert values of nl80211: RTT_AVG [ps], DIST_AVG [mm], their variances, RSSI_AVG.

    Without DIST_AVG the range is half of the round trip times the speed of light; a round trip of
    0 ps was not measured.
    """
    if not 0 < boot_ns < MAX_BOOT_NS:
        refused['no_stamp'] += 1
        return None
    unit_m = 1e-3 if 'DIST_AVG' in values else METRES_PER_PS
    kind = 'DIST' if 'DIST_AVG' in values else 'RTT'
    if f'{kind}_AVG' not in values or (kind == 'RTT' and values['RTT_AVG'] == 0):
        refused['no_range'] += 1
        return None
    range_m = unit_m * _signed(values[f'{kind}_AVG'], 64)
    variance = values.get(f'{kind}_VARIANCE', -1)
    std_m = unit_m * math.sqrt(variance) if variance >= 0 else math.nan
    if not is_plausible_range(range_m, std_m):
        refused['implausible'] += 1
        return None
    rssi = math.nan
    if 'RSSI_AVG' in values:
        rssi = rssi_unit_dbm * _signed(_signed(values['RSSI_AVG'], 64), 32)
    low, high = IW_RSSI_LIMITS_DBM
    return IwBurst(mac, boot_ns, range_m, std_m, rssi if low <= rssi <= high else math.nan)


def _signed(value: int, bits: int) -> int:
    """Return the signed value of a number that older releases print as unsigned."""
    return value - 2**bits if value >= 2 ** (bits - 1) else value
