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

"""Parsers of lines of ESP32 boards: examples of ESP-IDF and Arduino, and GTEC's tag reader."""

import math
import re
from dataclasses import dataclass
from typing import Any

from utt_ros.documents import load_json
from utt_ros.drivers.ftm.iw_format import METRES_PER_PS
from utt_ros.drivers.phone_registry import is_mac, is_plausible_range
from utt_ros.drivers.types import MAX_FRAME_COUNT
from utt_ros.errors import DocumentError
from utt_ros.types import NS_PER_MS

MAX_FRAMES = 64
FRAME_COLUMNS = 6  # round trip [ps], RSSI [dBm], four stamps [ps]
INVALID_PS = 2**32 - 1
MAX_PS = 2_000_000_000  # 300 km

COLOR_CODE = re.compile(r'\x1b\[[0-9;]{0,16}m')
# ESP-IDF: the stamp of its log is milliseconds, a time of day, a date with time, or missing.
# Arduino: FTM_Initiator. A serial monitor may precede both with a time of its own.
ESTIMATES = (
    re.compile(
        r'.{0,100}?(?:\((?P<ms>\d{1,15})\) \w{1,40}: )?(?:FTM session complete\. )?'
        r'Estimated RTT - (?P<ns>-?\d{1,10}) nSec, Estimated Distance - '
        r'(?P<metres>-?\d{1,7}\.\d{2}) meters\s*', re.ASCII),
    re.compile(
        r'.{0,100}?FTM Estimate: Distance: (?P<metres>-?\d{1,7}\.\d{1,6}) m, '
        r'Return Time: (?P<ns>-?\d{1,10}(?:\.\d{1,6})?) ns\s*', re.ASCII))
SESSION_FAILED = re.compile(
    r'ftm_station: .{0,80}(?:failed! \(Status - \d{1,4}\)|procedure failed)|FTM Error: \w')
INTEGER = re.compile(r' ?-?\d{1,19}(?:\.0{0,6})? ?', re.ASCII)


@dataclass(frozen=True, slots=True)
class BoardReport:
    """Measurement of one line."""

    range_m: float
    std_m: float = math.nan  # over the frames; NaN for fewer than two
    ap: str = ''  # BSSID of the responder; empty when unknown
    rssi_dbm: float = math.nan
    attempted: int = 0  # 0 when unknown
    successful: int = 0
    boot_ns: int | None = None  # since the boot of the board; None: unknown


def parse_esp_idf(line: str) -> BoardReport | str:
    """Parse a line of a console, or return the key of its refusal; '' for other lines.

    The distance of the line has steps of 1 cm; the round trip, in whole nanoseconds (15 cm), is
    not used. Only milliseconds in a log are a stamp of the board's clock.
    """
    line = COLOR_CODE.sub('', line)
    match = next((match for form in ESTIMATES if (match := form.fullmatch(line))), None)
    if match is None:
        return 'failed' if SESSION_FAILED.search(line) else ''
    range_m = float(match['metres'])
    if range_m == 0.0 and float(match['ns']) == 0.0:  # the estimate of no frame
        return 'failed'
    if not is_plausible_range(range_m, math.nan):
        return 'implausible'
    boot_ms = match.groupdict().get('ms')
    return BoardReport(
        range_m, boot_ns=None if boot_ms is None else int(boot_ms) * NS_PER_MS)


def parse_gtec(line: str) -> BoardReport | str:
    """Parse a line of GTEC's firmware, or return the key of its refusal; '' for lines of its log.

    CSV: id, rtt_est, rtt_raw, dist [cm], in some releases own_dist [cm], N, and N times rtt [ps],
    rssi [dBm], t1, t2, t3, t4. JSON: the same as "id" or "mac", "dist_est", "num_frames" and
    "frames".
    """
    line = COLOR_CODE.sub('', line).strip()
    if line.startswith('{'):
        return _json(line)
    if not is_mac(line[:17].lower()):
        return ''
    return _csv(line)


def _csv(line: str) -> BoardReport | str:
    fields = line.rstrip(',').split(',')
    numbers = [int(field.partition('.')[0]) for field in fields[1:] if INTEGER.fullmatch(field)]
    if len(numbers) != len(fields) - 1 or not is_mac(fields[0].lower()):
        return 'malformed'
    begin = 4 + (len(numbers) - 4) % FRAME_COLUMNS  # one more with own_dist
    if begin not in {4, 5} or len(numbers) < begin:
        return 'malformed'
    count = numbers[begin - 1]
    if count != (len(numbers) - begin) // FRAME_COLUMNS or count > MAX_FRAMES:
        return 'malformed'
    return _report(fields[0].lower(), numbers[2], numbers[begin::FRAME_COLUMNS],
                   numbers[begin + 1::FRAME_COLUMNS])


def _json(line: str) -> BoardReport | str:
    # One release omits the comma between rtt_raw and dist_est.
    line = re.sub(r'(\d) *"dist_est"', r'\1, "dist_est"', line)
    try:
        item = load_json(line)
    except DocumentError:
        return 'malformed'
    if not isinstance(item, dict):
        return 'malformed'
    ap, distance = item.get('id', item.get('mac')), _whole(item.get('dist_est'))
    frames = item.get('frames')
    if not isinstance(ap, str) or not is_mac(ap.lower()) or not isinstance(frames, list):
        return 'malformed'
    pairs = [_pair(frame) for frame in frames]
    if (distance is None or None in pairs or len(pairs) > MAX_FRAMES
            or item.get('num_frames') != len(pairs)):
        return 'malformed'
    valid = [pair for pair in pairs if pair is not None]
    return _report(ap.lower(), distance, [rtt for rtt, _ in valid], [rssi for _, rssi in valid])


def _pair(frame: Any) -> tuple[int, int] | None:
    if not isinstance(frame, dict):
        return None
    rtt, rssi = _whole(frame.get('rtt')), _whole(frame.get('rssi'))
    return None if rtt is None or rssi is None else (rtt, rssi)


def _whole(value: Any) -> int | None:
    """Return a whole number, also one that is written as 620.0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def _report(ap: str, distance_cm: int, trips_ps: list[int], rssi: list[int]) -> BoardReport | str:
    """Return the board's estimate with the spread of its frames, or the key of a refusal.

    Failed frames have round trips of 2^32 - 1, printed as -1 by some releases, or 0. The estimate
    is invalid when all failed.
    """
    good = [(trip, level) for trip, level in zip(trips_ps, rssi, strict=True)
            if trip not in {-1, 0, INVALID_PS}]
    if any(abs(trip) > MAX_PS or not -128 <= level <= 30 for trip, level in good):
        return 'implausible'
    if not good and (trips_ps or distance_cm == 0):
        return 'failed'
    count, range_m = len(good), distance_cm / 100 if abs(distance_cm) < MAX_PS else math.inf
    mean = sum(trip for trip, _ in good) / max(count, 1)
    spread = math.sqrt(sum((trip - mean) ** 2 for trip, _ in good) / max(count - 1, 1))
    std_m = METRES_PER_PS * spread if count > 1 else math.nan
    if not is_plausible_range(range_m, std_m):
        return 'implausible'
    level = sum(level for _, level in good) / count if count else math.nan
    return BoardReport(range_m, std_m, ap, level, min(len(trips_ps), MAX_FRAME_COUNT),
                  min(count, MAX_FRAME_COUNT))
