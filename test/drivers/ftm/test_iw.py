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

"""The source `iw`, with a program of that name on PATH."""

import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from utt_ros.drivers.ftm import iw
from utt_ros.drivers.ftm.iw import IwSettings, IwSource
from utt_ros.drivers.types import FtmSample
from utt_ros.errors import SettingsError, SourceError

MACS = tuple(f'02:00:00:00:00:0{number}' for number in (1, 2, 3))
PHONES = ('anna', 'ben', 'carl')
WAIT_S = 30.0


@pytest.fixture
def open_iw(fake_iw: object) -> Iterator[Callable[..., IwSource]]:
    made: list[IwSource] = []

    def start(**settings: object) -> IwSource:
        settings = {'macs': MACS, 'phones': PHONES, 'period': 0.02, 'timeout': 20.0, **settings}
        made.append(IwSource(IwSettings(**settings)))
        made[-1].open()
        return made[-1]

    yield start
    for source in made:
        source.close()
        source.close()


def read(source: IwSource, done: Callable[[list[FtmSample]], object]) -> list[FtmSample]:
    samples: list[FtmSample] = []
    deadline_s = time.monotonic() + WAIT_S
    while not done(samples):
        assert time.monotonic() < deadline_s, dict(source.counters)
        samples += source.read(0.1)
    return samples


def test_every_peer_is_ranged_with_host_stamps(open_iw: Callable, fake_iw: object) -> None:
    begin_ns = time.time_ns()
    samples = read(open_iw(), lambda got: len(got) >= 6)
    assert {(one.phone, one.ap, round(one.range_m, 2)) for one in samples} == {
        ('anna', MACS[0], 5.0), ('ben', MACS[1], 8.0), ('carl', MACS[2], 2.5)}
    assert all(begin_ns - 10**6 < one.stamp_ns < time.time_ns() + 10**6 for one in samples)
    assert {one.rssi_dbm for one in samples} == {-50.0}
    assert samples[0].std_m == pytest.approx(1000 * 1.49896e-4, rel=1e-3)
    assert fake_iw.requests()[0] == '|'.join([
        'dev wlan0 measurement ftm_request',
        *(f'{mac} bw=80 cf=5240 cf1=5210 ftms_per_burst=8 asap' for mac in MACS)])


def test_many_peers_are_ranged_in_turns(open_iw: Callable, fake_iw: object) -> None:
    read(open_iw(at_once=1), lambda got: {one.phone for one in got} == set(PHONES))
    assert {request.count('|') for request in fake_iw.requests()} == {1}


def test_a_busy_peer_is_skipped_for_the_time_it_requests(
        open_iw: Callable, fake_iw: object) -> None:
    fake_iw.behave('busy', 'well')
    source = open_iw()
    samples = read(source, lambda got: len(got) >= 8)
    assert {one.phone for one in samples} == {'anna', 'carl'}
    assert source.counters['failed_peer_busy'] == 1
    assert not [request for request in fake_iw.requests()[1:] if MACS[1] in request]


def test_a_firmware_that_cannot_range_is_an_error_with_the_remedy(
    open_iw: Callable, fake_iw: object,
) -> None:
    fake_iw.behave('unsupported')
    with pytest.raises(SourceError, match=r'Operation not supported \(-95\).*firmware'):
        read(open_iw(), bool)


@pytest.mark.parametrize(('word', 'counter'), [
    ('silent', 'no_response'), ('garbage', 'malformed'), ('truncated', 'no_range'),
    ('old', 'stamp_outside_request')])
def test_bad_answers_are_counted_and_good_ones_follow(
        open_iw: Callable, fake_iw: object, word: str, counter: str) -> None:
    fake_iw.behave(word, 'well')
    source = open_iw(macs=MACS[:1], phones=PHONES[:1])
    assert len(read(source, bool)) == 1
    assert source.counters[counter] >= 1


def test_a_program_that_hangs_is_ended_and_can_be_run_again(
        open_iw: Callable, fake_iw: object) -> None:
    fake_iw.behave('hangs', 'well')
    before = set(psutil.Process().children())
    source = open_iw(timeout=0.1)
    with pytest.raises(SourceError, match=r'did not end within 0\.1 s'):
        read(source, bool)
    source.close()
    assert set(psutil.Process().children()) <= before
    source._settings = IwSettings(macs=MACS, phones=PHONES)
    source.open()
    assert read(source, bool)


def test_a_missing_program_is_an_error_with_the_remedy(
        open_iw: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('PATH', '')
    with pytest.raises(SourceError, match='apt install iw'):
        open_iw()
    assert 'apt install iw' in iw.missing_card()


@pytest.mark.parametrize(('settings', 'why'), [
    ({'macs': ('home',), 'phones': ('anna',)}, "'home'"),
    ({'macs': MACS, 'phones': ('anna',)}, '3 entries and phones 1'),
    ({'macs': MACS[:1] * 2, 'phones': ('anna', 'ben')}, 'more than once'),
    ({'macs': MACS[:1], 'phones': ('a b',)}, "'a b'"),
    ({'bandwidths': (80, 80)}, '2 numbers'), ({'bandwidths': (70,)}, 'holds 70'),
    ({'interface': '-x'}, 'interface')])
def test_wrong_settings_are_refused(settings: dict, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        IwSettings(**settings)


def test_a_request_without_peers_is_refused() -> None:
    with pytest.raises(SettingsError, match='macs is empty'):
        IwSource(IwSettings())
