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

"""Which nodes a plan has, and what each is told."""

from dataclasses import replace
from math import pi
from pathlib import Path

import numpy as np
import pytest
import yaml

from utt_ros.errors import SettingsError
from utt_ros.geometry.camera import CameraModel
from utt_ros.orchestration.graph import (
    AreaPlan,
    LaunchPlan,
    find_area_plans,
    graph_nodes,
    read_area_plan,
)
from utt_ros.orchestration.spec import NodeSpec
from utt_ros.settings import AreaSettings, write_parameter_file

STATE = Path('/state')


def area(name: str = 'hall', *, bags: tuple[str, ...] = (), namespace: str = '') -> AreaPlan:
    settings = AreaSettings(area=name)
    return AreaPlan(
        settings, namespace, (Path(f'/{name}.yaml'),), tuple(Path(bag) for bag in bags))


def plan(*areas: AreaPlan) -> LaunchPlan:
    return LaunchPlan(areas, state_dir=STATE)


def by_label(nodes: list[NodeSpec]) -> dict[str, NodeSpec]:
    assert len({node.label for node in nodes}) == len(nodes)
    return {node.label: node for node in nodes}


def test_area_is_a_synchronizer_a_twin_and_a_trainer_in_its_namespace() -> None:
    nodes = graph_nodes(plan(area()))
    assert [node.label for node in nodes] == ['hall/sync', 'hall/twin', 'hall/trainer']
    for node in nodes:
        assert node.namespace == '/hall'
        assert node.parameter_files == (Path('/hall.yaml'),)
        assert node.parameters['area'] == 'hall'
        assert node.parameters['use_sim_time'] is False
        assert node.respawn


def test_trainer_keeps_its_state_in_a_folder_of_its_area() -> None:
    nodes = by_label(graph_nodes(plan(area('hall'), area('stairs'))))
    assert nodes['hall/trainer'].parameters['state_dir'] == '/state/hall'
    assert nodes['stairs/trainer'].parameters['state_dir'] == '/state/stairs'


def test_trainer_of_every_area_has_the_parameter_federated() -> None:
    for federated in (True, False):
        nodes = by_label(graph_nodes(replace(plan(area()), federated=federated)))
        assert nodes['hall/trainer'].parameters['federated'] is federated


def test_namespace_changes_the_topics_and_not_the_name() -> None:
    node = graph_nodes(plan(area('hall', namespace='/building/hall/')))[0]
    assert node.namespace == '/building/hall'
    assert node.parameters['area'] == 'hall'


def test_replay_follows_an_area_into_its_namespace() -> None:
    player = graph_nodes(plan(area('hall', bags=('a',), namespace='building/hall')))[-1]
    assert player.arguments[-2:] == ('--remap', '/hall/:=/building/hall/')


def test_aggregator_starts_first_and_runs_on_the_wall_clock() -> None:
    first = graph_nodes(replace(plan(area(bags=('b',))), aggregator=True))[0]
    assert first.label == 'utt/aggregator'
    assert first.parameters == {
        'state_dir': '/state/aggregator', 'signed': True, 'keys': '/state/keys'}


def test_replay_starts_last_and_gives_its_area_simulated_time() -> None:
    nodes = graph_nodes(replace(
        plan(area(bags=('a', 'b'))), rate=2.0, start_offset_sec=1.5, loop=True))
    player = nodes[-1]
    assert player.label == 'hall/player'
    assert player.arguments == ('a', 'b', '--rate', '2', '--start-offset', '1.5', '--loop')
    assert player.essential
    assert not player.respawn
    assert all(node.parameters['use_sim_time'] is True for node in nodes[:3])


def test_replay_waits_for_the_models_of_its_areas() -> None:
    nodes = by_label(graph_nodes(plan(area(bags=('a',), namespace='building/hall'), area('live'))))
    assert nodes['utt/ready'].arguments == ('building/hall',)
    assert nodes['building/hall/player'].after == 'utt/ready'


def test_single_replay_publishes_the_global_clock() -> None:
    assert not any(node.remappings for node in graph_nodes(plan(area(bags=('a',)), area('live'))))


