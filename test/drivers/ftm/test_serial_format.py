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

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utt_ros.drivers.ftm.serial_format import BoardReport, parse_esp_idf, parse_gtec

CAPTURES = Path(__file__).parents[3] / 'docs/sources/captures'
METRES_PER_PS = 1.49896e-4
PIECES = ['I (393564) ftm_station: ', 'Estimated RTT - 33 nSec, ', 'Estimated Distance - 5.07',
          ' meters', '\x1b[0;32m', '02:00:00:00:00:01', ',33', ',-1', ',2', ',9999999999999999999',
          '{"id":', '"dist_est":620', '"frames":[', '{"rtt":41000, "rssi":-60}', ']}', 'NaN', '[']


def read(name: str) -> list[str]:
    return (CAPTURES / name).read_text().splitlines()


def test_console_lines_have_distance_and_stamp() -> None:
    reports = [parse_esp_idf(line) for line in read('esp_idf.txt')]
    assert reports[0] == reports[1] == ''
    assert [(report.range_m, report.boot_ns) for report in reports[2:4]] == [
        (5.07, 393564 * 10**6), (5.21, 394064 * 10**6)]
    assert math.isnan(reports[2].std_m)
    assert reports[4] == 'failed'


def test_console_with_colours_is_read_and_a_cut_line_is_not() -> None:
    line = '\x1b[0;32mI (7) ftm_station: Estimated RTT - 33 nSec, Estimated Distance - 5.07 meters'
    assert parse_esp_idf(line + '\x1b[0m').range_m == 5.07
    for end in range(len(line)):
        assert parse_esp_idf(line[:end]) == ''
    assert parse_esp_idf(line.replace('5.07', '5007.00')) == 'implausible'


RANGED = 'Estimated RTT - 33 nSec, Estimated Distance - 5.07 meters'


@pytest.mark.parametrize(('line', 'range_m', 'boot_ms'), [
    (f'I (393564) ftm_station: {RANGED}', 5.07, 393564),
    (f'esp> I (7) ftm_station: {RANGED}', 5.07, 7),
    (f'I (1790000000123) ftm_station: {RANGED}', 5.07, 1790000000123),
    (f'I (393564) ftm: {RANGED}', 5.07, 393564),
    (f'I (12:34:56.789) ftm_station: {RANGED}', 5.07, None),
    (f'I (2026-11-02 12:34:56.789) ftm_station: {RANGED}', 5.07, None),
    (f'I ftm_station: {RANGED}', 5.07, None),
    (f'ftm_station: {RANGED}', 5.07, None),
    (f'12:34:56.789 -> I (9) ftm_station: {RANGED}', 5.07, 9),
    (f'[  9876][I][station.cpp:87] ftm(): {RANGED}', 5.07, None),
    (f'I (9) ftm_station: FTM session complete. {RANGED}', 5.07, 9),
    ('FTM Estimate: Distance: 27.60 m, Return Time: 184 ns', 27.6, None),
    ('12:34:56.789 -> FTM Estimate: Distance: 0.15 m, Return Time: 1 ns\r', 0.15, None),
    ('FTM Estimate: Distance: 5.1 m, Return Time: 34.02 ns', 5.1, None)])
def test_logs_of_every_framework_and_stamp_are_read(
    line: str, range_m: float, boot_ms: int | None,
) -> None:
    report = parse_esp_idf(line)
    assert isinstance(report, BoardReport)
    assert report.range_m == range_m
    assert report.boot_ns == (None if boot_ms is None else boot_ms * 10**6)


@pytest.mark.parametrize(('line', 'key'), [
    ('FTM Error: FAIL', 'failed'), ('FTM Error: UNSUPPORTED', 'failed'),
    ('FTM Error: CONF_REJECTED', 'failed'), ('FTM Error: NO_RESPONSE', 'failed'),
    ('FTM Error: Initiate Session Failed', 'failed'),
    ('FTM Estimate: Distance: 0.00 m, Return Time: 0 ns', 'failed'),
    ('I (9) ftm_station: Estimated RTT - 0 nSec, Estimated Distance - 0.00 meters', 'failed'),
    ('I (12:34:56.789) ftm_station: FTM procedure with Peer failed! (Status - 3)', 'failed'),
    ('FTM Estimate: Distance: 4000.00 m, Return Time: 26000 ns', 'implausible'),
    ('FTM Estimate: Distance: 27.60 m, Return Ti', ''), ('Connecting to FTM Responder', '')])
