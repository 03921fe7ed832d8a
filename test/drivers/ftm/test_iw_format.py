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

from utt_ros.drivers.ftm.iw_format import (
    FtmPeer,
    IwBurst,
    IwFailure,
    explain_exit,
    format_request,
    parse_iw,
)

CAPTURE = (Path(__file__).parents[3] / 'docs/sources/captures/iw.txt').read_text()
WORDS = ['  Peer 02:00:00:00:00:01:', ' status=0 (SUCCESS)', ' @3250511642082', ' tsf=0', '\n',
         '    FTM\n', '    FTM failed: ', 'PEER_BUSY (6)', ' retry after 2s', ' no response!',
         '      RTT_AVG: 48877\n', '      RSSI_AVG: 4294967246\n', '      DIST_AVG: ', '9' * 20,
         '-1\n', '\x00', '  Peer']


def test_documented_blocks_are_read_in_si_units() -> None:
    (one, other), failures, refused = parse_iw(CAPTURE)
    assert one.range_m == pytest.approx(48877 * 1.49896e-4, abs=1e-4)
    assert one.std_m == pytest.approx(1953 * 1.49896e-4, abs=1e-4)
    assert (one.mac, one.boot_ns, one.rssi_dbm) == ('02:00:00:00:00:01', 3250511642082, -25.0)
    assert other == IwBurst('02:00:00:00:00:02', 3250541642082, 10.25, pytest.approx(0.2), -30.5)
    assert failures == [
        IwFailure('02:00:00:00:00:03', 'failed_peer_busy', 20),
        IwFailure('02:00:00:00:00:04', 'no_response')]
    assert not +refused


def test_missing_values_are_unknown_and_a_block_without_range_is_no_sample() -> None:
    head = '  Peer 02:00:00:00:00:01: status=0 (SUCCESS) @77 tsf=0\n    FTM\n'
    (burst,), _, _ = parse_iw(head + '      RTT_AVG: -2000\n')
    assert burst.range_m == pytest.approx(-0.2998, abs=1e-4)
    assert math.isnan(burst.std_m)
    assert math.isnan(burst.rssi_dbm)
    (wrapped,), _, _ = parse_iw(head + f'      RTT_AVG: {2**64 - 2000}\n')
    assert wrapped.range_m == burst.range_m
    assert parse_iw(head + '      RSSI_AVG: -50\n')[2] == {'no_range': 1, 'malformed': 0}
    assert parse_iw(head + '      RTT_AVG: 0\n')[2]['no_range'] == 1
    assert parse_iw(head.replace(' @77', '') + '      RTT_AVG: 2000\n')[2]['no_stamp'] == 1
    assert parse_iw(head + '      RTT_AVG: 9000000000\n')[2]['implausible'] == 1


@pytest.mark.parametrize(('printed', 'unit_dbm', 'rssi_dbm'), [
    (-104, 0.5, -52.0), (-170, 0.5, -85.0), (-101, 0.5, -50.5), (0, 0.5, 0.0), (20, 0.5, 10.0),
    (-256, 0.5, -128.0), (-258, 0.5, math.nan), (62, 0.5, math.nan),
    (2**32 - 104, 0.5, -52.0), (2**64 - 104, 0.5, -52.0),
    (-52, 1.0, -52.0), (2**32 - 85, 1.0, -85.0), (-170, 1.0, math.nan)])
def test_rssi_is_in_half_dbm_unless_set_otherwise(
    printed: int, unit_dbm: float, rssi_dbm: float,
) -> None:
    text = ('  Peer 02:00:00:00:00:01: status=0 (SUCCESS) @305699895518 tsf=0\n'
            f'    RSSI_AVG: {printed}\n    RTT_AVG: 84676\n')
    (burst,), _, _ = parse_iw(text, unit_dbm)
    assert burst.rssi_dbm == pytest.approx(rssi_dbm, nan_ok=True)
    assert burst.range_m == pytest.approx(12.692, abs=0.001)


def test_failures_and_statuses_have_names_of_a_bounded_set() -> None:
    text = ('  Peer 02:00:00:00:00:01: status=1 (REFUSED) @1 tsf=0 - no data!\n'
            '  Peer 02:00:00:00:00:02: status=2 (TIMEOUT) @1 tsf=0\n    FTM\n'
            '  Peer 02:00:00:00:00:03: status=9 (WHATEVER) @1 tsf=0\n    FTM\n'
            '  Peer 02:00:00:00:00:04: status=3 (FAILURE) @1 tsf=0\n'
            '    FTM failed: STRANGE (99)\n')
    bursts, failures, _ = parse_iw(text)
    assert not bursts
    assert [failure.reason for failure in failures] == [
        'no_data', 'status_timeout', 'status_other', 'failed_other']


def test_truncated_output_gives_no_other_range_than_the_whole() -> None:
    whole = {burst.mac: burst for burst in parse_iw(CAPTURE)[0]}
    for end in range(0, len(CAPTURE), 7):
        cut = CAPTURE[:end].rpartition('\n')[0]  # iw writes whole lines
        for burst in parse_iw(cut)[0]:
            assert burst.mac in whole


def test_request_has_a_line_per_peer() -> None:
    peers = [FtmPeer('02:00:00:00:00:01', 80, 5240, 5210),
             FtmPeer('02:00:00:00:00:02', 20, 2437, 0)]
    assert format_request(peers, 8, asap=True) == (
        '02:00:00:00:00:01 bw=80 cf=5240 cf1=5210 ftms_per_burst=8 asap\n'
        '02:00:00:00:00:02 bw=20 cf=2437 ftms_per_burst=8 asap\n')
    assert format_request(peers[1:], 0, asap=False) == '02:00:00:00:00:02 bw=20 cf=2437\n'


def test_errors_of_iw_contain_the_remedy() -> None:
    said = explain_exit('wlan0', 'command failed: Operation not supported (-95)\n', 161)
    assert '-95' in said
    assert 'iw phy' in said
    assert 'another source' in said
    assert 'as root' in explain_exit('w', 'command failed: Operation not permitted (-1)', 255)
    assert 'ip link set dev wl1 up' in explain_exit('wl1', 'command failed: Down (-100)', 156)
    assert 'exit code 3' in explain_exit('wlan0', '', 3)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=12), max_size=30).map(''.join))
def test_no_text_raises_an_error_or_becomes_a_range_without_its_numbers(text: str) -> None:
    bursts, failures, refused = parse_iw(text)
    assert all(burst.mac in text and str(burst.boot_ns) in text for burst in bursts)
    assert len(bursts) <= text.count('_AVG: ')
    assert len(bursts) + len(failures) + sum(refused.values()) <= text.count('  Peer')
    explain_exit('wlan0', text, 1)
