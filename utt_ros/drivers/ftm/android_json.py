"""RangingResult of Android as JSON lines; the names are those of its getters.

    {"deviceId": "pixel-anna", "mac": "02:00:00:00:00:01", "status": 0, "distanceMm": 5230,
     "distanceStdDevMm": 412, "rssi": -58, "numAttemptedMeasurements": 8,
     "numSuccessfulMeasurements": 7, "rangingTimestampMillis": 86532144}

Each line is one such object, or a list of them. `deviceId` is ours: which phone it is. Names that
are not listed here are ignored.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from utt_ros.drivers.phone_registry import is_mac
from utt_ros.sensor_limits import RANGE_LIMITS_M, MAX_RANGE_STD_M
from utt_ros.types import NS_PER_MS

MAX_ID_LENGTH = 64
MAX_RESULTS = 1000  # in one datagram or body
MAX_COUNT = 255
RSSI_DBM = (-126, 20)  # beyond it Android says that it does not know
STATUSES = {1: 'status_fail', 2: 'status_no_responder'}
LIMITS = {
    'distanceMm': (RANGE_LIMITS_M[0] * 1000, RANGE_LIMITS_M[1] * 1000),
    'distanceStdDevMm': (0, MAX_RANGE_STD_M * 1000),
    'rangingTimestampMillis': (0, 2**42),  # 139 years since boot
    'numAttemptedMeasurements': (0, 2**31),
    'numSuccessfulMeasurements': (0, 2**31),
    'rssi': (-2**31, 2**31),
}


@dataclass(frozen=True, slots=True)
class Result:
    """One result that succeeded."""

    device: str
    mac: str
    boot_ns: int  # of the phone: since it was started
    range_m: float
    std_m: float  # NaN when there is none
    rssi_dbm: float  # NaN when not told
    attempted: int
    successful: int


def parse(data: bytes) -> tuple[list[Result], Counter[str]]:
    """The results in lines of JSON; what is none is counted by reason."""
    results, refused = [], Counter[str]()
    for number, item in enumerate(_objects(data, refused)):
        if number >= MAX_RESULTS:
            refused['too_many'] += 1
            break
        result = _result(item)
        if isinstance(result, str):
            refused[result] += 1
        else:
            results.append(result)
    return results, refused


def _objects(data: bytes, refused: Counter[str]) -> Iterator[Any]:
    try:
        text = data.decode('utf-8')
    except UnicodeDecodeError:
        refused['garbage'] += 1
        return
    for line in filter(str.strip, text.split('\n')):
        document = _load(line)
        yield from document if isinstance(document, list) else [document]


def _load(line: str) -> Any:
    """A document, or None, which is no result either."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _result(item: Any) -> Result | str:
    """A result, or why it is none.

    Of a single frame there is no standard deviation; Android then says 0 [S: its RangingResult].
    """
    if not isinstance(item, dict) or type(item.get('status')) is not int:
        return 'garbage'
    if item['status'] != 0:
        return STATUSES.get(item['status'], 'status_other')
    device, mac = item.get('deviceId'), item.get('mac')
    if not isinstance(device, str) or not 0 < len(device) <= MAX_ID_LENGTH:
        return 'no_device'
    numbers = [value for name in LIMITS if type(value := item.get(name)) is int]
    if not isinstance(mac, str) or not is_mac(mac.lower()) or len(numbers) != len(LIMITS):
        return 'incomplete'
    if any(not low <= number <= high
           for number, (low, high) in zip(numbers, LIMITS.values(), strict=True)):
        return 'implausible'
    distance, std, stamp, attempted, successful, rssi = numbers
    return Result(
        device, mac.lower(), stamp * NS_PER_MS, distance / 1000,
        math.nan if std == 0 and successful <= 1 else std / 1000,
        float(rssi) if RSSI_DBM[0] <= rssi <= RSSI_DBM[1] else math.nan,
        min(attempted, MAX_COUNT), min(successful, MAX_COUNT))
