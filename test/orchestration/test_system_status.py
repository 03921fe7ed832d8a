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

"""Lines and JSON about running areas."""

import json
from math import inf, nan

import pytest

from utt_ros.orchestration.system_status import (
    MAX_SHOWN_CHARACTERS,
    FederationStatus,
    PersonStatus,
    SystemStatus,
    printable,
)

NOW_S = 100.0


@pytest.fixture
def system() -> SystemStatus:
    system = SystemStatus()
    system.update('hall', heard_s=NOW_S, round=7, people={
        'ann': PersonStatus('camera+ftm+imu', 0.05), 'bob': PersonStatus('ftm+imu', 0.612)})
    return system


def test_a_line_tells_who_is_seen_by_what_how_surely_and_by_which_round(
    system: SystemStatus,
) -> None:
    assert system.lines(NOW_S) == [
        'hall: ann by camera+ftm+imu (0.05 m), bob by ftm+imu (0.61 m); round 7']
    system.update('hall', nmse=0.4215, ticks_lost=3, note='camera silent for 3.2 s')
    assert system.lines(NOW_S) == [
        ('hall: ann by camera+ftm+imu (0.05 m), bob by ftm+imu (0.61 m); round 7, NMSE_var 0.42; '
        '3 ticks lost; camera silent for 3.2 s')]


def test_troubles_of_its_nodes_stand_in_the_line_of_an_area(system: SystemStatus) -> None:
    system.troubles = {'hall/imu': 'lost', 'hallway/imu': 'no', 'hall/twin': 'slow'}
    assert system.lines(NOW_S)[0].endswith('; round 7; imu: lost; twin: slow')


def test_an_area_without_people_or_model_and_a_silent_one_say_so(system: SystemStatus) -> None:
    system.update('stairs', heard_s=NOW_S)
    assert system.lines(NOW_S, 'stairs') == ['stairs: nobody; no model yet']
    assert system.lines(NOW_S + 12.0, 'hall') == ['hall: nothing heard for 12 s; round 7']
    assert [line.partition(':')[0] for line in system.lines(NOW_S)] == ['hall', 'stairs']
    assert system.lines(NOW_S, 'roof') == []


def test_a_crowd_is_counted(system: SystemStatus) -> None:
    crowd = {f'p{number:02}': PersonStatus('imu', 1.0) for number in range(20)}
    system.update('hall', people=crowd)
    (line,) = system.lines(NOW_S)
    assert 'p05 by imu (1.00 m), 14 more; round 7' in line
    assert 'p06' not in line


def test_the_federation_names_who_is_refused_and_suspected_and_why(system: SystemStatus) -> None:
    system.federation = FederationStatus(
        4, 'collecting', ('hall',), {'stairs': 'not finite'}, {'roof': '9 times the norm'})
    assert system.lines(NOW_S)[-1] == (
        'federation: round 4 collecting, updates of hall; refused: stairs: not finite; '
        'suspected: roof: 9 times the norm')
    assert len(system.lines(NOW_S, 'hall')) == 1


@pytest.mark.parametrize('bad', [nan, inf])
def test_json_holds_everything_and_no_number_that_json_lacks(
    bad: float, system: SystemStatus,
) -> None:
    system.update('hall', nmse=bad, compute_p99_ms=bad, people={'ann': PersonStatus('imu', bad)})
    content = json.loads(json.dumps(system.content(NOW_S + 1.0), allow_nan=False))
    assert content['areas']['hall'] == {
        'age_s': 1.0, 'round': 7, 'people': {'ann': {'sources': 'imu', 'std_m': None}},
        'ticks_lost': 0, 'compute_p99_ms': None, 'nmse': None, 'note': '', 'troubles': {}}
    assert content['federation'] is None


@pytest.mark.parametrize(('text', 'shown'), [
    ('caf\u00e9', 'caf\u00e9'), ('a\x1b[31mb', 'a?[31mb'), ('a\nb\r', 'a?b?'), ('', ''),
    ('\u202eabc', '?abc')])
def test_text_of_others_cannot_control_a_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_text_of_others_is_cut() -> None:
    assert len(printable('x' * 10_000)) == MAX_SHOWN_CHARACTERS