def test_failures_and_chatter_of_every_framework_are_told_apart(line: str, key: str) -> None:
    assert parse_esp_idf(line) == key


def test_gtec_lines_of_every_variant_have_distance_spread_and_signal() -> None:
    log, csv, extra, json = (parse_gtec(line) for line in read('gtec.txt'))
    assert log == ''
    assert (csv.range_m, csv.ap, csv.attempted, csv.successful) == (
        5.07, '02:00:00:00:00:01', 4, 3)
    assert csv.std_m == pytest.approx(1000 * METRES_PER_PS, rel=1e-3)
    assert csv.rssi_dbm == -52.0
    assert csv.boot_ns is None
    assert (extra.range_m, extra.attempted) == (5.12, 2)
    assert (json.range_m, json.ap, json.rssi_dbm) == (6.2, '02:00:00:00:00:02', -61.0)
    assert json.std_m == pytest.approx(600 / math.sqrt(2) * METRES_PER_PS, rel=1e-3)


def test_other_spellings_of_the_json_are_read() -> None:
    line = read('gtec.txt')[3]
    expected = parse_gtec(line)
    assert parse_gtec(line.replace('"id"', '"ssid": "x", "mac"')) == expected
    assert parse_gtec(line.replace('42 , "dist_est"', '42 "dist_est"')) == expected


@pytest.mark.parametrize('line', [
    '02:00:00:00:00:01,33.0,35.,507.00,1,33800.0,-51.0,1,2,3,4',
    '02:00:00:00:00:01, 33, 35, 507, 1, 33800, -51, 1, 2, 3, 4',
    ('{"id":"02:00:00:00:00:01", "dist_est":507.0, "num_frames":1.0, '
     '"frames":[{"rtt":33800.0, "rssi":-51.0}]}')])
def test_whole_numbers_with_a_point_are_read(line: str) -> None:
    report = parse_gtec(line)
    assert isinstance(report, BoardReport)
    assert (report.range_m, report.rssi_dbm, report.attempted) == (5.07, -51.0, 1)


@pytest.mark.parametrize('wrong', [
    '02:00:00:00:00:01,33,35,507.5,0',
    '02:00:00:00:00:01,33,35,507,2,33800,-51,1,2,3,4',
    '02:00:00:00:00:01,33,35,507,x',
    '02:00:00:00:00:01,33,35',
    '{"id":"02:00:00:00:00:02", "dist_est":620, "num_frames":1, "frames":[]}',
    '{"id":"02:00:00:00:00:02", "dist_est":6.2, "num_frames":0, "frames":[]}',
    '{"id":2}', '{', '{}'])
def test_gtec_lines_with_inconsistent_counts_are_malformed(wrong: str) -> None:
    assert parse_gtec(wrong) == 'malformed'


@pytest.mark.parametrize('line', [
    '02:00:00:00:00:01,0,0,0,2,-1,-50,0,0,0,0,4294967295,-52,0,0,0,0',
    '{"id":"02:00:00:00:00:02", "dist_est":0, "num_frames":1, "frames":[{"rtt":-1,"rssi":-50}]}',
    '02:00:00:00:00:01,0,0,0,2,0,-50,0,0,0,0,0,-52,0,0,0,0', '02:00:00:00:00:01,0,0,0,0'])
def test_gtec_bursts_whose_frames_all_failed_have_no_range(line: str) -> None:
    assert parse_gtec(line) == 'failed'


def test_round_trips_of_zero_count_as_failed_frames() -> None:
    report = parse_gtec('02:00:00:00:00:01,33,35,507,3,33800,-50,1,2,3,4,0,-90,0,0,0,0,'
                        '33802,-52,1,2,3,4')
    assert (report.attempted, report.successful, report.rssi_dbm) == (3, 2, -51.0)
    assert report.std_m == pytest.approx(2 / math.sqrt(2) * METRES_PER_PS, rel=1e-3)


def test_gtec_without_frames_has_no_spread() -> None:
    report = parse_gtec('02:00:00:00:00:01,33,35,507,0,')
    assert report.range_m == 5.07
    assert math.isnan(report.std_m)
    assert math.isnan(report.rssi_dbm)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=10), max_size=25).map(''.join))
def test_no_line_raises_an_error_in_the_parsers(line: str) -> None:
    for parse in (parse_esp_idf, parse_gtec):
        report = parse(line)
        assert isinstance(report, str) or (
            isinstance(report, BoardReport) and -50 <= report.range_m <= 300)
