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

"""Command line of `utt bench hosts`, with the hosts replaced."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from utt_ros.cli import bench_hosts
from utt_ros.cli.main import main
from utt_ros.errors import UttError
from utt_ros.evaluation.benchmarks.impaired_cable import CableSettings, LostFrames
from utt_ros.evaluation.benchmarks.two_hosts import HostsResult, HostTraffic

RESULT = HostsResult(
    seconds=60.0, rounds=4,
    scores={'people': 3, 'handovers': 6, 'ids_kept': 0.995, 'double_counted': 0},
    area_changes=7, beliefs_taken={'area0': 2, 'area1': 5},
    clock_offsets='area1 +0.1 ms within 0.4',
    traffic=(HostTraffic('area0', 30_000.4, 900.0, {'/utt/model': 20_000.0, 'discovery': 300.0}),
             HostTraffic('area1', 20_000.0, 800.0, {'/area1/twin_status': 90.0})))


def test_what_two_hosts_did_and_sent_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    given: list[tuple[Path, float, int, CableSettings]] = []

    def run(
        folder: Path, seconds: float, seed: int, log: Callable[[str], None], cable: CableSettings,
    ) -> HostsResult:
        given.append((folder, seconds, seed, cable))
        log('people walk')
        return RESULT

    monkeypatch.setattr(bench_hosts, 'run_two_hosts', run)
    assert main(['bench', 'hosts', '--seconds', '60', '--seed', '5', '--delay-ms', '50',
                 '--loss', '0.02']) == 0
    (folder, *others), = given
    assert others == [60.0, 5, CableSettings(50.0, 0.02, 5)]
    assert folder.is_absolute()
    assert not folder.exists()
    printed = capsys.readouterr()
    assert printed.err == 'people walk\n'
    lines = printed.out.splitlines()
    assert lines[0] == 'rounds with updates of both areas: 4'
    assert '3 people entered 6 rooms, 7 changes of area in /utt/people, ids kept 100 %' in lines[1]
    assert lines[1].endswith('beliefs taken over: 2 by area0, 5 by area1')
    rows = {line.split('  ')[0]: line.split()[-2:] for line in lines[4:]}
    assert rows['/utt/model'] == ['20,000', '-']
    assert rows['/area1/twin_status'] == ['-', '90']
    assert rows['all, by the network device'] == ['30,000', '20,000']
    assert list(rows)[-3:] == ['discovery', 'all, by the network device',
                               'all, before anybody walks']


def test_an_impaired_cable_is_printed_with_what_it_lost() -> None:
    cable = CableSettings(50.0, 0.02)
    line, *others = bench_hosts.hosts_table(
        replace(RESULT, cable=cable, lost_frames=LostFrames(1234, 5)))
    assert line == 'cable: 50 ms, loss 0.02, 1,234 frames lost, 5 more by overload'
    assert others == bench_hosts.hosts_table(RESULT)


def test_a_machine_that_does_not_permit_it_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: object) -> HostsResult:
        raise UttError('network namespaces need root')

    monkeypatch.setattr(bench_hosts, 'run_two_hosts', refuse)
    assert main(['bench', 'hosts']) == 2
    assert 'network namespaces need root' in capsys.readouterr().err


@pytest.mark.parametrize(('words', 'error'), [
    (['--loss', '1'], 'loss is 1: it must be within 0..1, and below 1'),
    (['--seconds', '5'], '--seconds is 5: it must be within 20..3600'),
    (['--logs', '.'], '. exists: name a new folder')])
def test_wrong_arguments_of_the_hosts_are_refused(
    words: list[str], error: str, capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(['bench', 'hosts', *words]) == 2
    assert error in capsys.readouterr().err
