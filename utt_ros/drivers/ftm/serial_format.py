"""Lines that ESP32 boards print: the console of ESP-IDF's example, and GTEC's tag reader."""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from utt_ros.drivers.ftm.iw_format import METRES_PER_PS
from utt_ros.drivers.phone_registry import is_mac, is_plausible
from utt_ros.types import NS_PER_MS

MAX_FRAMES = 64
FRAME = 6  # numbers: round trip [ps], RSSI [dBm], four stamps [ps]
INVALID_PS = 2**32 - 1
MAX_PS = 2_000_000_000  # 300 km
MAX_COUNT = 255

COLOUR = re.compile(r'\x1b\[[0-9;]{0,16}m')
ESTIMATE = re.compile(
    r'(?:.{0,40}> ?)?I \((?P<ms>\d{1,12})\) ftm_station: (?:FTM session complete\. )?'
    r'Estimated RTT - \d{1,10} nSec, Estimated Distance - (?P<metres>\d{1,7}\.\d{2}) meters\s*',
    re.ASCII)
FAILED = re.compile(r'ftm_station: .{0,80}(?:failed! \(Status - \d{1,4}\)|procedure failed)')
NUMBER = re.compile(r'-?\d{1,19}', re.ASCII)


@dataclass(frozen=True, slots=True)
class Report:
    """What one line tells."""

    range_m: float
    std_m: float = math.nan  # over the frames; NaN when fewer than two are told
    ap: str = ''  # who answered; empty when not told
    rssi_dbm: float = math.nan
    attempted: int = 0  # 0 when not told
    successful: int = 0
    boot_ns: int | None = None  # by the board's clock, since it was started; None: not told


def parse_esp_idf(line: str) -> Report | str:
    """A line of ESP-IDF's console; else why it is none: 'failed', or '' for other lines.

    The distance is that of the line, in steps of 1 cm; the round trip is in whole nanoseconds
    (15 cm) and is not used.
    """
    line = COLOUR.sub('', line)
    found = ESTIMATE.fullmatch(line)
    if found is None:
        return 'failed' if FAILED.search(line) else ''
    range_m = float(found['metres'])
    if not is_plausible(range_m, math.nan):
        return 'implausible'
    return Report(range_m, boot_ns=int(found['ms']) * NS_PER_MS)


def parse_gtec(line: str) -> Report | str:
    """A line of GTEC's firmware, CSV or JSON; else why it is none; '' for lines of its log.

    CSV: id, rtt_est, rtt_raw, dist [cm], in some releases own_dist [cm], N, and N times rtt [ps],
    rssi [dBm], t1, t2, t3, t4. JSON: the same as "id" or "mac", "dist_est", "num_frames" and
    "frames".
    """
    line = COLOUR.sub('', line).strip()
    if line.startswith('{'):
        return _json(line)
    if not is_mac(line[:17].lower()):
        return ''
    return _csv(line)


def _csv(line: str) -> Report | str:
    fields = line.rstrip(',').split(',')
    numbers = [int(field) for field in fields[1:] if NUMBER.fullmatch(field)]
    if len(numbers) != len(fields) - 1 or not is_mac(fields[0].lower()):
        return 'garbage'
    begin = 4 + (len(numbers) - 4) % FRAME  # one more number when it tells own_dist
    if begin not in {4, 5} or len(numbers) < begin:
        return 'garbage'
    count = numbers[begin - 1]
    if count != (len(numbers) - begin) // FRAME or count > MAX_FRAMES:
        return 'garbage'
    return _report(fields[0].lower(), numbers[2], numbers[begin::FRAME],
                   numbers[begin + 1::FRAME])


def _json(line: str) -> Report | str:
    # One release forgets the comma between rtt_raw and dist_est.
    line = re.sub(r'(\d) *"dist_est"', r'\1, "dist_est"', line)
    try:
        item = json.loads(line)
    except (ValueError, RecursionError):
        return 'garbage'
    if not isinstance(item, dict):
        return 'garbage'
    ap, distance = item.get('id', item.get('mac')), item.get('dist_est')
    frames = item.get('frames')
    if not isinstance(ap, str) or not is_mac(ap.lower()) or not isinstance(frames, list):
        return 'garbage'
    pairs = [_pair(frame) for frame in frames]
    if (type(distance) is not int or None in pairs or len(pairs) > MAX_FRAMES
            or item.get('num_frames') != len(pairs)):
        return 'garbage'
    told = [pair for pair in pairs if pair is not None]
    return _report(ap.lower(), distance, [rtt for rtt, _ in told], [rssi for _, rssi in told])


def _pair(frame: Any) -> tuple[int, int] | None:
    if not isinstance(frame, dict):
        return None
    rtt, rssi = frame.get('rtt'), frame.get('rssi')
    return (rtt, rssi) if type(rtt) is int and type(rssi) is int else None


def _report(ap: str, distance_cm: int, trips_ps: list[int], rssi: list[int]) -> Report | str:
    """The board's estimate, and how much its frames differ.

    Frames that failed have round trips of 2^32 - 1, printed as -1 by some releases. When all
    failed the estimate is none.
    """
    good = [(trip, level) for trip, level in zip(trips_ps, rssi, strict=True)
            if trip not in {-1, INVALID_PS}]
    if any(abs(trip) > MAX_PS or not -128 <= level <= 30 for trip, level in good):
        return 'implausible'
    if trips_ps and not good:
        return 'failed'
    count, range_m = len(good), distance_cm / 100 if abs(distance_cm) < MAX_PS else math.inf
    mean = sum(trip for trip, _ in good) / max(count, 1)
    spread = math.sqrt(sum((trip - mean) ** 2 for trip, _ in good) / max(count - 1, 1))
    std_m = METRES_PER_PS * spread if count > 1 else math.nan
    if not is_plausible(range_m, std_m):
        return 'implausible'
    level = sum(level for _, level in good) / count if count else math.nan
    return Report(range_m, std_m, ap, level, min(len(trips_ps), MAX_COUNT),
                  min(count, MAX_COUNT))