def test_several_replays_have_a_clock_each() -> None:
    nodes = by_label(graph_nodes(plan(area('hall', bags=('a',)), area('stairs', bags=('b',)))))
    for name in ('player', 'sync', 'twin', 'trainer'):
        assert nodes[f'hall/{name}'].remappings == (('/clock', '/hall/clock'),)
        assert nodes[f'stairs/{name}'].remappings == (('/clock', '/stairs/clock'),)


def test_simulated_time_can_be_forced_either_way() -> None:
    live = graph_nodes(replace(plan(area()), use_sim_time=True))
    assert all(node.parameters['use_sim_time'] for node in live)
    replayed = graph_nodes(replace(plan(area(bags=('a',))), use_sim_time=False))
    assert not any(node.parameters['use_sim_time'] for node in replayed[:3])


def test_replay_alone_starts_no_node_of_the_area() -> None:
    nodes = graph_nodes(replace(plan(area(bags=('a',))), nodes=False, aggregator=True))
    assert [node.label for node in nodes] == ['hall/player']
    assert nodes[0].after == ''


def test_recorder_is_neither_restarted_nor_essential() -> None:
    nodes = by_label(graph_nodes(replace(plan(area()), record=Path('/bag'))))
    recorder = nodes['utt/recorder']
    assert not recorder.respawn
    assert not recorder.essential


def test_rviz_gets_the_layout_and_the_clock_of_its_area() -> None:
    nodes = by_label(graph_nodes(replace(plan(area(bags=('a',))), rviz=True)))
    assert nodes['hall/rviz'].arguments == ('-d', '/state/hall/area.rviz')
    assert nodes['hall/rviz'].parameters == {'use_sim_time': True}
    assert nodes['hall/truth_markers'].namespace == '/hall'


def with_drivers(path: Path, drivers: object, **area: object) -> Path:
    told = {'area': 'hall', 'drivers': drivers, **area}
    path.write_text(yaml.safe_dump({'/**': {'ros__parameters': told}}))
    return path


def test_listed_drivers_are_nodes_of_the_area_on_the_hosts_clock(tmp_path: Path) -> None:
    found = read_area_plan(with_drivers(tmp_path / 'area.yaml', ['ftm', 'camera']))
    nodes = graph_nodes(replace(plan(found), use_sim_time=True))[3:]
    assert [node.label for node in nodes] == ['hall/ftm', 'hall/camera']
    for node in nodes:
        assert node.parameter_files == (tmp_path / 'area.yaml',)
        assert node.parameters == {'area': 'hall', 'use_sim_time': False}
        assert node.respawn


def test_recordings_replace_drivers(tmp_path: Path) -> None:
    found = read_area_plan(with_drivers(tmp_path / 'area.yaml', ['camera', 'ftm', 'imu']))
    nodes = graph_nodes(plan(replace(found, bags=(Path('a'),))))
    assert [node.name for node in nodes] == ['sync', 'twin', 'trainer', 'ready', 'player']


def test_area_without_a_list_of_drivers_has_none(tmp_path: Path) -> None:
    write_parameter_file(tmp_path / 'area.yaml', AreaSettings(area='hall'))
    assert read_area_plan(tmp_path / 'area.yaml').drivers == ()


@pytest.mark.parametrize(('drivers', 'says'), [
    (['camera', 'sonar'], 'some of'), ('camera', 'some of'), ([['camera']], 'some of'),
    (['imu', 'imu'], 'listed once'), (['camera'], "'camera', but modalities are")])
def test_unknown_duplicate_or_unused_drivers_are_refused(
    tmp_path: Path, drivers: object, says: str,
) -> None:
    with pytest.raises(SettingsError, match=says):
        read_area_plan(with_drivers(tmp_path / 'area.yaml', drivers, modalities=['ftm', 'imu']))


def test_drivers_are_not_for_a_block_of_one_node(tmp_path: Path) -> None:
    path = tmp_path / 'area.yaml'
    path.write_text('/**:\n  ros__parameters: {area: hall}\n'
                    '/**/ftm:\n  ros__parameters: {drivers: [ftm]}\n')
    with pytest.raises(SettingsError, match='drivers is not for a block of one node'):
        read_area_plan(path)


