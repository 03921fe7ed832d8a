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

"""The launch files with the real launch packages; stand-ins of the nodes say what they got."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from utt_ros.orchestration.arguments import (
    AREA_ARGUMENTS,
    FEDERATION_ARGUMENTS,
    REPLAY_ARGUMENTS,
    plan_area,
    plan_federation,
    plan_replay,
)
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.spec import process_spec
from utt_ros.orchestration.supervisor import Supervisor
from utt_ros.parameter_files import write_parameter_file
from utt_ros.settings import AreaSettings

pytest.importorskip('launch_ros', reason='launch and launch_ros are not installed')

Wait = Callable[..., None]
LAUNCH = Path(__file__).parents[2] / 'launch'
NODES = ('aggregator', 'building', 'player', 'static_frames', 'sync', 'trainer', 'truth_markers',
         'twin', 'wait_ready')
AREA_NODES = ('sync', 'twin', 'trainer', 'building')
WAIT_SEC = 60.0

STAND_IN = f"""#!{sys.executable}
import json, os, pathlib, signal, sys, time
import rclpy
from rclpy.node import Node
from rclpy.utilities import remove_ros_args
from utt_ros.orchestration.heartbeat import Heartbeat

me = pathlib.Path(sys.argv[0]).name
how = json.loads(os.environ['HOW']).get(me, 'run')
namespace, _, code = how.rpartition(':')  # of one area, or of every one
how = code if any(word == f'__ns:=/{{namespace}}' for word in sys.argv) or not namespace else 'run'
if how != 'say':
    if how != 'run':
        print(me, 'is here', flush=True)
        sys.exit(int(how))
    signal.signal(signal.SIGINT, lambda number, frame: sys.exit(0))
    heartbeat = Heartbeat()
    heartbeat.beat()
    time.sleep(1.1)
    heartbeat.beat()
    print(me, 'is here', flush=True)
    while True:
        heartbeat.beat()
        time.sleep(0.2)
rclpy.init(args=sys.argv)
node = Node('default', automatically_declare_parameters_from_overrides=True)
told = {{
    'name': node.get_fully_qualified_name(),
    'parameters': {{name: parameter.value for name, parameter in node._parameters.items()}},
    'clock': node.resolve_topic_name('/clock'),
    'arguments': remove_ros_args(sys.argv)[1:],
    'level': str(node.get_logger().get_effective_level()),
    'environment': {{name: os.environ.get(name) for name in
                    ('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OMP_NUM_THREADS', 'PYTHONUNBUFFERED')}},
}}
path = pathlib.Path(os.environ['TOLD'], told['name'].replace('/', '_'))
path.with_suffix('.part').write_text(json.dumps(told, sort_keys=True))
path.with_suffix('.part').rename(path.with_suffix('.json'))
"""

LAUNCHER = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
service = LaunchService(noninteractive=True)  # as `ros2 launch` without a terminal
arguments = [tuple(word.split(':=', 1)) for word in sys.argv[2:]]
source = PythonLaunchDescriptionSource(sys.argv[1])
service.include_launch_description(LaunchDescription([
    IncludeLaunchDescription(source, launch_arguments=arguments)]))
sys.exit(service.run())
"""


@pytest.fixture
def stand_ins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ros_domain: int,
) -> Callable[..., None]:
    """Install a stand-in for every node; `stand_ins(twin='3')` makes it end with exit code 3."""
    prefix = tmp_path / 'prefix'
    programs = prefix / 'lib' / 'utt_ros'
    marker = prefix / 'share' / 'ament_index' / 'resource_index' / 'packages' / 'utt_ros'
    for folder in (programs, marker.parent):
        folder.mkdir(parents=True)
    marker.touch()
    for name in NODES:
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{prefix}{os.pathsep}{sys.prefix}')
    monkeypatch.delenv('ROS_AUTOMATIC_DISCOVERY_RANGE', raising=False)
    monkeypatch.setenv('HOW', '{}')
    return lambda **how: monkeypatch.setenv('HOW', json.dumps(how))


