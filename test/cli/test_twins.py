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

"""`utt twins` on running areas, on state folders and on files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from utt_ros.cli.twins import TWIN_VERBS
from utt_ros.federation.wire import pack
from utt_ros.models.saved_model import read_saved_model
from utt_ros.models.settings import ModelSettings
from utt_ros.models.starting_model import read_initial_model
from utt_ros.settings import WindowSettings
from utt_ros.task_twins.twin_registry import TwinRegistry
from utt_ros.task_twins.types import VERBS, TaskTwin

TRANSFER = TaskTwin(
    '', 'hall', 'trajectory', ('ftm', 'imu'), operation='transfer', parents=('hall_position',),
    nmse={'depth_m': 0.25}, std={'depth_m': 0.5}, judged_in='hall', judged_windows=64)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Write the state folder of two areas that are not running."""
    hall = TwinRegistry(tmp_path / 'state/hall/twins', 'hall', ('ftm', 'imu'), lambda: 10**18)
    hall.register(TRANSFER, lambda path: path.write_bytes(b'weights'))
    TwinRegistry(tmp_path / 'state/stairs/twins', 'stairs', ('imu',), lambda: 1)
    return tmp_path / 'state'


def test_every_verb_of_the_service_is_a_verb_of_the_command() -> None:
    assert set(VERBS) < set(TWIN_VERBS)


def test_twins_of_running_areas_are_listed_shown_and_changed(
    serve_area: Callable, utt: Callable, tmp_path: Path,
) -> None:
    hall = serve_area('hall', ('ftm', 'imu'))
    hall.registry.register(TRANSFER)
    serve_area('stairs', ('camera',))
    listed = utt('twins', 'list', '--wait', 30)
    assert (listed.code, listed.err) == (0, '')
    assert [line.split()[0] for line in listed.out.splitlines()] == [
        'id', 'hall_position', 'hall_tracking', 'hall_trajectory_2', 'stairs_trajectory']
    shown = utt('twins', 'show', 'hall_trajectory_2', '--wait', 30)
    assert 'trajectory: ftm+imu -> camera' in shown.out
    done = utt('twins', 'pause', 'hall_trajectory_2', '--wait', 30)
    assert done == (0, 'hall_trajectory_2 is paused: it publishes nothing\n', '')
    assert hall.registry.get('hall_trajectory_2').status == 'paused'
    tree = utt('twins', 'lineage', 'hall_position', '--wait', 30, '--figure', tmp_path / 'a.svg')
    assert tree.out.splitlines()[1].startswith('└─ hall_trajectory_2  transfer ftm+imu->camera')
    assert 'hall_trajectory_2' in (tmp_path / 'a.svg').read_text()


@pytest.mark.parametrize(('words', 'complaint'), [
    (['pause', 'hall_trajectry_2'],
     "there is no task twin 'hall_trajectry_2': close to it: hall_trajectory_2"),
    (['show', 'hall_positon'], "there is no task twin 'hall_positon': close to it: hall_position"),
    (['lineage', 'x'], "there is no task twin 'x': there are hall_position"),
    (['remove', 'hall_position'], 'hall_position is the native twin of a sensor'),
    (['resume', 'hall_trajectory_3'], 'task twin hall_trajectory_3 is retired'),
    (['list', '--area', 'roof'], "area 'roof' does not answer: there are hall"),
    (['lineage', '--figure', 'a.gif'], 'a.gif: a picture ends in .svg or .png')])
def test_a_wrong_request_to_a_running_area_is_answered_in_one_sentence(
    words: list[str], complaint: str, serve_area: Callable, utt: Callable,
) -> None:
    registry = serve_area('hall', ('ftm', 'imu')).registry
    registry.register(TRANSFER)
    registry.remove(registry.register(TRANSFER).id)
    before = registry.twins
    done = utt('twins', *words, '--wait', 5)
    assert (done.code, done.out, done.err.count('\n')) == (1, '', 1)
    assert done.err.startswith(f'utt twins: {complaint}')
    assert registry.twins == before