def rotation(arguments: tuple[str, ...]) -> np.ndarray:
    """Rotation matrix of fixed-axis roll, pitch, yaw (REP-103)."""
    values = dict(zip(arguments[::2], arguments[1::2], strict=True))
    turn = np.eye(3)
    for name, (i, j) in (('roll', (1, 2)), ('pitch', (2, 0)), ('yaw', (0, 1))):
        angle, one = float(values[f'--{name}']), np.eye(3)
        one[[i, j], [i, j]] = np.cos(angle)
        one[i, j], one[j, i] = -np.sin(angle), np.sin(angle)
        turn = one @ turn
    return turn


def test_optical_frame_agrees_with_the_projection_of_the_camera_model() -> None:
    settings = AreaSettings(area='hall', camera_pitch=0.3)
    frames = by_label(graph_nodes(replace(plan(AreaPlan(settings)), transforms=True)))
    turn = rotation(frames['hall/camera_optical_frame'].arguments)
    point_m = np.array([6.0, 1.5, 0.0])
    x, y, z = turn.T @ (point_m - [0.0, 0.0, settings.camera_height])
    pixel = settings.cx + settings.fx * x / z, settings.cy + settings.fy * y / z
    box = [*pixel, z, 1.0, 1.0]
    np.testing.assert_allclose(CameraModel(settings).back_project(box), point_m[:2], atol=1e-4)


def test_camera_frame_looks_down_by_its_pitch() -> None:
    settings = AreaSettings(area='hall', camera_pitch=pi / 6)
    frames = by_label(graph_nodes(replace(plan(AreaPlan(settings)), transforms=True)))
    forward = rotation(frames['hall/camera_frame'].arguments)[:, 0]
    np.testing.assert_allclose(forward, [np.cos(pi / 6), 0.0, -0.5], atol=1e-9)


def test_area_file_may_hold_settings_of_nodes_as_well(tmp_path: Path) -> None:
    path = tmp_path / 'area.yaml'
    path.write_text('/**:\n  ros__parameters: {area: hall, camera_height: 3.0, model.width: 64}\n')
    found = read_area_plan(path)
    assert found.settings == AreaSettings(area='hall', camera_height=3.0)
    assert found.parameter_files == (path,)


def test_parameters_of_the_graph_are_refused_in_a_block_of_one_node(tmp_path: Path) -> None:
    path = tmp_path / 'area.yaml'
    own = '/**/twin:\n  ros__parameters: {particles: 300}\n'
    path.write_text(f'/**:\n  ros__parameters: {{area: hall}}\n{own}')
    assert read_area_plan(path).name == 'hall'
    path.write_text(path.read_text().replace('particles: 300', 'use_sim_time: true'))
    with pytest.raises(SettingsError, match='use_sim_time is not for a block of one node'):
        read_area_plan(path)


def test_parameter_file_of_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'area.yaml'
    path.write_text('/**:\n  ros__parameters: {area: hall}\n/**/twin: {particles: 300}\n')
    with pytest.raises(SettingsError, match='expected "ros__parameters:" in the block'):
        read_area_plan(path)


def test_given_name_overrides_the_file(tmp_path: Path) -> None:
    write_parameter_file(tmp_path / 'area.yaml', AreaSettings(area='hall'))
    found = read_area_plan(tmp_path / 'area.yaml', name='lobby')
    assert found.name == 'lobby'
    assert graph_nodes(plan(found))[0].parameters['area'] == 'lobby'


def test_areas_of_a_folder_are_found_in_order(tmp_path: Path) -> None:
    for name in ('b', 'a'):
        (tmp_path / name).mkdir()
        write_parameter_file(tmp_path / name / 'area.yaml', AreaSettings(area=name))
    assert [found.name for found in find_area_plans(tmp_path)] == ['a', 'b']
    assert [found.name for found in find_area_plans(tmp_path / 'a')] == ['a']


def test_folder_without_areas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match='no file and no folder with'):
        find_area_plans(tmp_path)