@pytest.fixture
def sessions(tmp_path: Path, make_bag: Callable[..., Path]) -> Path:
    for name in ('hall', 'stairs'):
        make_bag(tmp_path / 'sessions' / name / 'one', f'/{name}/camera/tracks')
        write_parameter_file(
            tmp_path / 'sessions' / name / 'area.yaml', AreaSettings(area=name, camera_height=3.0))
    return tmp_path / 'sessions'


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def launch(name: str, **arguments: object) -> subprocess.Popen[str]:
        words = [f'{key}:={value}' for key, value in arguments.items()]
        with (tmp_path / 'said').open('w') as said:
            process = subprocess.Popen(
                [sys.executable, '-c', LAUNCHER, str(LAUNCH / f'{name}.launch.py'), *words],
                stdout=said, stderr=subprocess.STDOUT, text=True,
            )
        started.append(process)
        return process

    yield launch
    for process in started:
        process.kill()
        process.wait()


CASES = {
    'area': (AREA_ARGUMENTS, plan_area, {'bag': '{}/hall/one', 'rate': '2', 'log_level': 'warn'}),
    'federation': (FEDERATION_ARGUMENTS, plan_federation, {'areas': '{}', 'replay': 'true'}),
    'replay': (REPLAY_ARGUMENTS, plan_replay, {
        'bag': '{0}/hall/one,{0}/stairs/one', 'nodes': 'true'}),
}