@pytest.mark.parametrize('verb', [verb for verb in TWIN_VERBS if verb != 'import'])
def test_a_system_that_does_not_run_is_reported_with_the_remedy(
    verb: str, ros_domain: int, utt: Callable, tmp_path: Path,
) -> None:
    words = {'list': [], 'export': ['hall_position', tmp_path / 'x.safetensors']}.get(
        verb, ['hall_position'])
    done = utt('twins', verb, *words, '--wait', 0.2)
    assert (done.code, done.out) == (1, '')
    assert done.err == (
        'utt twins: no area answers on /utt/twins within 0.2 s: start one with `utt run`, or give '
        'the --hosts and the ROS_DOMAIN_ID that it has\n')


def test_an_export_is_a_model_that_can_be_shown_and_started_from(
    serve_area: Callable, utt: Callable, tmp_path: Path,
) -> None:
    hall, file = serve_area('hall', ('ftm', 'imu')), tmp_path / 'twin.safetensors'
    twin = hall.registry.register(TRANSFER)
    done = utt('twins', 'export', twin.id, file, '--wait', 30)
    assert done == (0, f'{file}: model of hall_trajectory_2, round 3\n', '')
    weights, card = read_saved_model(file)
    assert pack(weights).checksum == pack(hall.read(twin.id).weights).checksum
    assert card.metrics == {'nmse_var depth_m': 0.25}
    (record,) = json.loads(f'[{utt("twins", "show", file, "--json").out}]')
    assert (record['id'], record['parents']) == ('hall_trajectory_2', ['hall_position'])
    read_initial_model(file, ModelSettings(), WindowSettings(ticks=8))


@pytest.mark.parametrize('name', ['x.json', 'x', 'nowhere/x.safetensors'])
def test_an_export_to_an_impossible_file_is_refused_before_areas_are_asked(
    name: str, utt: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = utt('twins', 'export', 'hall_position', name)
    assert (done.code, done.out) == (2, '')
    assert f'{name} must be the name of a .safetensors file in an existing folder' in done.err


def test_a_state_folder_is_read_without_running_areas(
    state: Path, utt: Callable, tmp_path: Path,
) -> None:
    records = json.loads(utt('twins', 'list', '--json', '--state', state).out)
    assert [record['id'] for record in records] == [
        'hall_position', 'hall_tracking', 'hall_trajectory_2', 'stairs_tracking']
    assert records[2]['nmse'] == {'depth_m': 0.25}
    one = utt('twins', 'list', '--state', state / 'stairs').out.splitlines()
    assert [line.split()[0] for line in one] == ['id', 'stairs_tracking']
    assert utt('twins', 'list', '--state', state, '--area', 'stairs').out.splitlines() == one
    shown = utt('twins', 'show', 'hall_trajectory_2', '--state', state).out
    assert 'created' in shown
    assert '2001-09-09 01:46:40+00:00' in shown
    assert shown.splitlines()[-1].split() == [
        'hall_trajectory_2', 'depth_m', '0.250', '0.500', '64', 'hall']
    dot = tmp_path / 'lineage.dot'
    assert utt('twins', 'lineage', '--state', state, '--figure', dot).code == 0
    assert '"hall_position" -> "hall_trajectory_2"' in dot.read_text()
    edges = json.loads(utt('twins', 'lineage', '--json', '--state', state).out)['edges']
    assert edges == [
        {'parent': 'hall_position', 'child': 'hall_trajectory_2', 'operation': 'transfer'}]


@pytest.mark.parametrize(('words', 'code', 'complaint'), [
    (['list', '--state', 'nowhere'], 1, 'nowhere holds no registry of task twins'),
    (['list', '--state', 'damaged'], 1, 'damaged/twins/registry.json: it cannot be read'),
    (['list', '--state', 'state', '--area', 'roof'], 1, "holds no area 'roof': there are hall"),
    (['show', 'x', '--state', 'state'], 1, "there is no task twin 'x'"),
    (['show', 'none.safetensors'], 2, 'none.safetensors: there is no such model file'),
    (['show', 'other.safetensors'], 2, 'other.safetensors: ')])
def test_a_wrong_folder_or_file_is_refused_in_one_sentence(
    words: list[str], code: int, complaint: str, state: Path, utt: Callable,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'damaged/twins').mkdir(parents=True)
    (tmp_path / 'damaged/twins/registry.json').write_text('{')
    (tmp_path / 'other.safetensors').write_bytes(b'no model')
    done = utt('twins', *words)
    assert (done.code, done.out, done.err.count('\n')) == (code, '', 1)
    assert complaint in done.err
