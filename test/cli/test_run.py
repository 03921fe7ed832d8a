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

"""`utt run`: its arguments as a launch plan, its signals and its exit codes."""

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from utt_ros.cli.main import main
from utt_ros.cli.run import configure, launch_plan
from utt_ros.errors import SettingsError
from utt_ros.orchestration.arguments import (
    AREA_ARGUMENTS,
    FEDERATION_ARGUMENTS,
    plan_area,
    plan_federation,
)
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.launch_plan import LaunchPlan
from utt_ros.parameter_files import write_parameter_file
from utt_ros.settings import AreaSettings

WATCH = """
import sys
from utt_ros.cli.run import run_supervised
from utt_ros.orchestration.supervisor import Supervisor
from utt_ros.orchestration.spec import ProcessSpec
command = (sys.executable, '-I', '-S', '-c', sys.argv[1])
sys.exit(run_supervised(Supervisor([ProcessSpec('hall/twin', command, essential=True)])))
"""
EXITS_AT_SIGINT = """
import signal, sys
signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
print('ready', flush=True)
signal.pause()
"""
IGNORES_SIGNALS = """
import os, signal
signal.signal(signal.SIGINT, lambda *_: os.write(1, b'ignored\\n'))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('ready', flush=True)
while True:
    signal.pause()
"""
WAIT_SEC = 30.0


def plan(*words: object) -> LaunchPlan:
    parser = argparse.ArgumentParser()
    configure(parser)
    return launch_plan(parser.parse_args([str(word) for word in words]))


@pytest.fixture
def sessions(tmp_path: Path, make_bag: Callable[..., Path]) -> Path:
    for name in ('hall', 'stairs'):
        make_bag(tmp_path / name / 'one', f'/{name}/camera/tracks')
        write_parameter_file(tmp_path / name / 'area.yaml', AreaSettings(area=name))
    return tmp_path


def test_one_area_trains_locally_and_several_together(sessions: Path) -> None:
    one = plan(sessions / 'hall')
    assert (one.federated, one.aggregator) == (False, False)
    several = plan(sessions / 'hall', sessions / 'stairs')
    assert (several.federated, several.aggregator) == (True, True)


def test_aggregator_may_run_elsewhere(sessions: Path) -> None:
    assert plan(sessions / 'hall', '--federated').federated
    assert not plan(sessions / 'hall', '--federated').aggregator
    assert not plan(sessions, '--no-aggregator').aggregator
    assert plan(sessions / 'hall', '--aggregator').federated


def test_standalone_areas_have_no_aggregator(sessions: Path) -> None:
    assert not plan(sessions, '--standalone').aggregator
    with pytest.raises(SettingsError, match='have no aggregator'):
        plan(sessions, '--standalone', '--aggregator')


def test_bag_is_replayed_into_one_area(sessions: Path) -> None:
    bag = sessions / 'hall' / 'one'
    assert plan('--bag', bag).areas[0].bags == (bag,)
    with pytest.raises(SettingsError, match='one area file, or none'):
        plan(sessions / 'hall', sessions / 'stairs', '--bag', bag)


def test_options_and_launch_arguments_make_the_same_nodes(sessions: Path) -> None:
    def defaults(arguments: dict[str, tuple[str, str]], **given: object) -> dict[str, str]:
        values = {name: default for name, (default, _) in arguments.items()}
        return values | {name: str(value) for name, value in given.items()}

    bag = sessions / 'hall' / 'one'
    launched = plan_area(defaults(
        AREA_ARGUMENTS, bag=bag, rate=2.0, loop='true', start_offset=3.0, rviz='true',
        record='/bag', state_dir='/state', log_level='warn', model='/model',
        floor_plan='/plan.yaml'))
    words = ('--bag', bag, '--rate', 2, '--loop', '--start-offset', 3, '--rviz')
    given = plan(*words, '--record', '/bag', '--state', '/state', '--log-level', 'warn',
                 '--model', '/model', '--floor-plan', '/plan.yaml')
    assert graph_nodes(given) == graph_nodes(launched)

    file = sessions / 'aggregator.yaml'
    file.write_text('/**:\n  ros__parameters: {quorum: 2}\n')
    federation = plan_federation(defaults(
        FEDERATION_ARGUMENTS, areas=sessions, replay='true', rviz='false', aggregator_file=file,
        model='/model', together='true'))
    given = plan('--sessions', sessions, '--aggregator-file', file, '--model', '/model',
                 '--together')
    assert graph_nodes(given) == graph_nodes(federation)