@pytest.mark.parametrize('name', CASES)
def test_both_ways_of_starting_give_every_node_the_same_arguments(
    name: str, tmp_path: Path, sessions: Path, stand_ins: Callable[..., None],
    launched: Callable[..., subprocess.Popen[str]], wait_until: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments, plan_of, given = CASES[name]
    given = {key: value.format(sessions) for key, value in given.items()}
    given |= {'state_dir': str(tmp_path / 'state'), 'rviz': 'false'}
    values = {key: default for key, (default, _) in arguments.items()} | given
    nodes = graph_nodes(plan_of(values))
    stand_ins(**dict.fromkeys(NODES, 'say'))

    def told(folder: Path) -> dict[str, object]:
        return {path.stem: json.loads(path.read_text()) for path in folder.glob('*.json')}

    for way in ('launch', 'run'):
        (tmp_path / way).mkdir()
    monkeypatch.setenv('TOLD', str(tmp_path / 'launch'))
    launch = launched(name, **given)
    wait_until(lambda: len(told(tmp_path / 'launch')) == len(nodes), timeout_sec=WAIT_SEC)
    launch.send_signal(signal.SIGINT)
    launch.wait(WAIT_SEC)

    monkeypatch.setenv('TOLD', str(tmp_path / 'run'))
    specs = [
        replace(process, command=(str(tmp_path / 'prefix/lib/utt_ros' / node.executable),
                                  *process.command[4:]))
        for node, process in zip(nodes, map(process_spec, nodes), strict=True)
    ]
    with Supervisor(specs, output=None):
        wait_until(lambda: len(told(tmp_path / 'run')) == len(nodes), timeout_sec=WAIT_SEC)
    assert told(tmp_path / 'launch') == told(tmp_path / 'run')
    assert told(tmp_path / 'run')['_hall_player']['name'] == '/hall/player'


def said(tmp_path: Path) -> str:
    return (tmp_path / 'said').read_text()


def are_here(tmp_path: Path, *names: str) -> bool:
    return all(f'{name} is here' in said(tmp_path) for name in names)


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


@pytest.mark.usefixtures('stand_ins')
def test_interrupt_ends_everything_with_exit_code_0(
    tmp_path: Path, launched: Callable[..., subprocess.Popen[str]],
    wait_until: Wait,
) -> None:
    launch = launched('area', area='hall', rviz='false')
    wait_until(lambda: are_here(tmp_path, *AREA_NODES), timeout_sec=WAIT_SEC)
    nodes = children(launch)
    launch.send_signal(signal.SIGINT)
    assert launch.wait(WAIT_SEC) == 0
    assert not any(node.is_running() for node in nodes)


@pytest.mark.usefixtures('stand_ins')
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
def test_end_of_launch_by_a_signal_ends_its_nodes(
    number: signal.Signals, tmp_path: Path, launched: Callable[..., subprocess.Popen[str]],
    wait_until: Wait,
) -> None:
    launch = launched('area', area='hall', rviz='false')
    wait_until(lambda: are_here(tmp_path, *AREA_NODES), timeout_sec=WAIT_SEC)
    nodes = children(launch)
    launch.send_signal(number)
    launch.wait(WAIT_SEC)
    wait_until(lambda: not any(node.is_running() for node in nodes), timeout_sec=WAIT_SEC)


def test_node_that_dies_is_reported_and_restarted(
    tmp_path: Path, stand_ins: Callable[..., None],
    launched: Callable[..., subprocess.Popen[str]], wait_until: Wait,
) -> None:
    stand_ins(twin='3')
    launch = launched('area', area='hall', rviz='false')
    wait_until(lambda: said(tmp_path).count('twin is here') == 2, timeout_sec=WAIT_SEC)
    assert 'exit code 3' in said(tmp_path)
    launch.send_signal(signal.SIGINT)
    assert launch.wait(WAIT_SEC) == 0


def test_area_whose_node_keeps_dying_is_stopped_while_the_others_go_on(
    tmp_path: Path, sessions: Path, stand_ins: Callable[..., None],
    launched: Callable[..., subprocess.Popen[str]], wait_until: Wait,
) -> None:
    stand_ins(twin='hall:3')
    launch = launched('federation', areas=sessions, rviz='false')
    text = 'it ended 5 times in 60 s: hall is stopped and started again in 30 s'
    wait_until(lambda: text in said(tmp_path), timeout_sec=WAIT_SEC)
    of_stairs = 3
    wait_until(  # and the aggregator and the building
        lambda: len(children(launch)) == of_stairs + 2, timeout_sec=WAIT_SEC)
    launch.send_signal(signal.SIGINT)
    assert launch.wait(WAIT_SEC) == 0


@pytest.mark.usefixtures('stand_ins')
def test_node_that_hangs_is_killed_and_restarted(
    tmp_path: Path, launched: Callable[..., subprocess.Popen[str]], wait_until: Wait,
) -> None:
    launch = launched('area', area='hall', rviz='false', hang_timeout='3')
    wait_until(lambda: are_here(tmp_path, *AREA_NODES), timeout_sec=WAIT_SEC)
    twin = next(child for child in children(launch) if 'twin' in child.cmdline()[1])
    twin.send_signal(signal.SIGSTOP)
    wait_until(lambda: said(tmp_path).count('twin is here') == 2, timeout_sec=WAIT_SEC)
    assert 'hall/twin hangs: no heartbeat for 3 s; it is killed' in said(tmp_path)
    launch.send_signal(signal.SIGINT)
    assert launch.wait(WAIT_SEC) == 0


def test_node_that_refuses_its_settings_ends_the_launch_with_an_error(
    tmp_path: Path, stand_ins: Callable[..., None],
    launched: Callable[..., subprocess.Popen[str]],
) -> None:
    stand_ins(twin='2')
    launch = launched('area', area='hall', rviz='false')
    assert launch.wait(WAIT_SEC) == 1
    assert 'hall/twin ended with exit code 2' in said(tmp_path)


def test_launch_ends_when_every_replay_has_ended(
    tmp_path: Path, sessions: Path, stand_ins: Callable[..., None],
    launched: Callable[..., subprocess.Popen[str]],
) -> None:
    stand_ins(player='0', wait_ready='0')
    launch = launched('federation', areas=sessions, replay='true', rviz='false')
    assert launch.wait(WAIT_SEC) == 0
    assert said(tmp_path).count('player is here') == 2


def test_replay_starts_after_the_models_are_ready(
    tmp_path: Path, sessions: Path, stand_ins: Callable[..., None],
    launched: Callable[..., subprocess.Popen[str]], wait_until: Wait,
) -> None:
    launch = launched('area', bag=sessions / 'hall' / 'one', rviz='false')
    wait_until(
        lambda: are_here(tmp_path, *AREA_NODES, 'wait_ready'), timeout_sec=WAIT_SEC)
    assert 'player is here' not in said(tmp_path)
    ready = next(child for child in children(launch) if 'wait_ready' in child.cmdline()[1])
    ready.send_signal(signal.SIGINT)
    wait_until(lambda: 'player is here' in said(tmp_path), timeout_sec=WAIT_SEC)
    launch.send_signal(signal.SIGINT)
    assert launch.wait(WAIT_SEC) == 0


@pytest.mark.usefixtures('stand_ins')
def test_invalid_argument_ends_the_launch_with_its_reason(
    tmp_path: Path, launched: Callable[..., subprocess.Popen[str]],
) -> None:
    assert launched('area', area='hall', rate='fast').wait(WAIT_SEC) == 1
    assert "rate is 'fast': it must be a number" in said(tmp_path)
