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

"""Command lines, parameter files and environments of bare nodes: one sentence, no traceback."""

import signal
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from utt_ros.bridge.node.node_arguments import check_parameter_file, parameter_files
from utt_ros.errors import SettingsError

NODES = ('aggregator', 'building', 'camera', 'ftm', 'imu', 'player', 'recorder', 'static_frames',
         'sync', 'trainer', 'truth_markers', 'twin', 'wait_ready')
REQUIRED = {  # arguments without which a node does not start
    'player': ['bag'], 'recorder': ['bag'], 'wait_ready': ['hall'],
    'static_frames': ['--frame', 'a', 'b', *'000000']}
BAD_FILES = {
    'missing': (None, 'No such file'),
    'folder': ('/', 'Is a directory'),
    'no YAML': ('a: [', 'while parsing'),
    'a text': ('just words', 'expected blocks'),
    'without ros__parameters': ('/**: {area: hall}', 'expected "ros__parameters:"'),
    'binary': (b'\xff\xfe\x00', 'not UTF-8'),
    'nothing': ('/**:\n  ros__parameters:\n    area:\n', "area in '/\\*\\*' is None"),
    'mixed list': ('/**:\n  ros__parameters:\n    a.b: [1, x]\n', r'a.b .* is \[1, .x.\]'),
    'nested list': ('/**:\n  ros__parameters:\n    a: {b: [[1]]}\n', r'a\.b in'),
    'date': ('/**:\n  ros__parameters:\n    a: 2024-01-31\n', 'a in .* datetime'),
}


@pytest.fixture(autouse=True)
def _signal_handlers() -> Iterator[None]:
    """Restore the handlers of the test's process, which a node replaces."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def run(node: str, *words: str) -> int:
    code: int = import_module(f'utt_ros.nodes.{node}_node').main(
        [*REQUIRED.get(node, ()), *words])
    return code


@pytest.mark.parametrize('node', NODES)
def test_help_describes_the_node_and_starts_nothing(
    node: str, capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match='0'):
        run(node, '--help')
    printed = capfd.readouterr().out
    first = str(import_module(f'utt_ros.nodes.{node}_node').__doc__).split()[:3]
    assert ' '.join(first) in ' '.join(printed.split())
    assert '--params-file FILE' in printed


@pytest.mark.parametrize('node', NODES)
@pytest.mark.parametrize('words', [['--loud'], ['--area=hall', '--ros-args']])
def test_unknown_argument_is_refused(
    node: str, words: list[str], capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match='2'):
        run(node, *words)
    assert f'unrecognized arguments: {words[0]}' in capfd.readouterr().err


@pytest.mark.parametrize('node', NODES)
@pytest.mark.parametrize(('variable', 'value'), [
    ('RMW_IMPLEMENTATION', 'rmw_cyclonedds_cpp'), ('ROS_DOMAIN_ID', 'robot'),
    ('ROS_DOMAIN_ID', '500'), ('ROS_LOG_DIR', '/dev/null/log')])
def test_environment_without_running_nodes_is_refused_in_one_line(
    node: str, variable: str, value: str, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, value)
    assert run(node) == 2
    out, err = capfd.readouterr()
    (line,) = (out + err).splitlines()
    assert value in line
    assert variable in line


def write_bad_file(folder: Path, kind: str) -> Path:
    """Write what BAD_FILES has of a kind."""
    path, (content, _) = folder / 'bad.yaml', BAD_FILES[kind]
    if content == '/':
        path.mkdir()
    elif content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.usefixtures('ros_domain')
@pytest.mark.parametrize('node', ['sync', 'player', 'wait_ready'])
@pytest.mark.parametrize('kind', BAD_FILES)
def test_bad_parameter_file_is_refused_in_one_line_that_names_it(
    node: str, kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str],
) -> None:
    path = write_bad_file(tmp_path, kind)
    assert run(node, '--ros-args', '--params-file', str(path)) == 2
    out, err = capfd.readouterr()
    (line,) = (out + err).splitlines()
    assert 'bad.yaml' in line


@pytest.mark.parametrize('kind', BAD_FILES)
def test_bad_parameter_file_is_described(kind: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=BAD_FILES[kind][1]) as refused:
        check_parameter_file(write_bad_file(tmp_path, kind))
    assert '\n' not in str(refused.value)


@pytest.mark.parametrize('text', [
    '/**:\n  ros__parameters: {a: 1, b: 1.5, c: x, d: true, e: [1, 2], f: [x], g: {h: 5e2}}\n',
    'sync:\n  ros__parameters: {}\n/**/twin:\n  ros__parameters: {belief: {particles: 100}}\n'])
def test_good_parameter_file_is_accepted(text: str, tmp_path: Path) -> None:
    (tmp_path / 'good.yaml').write_text(text)
    check_parameter_file(tmp_path / 'good.yaml')


@pytest.mark.usefixtures('ros_domain')
@pytest.mark.parametrize('words', [
    ['-p', 'area'], ['-r', 'a b:=c'], ['--log-level', 'loud'], ['-p', ':=3'], ['--no-such-flag']])
def test_bad_argument_of_ros_is_named_without_a_traceback(
    words: list[str], capfd: pytest.CaptureFixture[str],
) -> None:
    assert run('sync', '--ros-args', *words) == 2
    out, err = capfd.readouterr()
    *_, line = (out + err).splitlines()  # rcl has an own line before it
    assert words[-1] in line
    assert 'Traceback' not in out + err


def test_parameter_files_are_those_between_the_flags_of_ros() -> None:
    words = ['--params-file', 'own', '--ros-args', '--params-file', 'a', '-p', 'x:=1', '--',
             '--params-file', 'own', '--ros-args', '--params-file', 'b']
    assert parameter_files(words) == [Path('a'), Path('b')]
