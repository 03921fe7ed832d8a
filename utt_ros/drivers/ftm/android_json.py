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

"""Parser of Android's RangingResult as JSON lines, with the names of its getters.

    {"deviceId": "pixel-anna", "mac": "02:00:00:00:00:01", "status": 0, "distanceMm": 5230,
     "distanceStdDevMm": 412, "rssi": -58, "numAttemptedMeasurements": 8,
     "numSuccessfulMeasurements": 7, "rangingTimestampMillis": 86532144}

Each line is one such object, or a list of them. `deviceId` is added by the app and identifies the
phone. Other names are ignored.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from utt_ros.documents import load_json
from utt_ros.drivers.clock_sync import parse_stamp
from utt_ros.drivers.phone_registry import is_mac
from utt_ros.drivers.types import MAX_FRAME_COUNT
from utt_ros.errors import DocumentError
from utt_ros.sensor_limits import MAX_RANGE_STD_M, RANGE_LIMITS_M
from utt_ros.types import NS_PER_MS

MAX_ANDROID_ID_LENGTH = 64
MAX_RESULTS = 1000  # in one datagram or body
RSSI_LIMITS_DBM = (-126, 20)  # outside, it is unknown to Android
REFUSED_STATUSES = {1: 'status_fail', 2: 'status_no_responder'}
STAMP = 'rangingTimestampMillis'
FRACTIONAL = ('distanceMm', 'distanceStdDevMm', STAMP)
RESULT_LIMITS = {
    'distanceMm': (RANGE_LIMITS_M[0] * 1000, RANGE_LIMITS_M[1] * 1000),
    'distanceStdDevMm': (0, MAX_RANGE_STD_M * 1000),
    'rangingTimestampMillis': (0, 2**42),  # 139 years since boot
    'numAttemptedMeasurements': (0, 2**31),
    'numSuccessfulMeasurements': (0, 2**31),
    'rssi': (-2**31, 2**31),
}


@dataclass(frozen=True, slots=True)
class AndroidResult:
    """Successful result."""

    device: str
    mac: str
    boot_ns: int  # since the boot of the phone
    range_m: float
    std_m: float  # NaN when unknown
    rssi_dbm: float  # NaN when unknown
    attempted: int
    successful: int


def parse_android(data: bytes) -> tuple[list[AndroidResult], Counter[str]]:
    """Parse JSON lines into results and the counts of refusals by key."""
    results, refused = [], Counter[str]()
    for number, item in enumerate(_objects(data, refused)):
        if number >= MAX_RESULTS:
            refused['too_many_results'] += 1
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
        refused['malformed'] += 1
        return
    for line in filter(str.strip, text.split('\n')):
        document = _load(line)
        yield from document if isinstance(document, list) else [document]


def _load(line: str) -> Any:
    """Parse a line; None, which is not a result, when it is not JSON."""
    try:
        return load_json(line)
    except DocumentError:
        return None


def _result(item: Any) -> AndroidResult | str:
    """Parse a result, or return the key of its refusal.

    Android reports a standard deviation of 0 for a single frame [S: RangingResult]: unknown.
    """
    status = _number('status', item.get('status')) if isinstance(item, dict) else None
    if status is None:
        return 'malformed'
    if status != 0:
        return REFUSED_STATUSES.get(int(status), 'status_other')
    device, mac = item.get('deviceId'), item.get('mac')
    if not isinstance(device, str) or not 0 < len(device) <= MAX_ANDROID_ID_LENGTH:
        return 'no_device'
    numbers = [value for name in RESULT_LIMITS
               if (value := _number(name, item.get(name))) is not None]
    if not isinstance(mac, str) or not is_mac(mac.lower()) or len(numbers) != len(RESULT_LIMITS):
        return 'incomplete'
    if any(not low <= number <= high
           for number, (low, high) in zip(numbers, RESULT_LIMITS.values(), strict=True)):
        return 'implausible'
    distance, std, stamp, attempted, successful, rssi = numbers
    return AndroidResult(
        device, mac.lower(), round(stamp * NS_PER_MS), distance / 1000,
        math.nan if std == 0 and successful <= 1 else std / 1000,
        float(rssi) if RSSI_LIMITS_DBM[0] <= rssi <= RSSI_LIMITS_DBM[1] else math.nan,
        min(int(attempted), MAX_FRAME_COUNT), min(int(successful), MAX_FRAME_COUNT))


def _number(name: str, value: Any) -> int | float | None:
    """Return a number; None for anything else.

    Languages without integers write 5230.0. Only values in FRACTIONAL may have a fraction, and
    only the stamp may be a text.
    """
    if isinstance(value, str) and name == STAMP:
        stamp_ns = parse_stamp(value, NS_PER_MS)
        return None if stamp_ns is None else stamp_ns / NS_PER_MS
    if isinstance(value, float):
        if value.is_integer():
            return int(value)
        return value if name in FRACTIONAL else None
    return value if type(value) is int else None