def test_missing_areas_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['run']) == 2
    printed = capsys.readouterr().err
    assert 'give area files, --sessions DIR or --bag BAG' in printed
    assert 'utt run --bag' in printed


def test_missing_model_is_refused_before_anything_starts(
    sessions: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    state = sessions / 'state'
    assert main(['run', str(sessions / 'hall'), '--external', '--model', 'none',
                 '--state', str(state)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        'utt run: hall/trainer cannot start from the model none: there is no such model file']
    assert not state.exists()


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='0'):
        main(['run', '--help'])
    assert 'utt run hall.yaml --federated' in capsys.readouterr().out


def watched(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, '-c', WATCH, code], stderr=subprocess.PIPE, text=True)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return process.stderr.readline()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_interrupt_and_termination_exit_with_0(number: signal.Signals) -> None:
    with watched(EXITS_AT_SIGINT) as process:
        assert line(process) == '[hall/twin] ready\n'
        process.send_signal(number)
        assert process.wait(WAIT_SEC) == 0
        assert line(process) == 'utt: stopping hall/twin\n'


def test_second_interrupt_kills_at_once() -> None:
    with watched(IGNORES_SIGNALS) as process:
        assert line(process) == '[hall/twin] ready\n'
        process.send_signal(signal.SIGINT)
        assert line(process) == 'utt: stopping hall/twin\n'
        assert line(process) == '[hall/twin] ignored\n'
        begin_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT_SEC) == 0
        assert time.monotonic() - begin_s < 5.0
        assert 'did not stop and is killed' in line(process)


def test_end_of_an_essential_node_exits_with_1() -> None:
    with watched('raise SystemExit(7)') as process:
        assert process.wait(WAIT_SEC) == 1
        assert process.stderr is not None
        assert process.stderr.read().splitlines()[-1] == (
            'utt run: failed: hall/twin ended with exit code 7')


REPORTING = """
import json, sys
from utt_ros.cli.run import run_supervised
from utt_ros.cli.run_reports import REPORTER, can_show_table, table_reports
from utt_ros.orchestration.spec import ProcessSpec
from utt_ros.orchestration.supervisor import Supervisor
state = {'age_s': 0.1, 'round': 3, 'people': {'ann': {'sources': 'ftm', 'std_m': 0.5}},
         'ticks_lost': 0, 'compute_p99_ms': 1.0, 'nmse': None, 'note': '', 'troubles': {}}
report = json.dumps({'areas': {'hall': state}, 'federation': None})
python = (sys.executable, '-I', '-S', '-c')
specs = [ProcessSpec('hall/twin', (*python, sys.argv[1]), essential=True),
         ProcessSpec(REPORTER, (*python, f'print({report!r}, flush=True)' + sys.argv[1]))]
if not can_show_table():
    sys.exit('there is no table')
with table_reports() as listener:
    sys.exit(run_supervised(Supervisor(specs, output=sys.stderr, listener=listener)))
"""


def test_a_terminal_shows_a_table_below_the_lines_of_nodes_until_ctrl_c(
    terminal: Callable[..., Any], wait_until: Callable[..., None],
) -> None:
    shown = terminal(EXITS_AT_SIGINT, code=REPORTING)
    wait_until(lambda: 'ann by ftm, 0.50 m' in shown.text and '[hall/twin] ready' in shown.text,
               WAIT_SEC)
    shown.press('\x03')
    assert shown.process.wait(WAIT_SEC) == 0
    wait_until(lambda: 'utt: stopping hall/twin, status' in shown.text)
    assert shown.text.rstrip().endswith('┘')


def test_areas_without_any_input_are_refused_unless_others_publish_it(
    sessions: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(['run', str(sessions / 'hall'), '--state', str(sessions / 'state')]) == 2
    refusal, = capsys.readouterr().err.splitlines()
    assert refusal.startswith('utt run: hall: no drivers and no recording')
    assert refusal.endswith('give --sessions or --bag (replay:=true or bag:= to launch files); '
                            'to start it nevertheless, give --external')
    assert not (sessions / 'state').exists()


def test_existing_bag_to_record_to_is_refused_before_anything_starts(
    sessions: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    bag = sessions / 'hall' / 'one'
    words = ['--bag', bag, '--record', bag, '--state', sessions / 'state']
    assert main(['run', *map(str, words)]) == 2
    assert capsys.readouterr().err == (
        f'utt run: {bag} exists: a recording needs a new folder\n')
