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

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utt_ros.drivers.ftm.android_json import RESULT_LIMITS, parse_android

CAPTURE = (Path(__file__).parents[3] / 'docs/sources/captures/android.jsonl').read_bytes()
GOOD = json.loads(CAPTURE.splitlines()[0])
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


def lines(*items: object) -> bytes:
    return '\n'.join(map(json.dumps, items)).encode()


def test_results_are_read_in_si_units() -> None:
    results, refused = parse_android(CAPTURE)
    assert [result.range_m for result in results] == [5.23, 5.31, -0.12]
    first = results[0]
    assert (first.device, first.mac, first.std_m, first.rssi_dbm) == (
        'pixel-anna', '02:00:00:00:00:01', 0.412, -58.0)
    assert (first.attempted, first.successful) == (8, 7)
    assert first.boot_ns == 86532144 * 10**6
    assert refused == {'status_fail': 1}


def test_a_single_frame_has_no_spread() -> None:
    results, _ = parse_android(CAPTURE)
    assert math.isnan(results[1].std_m)


def test_lists_and_capital_letters_are_read() -> None:
    both = json.dumps([GOOD, {**GOOD, 'mac': '02:00:00:00:0A:01'}])
    results, refused = parse_android(both.encode())
    assert [result.mac[-5:] for result in results] == ['00:01', '0a:01']
    assert not refused


@pytest.mark.parametrize(('change', 'reason'), [
    ({'status': 2}, 'status_no_responder'), ({'status': 77}, 'status_other'),
    ({'status': True}, 'malformed'),
    ({'deviceId': ''}, 'no_device'), ({'deviceId': 7}, 'no_device'),
    ({'mac': 'home'}, 'incomplete'), ({'distanceMm': '5230'}, 'incomplete'),
    ({'distanceMm': True}, 'incomplete'), ({'rssi': -58.5}, 'incomplete'),
    ({'numAttemptedMeasurements': 7.5}, 'incomplete'), ({'status': 0.5}, 'malformed'),
    ({'status': 2.0}, 'status_no_responder'), ({'distanceMm': 1e300}, 'implausible'),
    ({'rangingTimestampMillis': 'soon'}, 'incomplete'),
    ({'rangingTimestampMillis': '9e99'}, 'implausible'),
    ({'distanceMm': 900_000}, 'implausible'), ({'distanceStdDevMm': -1}, 'implausible'),
    ({'rangingTimestampMillis': -1}, 'implausible'),
    ({'rangingTimestampMillis': 10**40}, 'implausible')])
def test_invalid_results_are_counted_by_key(change: dict, reason: str) -> None:
    results, refused = parse_android(lines({**GOOD, **change}, GOOD))
    assert len(results) == 1
    assert refused == {reason: 1}


@pytest.mark.parametrize(('change', 'range_m', 'boot_ns'), [
    ({'distanceMm': 5230.0}, 5.23, 86_532_144_000_000),
    ({'distanceMm': 5230.5}, 5.2305, 86_532_144_000_000),
    ({name: float(GOOD[name]) for name in (*RESULT_LIMITS, 'status')}, 5.23, 86_532_144_000_000),
    ({'rangingTimestampMillis': 86532144.5}, 5.23, 86_532_144_500_000),
    ({'rangingTimestampMillis': '86532144'}, 5.23, 86_532_144_000_000),
    ({'rangingTimestampMillis': '8.6532144E7'}, 5.23, 86_532_144_000_000),
    ({'distanceStdDevMm': 412.25}, 5.23, 86_532_144_000_000)])
def test_numbers_of_languages_without_integers_are_read(
    change: dict, range_m: float, boot_ns: int,
) -> None:
    ((result,), refused) = parse_android(lines({**GOOD, **change}))
    assert (result.range_m, result.boot_ns) == (range_m, boot_ns)
    assert (result.attempted, result.successful, result.rssi_dbm) == (8, 7, -58.0)
    assert not refused


@pytest.mark.parametrize('name', [*RESULT_LIMITS, 'mac', 'deviceId', 'status'])
def test_every_field_is_required(name: str) -> None:
    assert not parse_android(lines({key: GOOD[key] for key in GOOD if key != name}))[0]


def test_bytes_of_any_kind_are_counted() -> None:
    assert parse_android(b'\xff\xfe')[1] == {'malformed': 1}
    assert parse_android(b'[' * 100_000)[1] == {'malformed': 1}
    assert parse_android(CAPTURE.splitlines()[0][:-20])[1] == {'malformed': 1}
    assert parse_android(lines(*[GOOD] * 1100))[1] == {'too_many_results': 1}
    assert parse_android(b'') == ([], {})


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(GOOD)), VALUES), st.binary(max_size=30))
def test_no_bytes_raise_an_error_or_become_an_invented_result(change: dict, tail: bytes) -> None:
    results, _ = parse_android(lines({**GOOD, **change}) + b'\n' + tail)
    for result in results:
        assert result.range_m == {**GOOD, **change}['distanceMm'] / 1000
    assert len(results) <= 1
