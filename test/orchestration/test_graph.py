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

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from utt_ros import orchestration
from utt_ros.errors import SettingsError
from utt_ros.orchestration.area_frames import area_frames, frame_arguments
from utt_ros.orchestration.graph import COMMON_TOPICS, graph_nodes
from utt_ros.orchestration.launch_plan import (
    AreaPlan,
    LaunchPlan,
    in_namespace,
    read_area_plan,
)
from utt_ros.orchestration.spec import NodeSpec
from utt_ros.parameter_files import write_parameter_file
from utt_ros.sessions.bag_io import topic_matches
from utt_ros.settings import AreaSettings

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


def test_areas_that_name_one_phone_source_have_one_driver_which_fails_apart_from_them() -> None:
    areas = [AreaPlan(AreaSettings(area=name), drivers=('camera', 'imu'))
             for name in ('hall', 'stairs', 'attic')]
    nodes = by_label(graph_nodes(plan(*areas)))
    assert [label for label in nodes if label.endswith('imu')] == ['hall/imu']
    driver = nodes['hall/imu']
    assert [other.label for other in driver.beside] == ['stairs/imu', 'attic/imu']
    assert [other.parameters['area'] for other in driver.beside] == ['stairs', 'attic']
    assert (driver.unit, nodes['hall/camera'].unit) == ('hall/imu', 'hall')
    assert (driver.area, driver.essential) == ('hall/imu', True)  # it fails alone, and is told
    assert {'stairs/camera', 'attic/camera'} <= nodes.keys()
    replayed = replace(areas[0], bags=(Path('a'),))
    nodes = by_label(graph_nodes(plan(replayed, *areas[1:])))
    assert [other.label for other in nodes['stairs/imu'].beside] == ['attic/imu']
    assert 'hall/imu' not in nodes


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
    assert player.arguments[:7] == ('a', 'b', '--rate', '2', '--start-offset', '1.5', '--loop')
    assert player.essential
    assert not player.respawn
    assert all(node.parameters['use_sim_time'] is True for node in nodes[:3])


def test_replay_waits_for_the_models_of_its_areas() -> None:
    nodes = by_label(graph_nodes(plan(area(bags=('a',), namespace='building/hall'), area('live'))))
    assert nodes['utt/ready'].arguments == ('building/hall',)
    assert nodes['building/hall/player'].after == 'utt/ready'


def test_twin_of_a_live_area_keeps_range_offsets_and_that_of_a_replay_does_not() -> None:
    nodes = by_label(graph_nodes(plan(area('hall', bags=('a',)), area('live'))))
    state = nodes['live/trainer'].parameters['state_dir']
    assert nodes['live/twin'].parameters['state_dir'] == state
    assert 'state_dir' not in nodes['hall/twin'].parameters, 'each replay gives the same bits'


def test_single_replay_publishes_the_global_clock() -> None:
    assert not any(node.remappings for node in graph_nodes(plan(area(bags=('a',)), area('live'))))


def test_several_replays_have_a_clock_each() -> None:
    nodes = by_label(graph_nodes(plan(area('hall', bags=('a',)), area('stairs', bags=('b',)))))
    for name in ('player', 'sync', 'twin', 'trainer'):
        assert nodes[f'hall/{name}'].remappings == (('/clock', '/hall/clock'),)
        assert nodes[f'stairs/{name}'].remappings == (('/clock', '/stairs/clock'),)


def test_areas_that_are_replayed_together_have_one_player_and_one_clock() -> None:
    given = replace(plan(area('hall', bags=('a',)), area('stairs', bags=('b',))), together=True,
                    building=True, aggregator=True)
    nodes = by_label(graph_nodes(given))
    assert not any(node.remappings for node in nodes.values())
    assert {label for label in nodes if label.endswith('player')} == {'utt/player'}
    player = nodes['utt/player']
    assert (player.after, player.essential) == ('utt/ready', True)
    words = player.arguments
    assert words[:5] == ('a', 'b', '--rate', '1', '--together')
    readers = [word for flag, word in pairwise(words) if flag == '--reader']
    assert readers == ['/hall/sync', '/stairs/sync']
    assert len([word for word in words if word == '--read']) == 2
    assert '/stairs/camera/tracks' in selected(player, '--topic')
    assert nodes['utt/building'].parameters == {'use_sim_time': True}
    assert nodes['utt/ready'].arguments == ('hall', 'stairs')


def test_area_without_recordings_can_follow_the_clock_of_another_player() -> None:
    live = graph_nodes(replace(plan(area()), use_sim_time=True))
    assert all(node.parameters['use_sim_time'] for node in live)


def test_replay_alone_starts_no_node_of_the_area() -> None:
    nodes = graph_nodes(replace(plan(area(bags=('a',))), nodes=False, aggregator=True))
    assert [node.label for node in nodes] == ['hall/player']
    assert nodes[0].after == ''


RECORDED = ('camera/tracks', 'camera/image_raw', 'phones/ann/ftm', 'phones/ann/imu/data_raw',
            'phones/ann/imu/mag', 'truth/ann/odom')
OUTPUTS = (  # of live nodes
    'synced', 'deployed_model', 'deployed_twins', 'twin_status', 'markers', 'truth_markers',
    'training_metrics', 'twins/ann/position', 'twins/ann/imu', 'twins/t1/camera/tracks',
    'twins/t1/phones/ann/ftm')
ELSEWHERE = ('/utt/model', '/utt/model_change', '/utt/updates', '/utt/rounds', '/utt/round_state',
             '/utt/twins', '/diagnostics', '/rosout', '/parameter_events', '/clock', '/tf',
             '/stairs/camera/tracks')


def selected(node: NodeSpec, flag: str) -> list[str]:
    words = node.arguments
    patterns = [word for each, word in pairwise(words) if each == flag]
    topics = [*(f'/hall/{name}' for name in (*RECORDED, *OUTPUTS)), *ELSEWHERE, '/tf_static']
    return [name for name in topics if topic_matches(name, patterns)]


def test_beside_nodes_only_measurements_truth_and_static_frames_are_played() -> None:
    player = graph_nodes(plan(area(bags=('a',))))[-1]
    assert selected(player, '--topic') == [*(f'/hall/{name}' for name in RECORDED), '/tf_static']


def test_recording_of_another_name_is_selected_by_it() -> None:
    copy = replace(area('copy', bags=('a',)), recorded=('/hall',))
    player = graph_nodes(plan(copy))[-1]
    assert selected(player, '--topic') == [*(f'/hall/{name}' for name in RECORDED), '/tf_static']
    assert player.arguments[-2:] == ('--remap', '/hall/:=/copy/')


@pytest.mark.parametrize(('modalities', 'read'), [
    (('camera', 'ftm', 'imu'), [*RECORDED[:1], *RECORDED[2:5]]), (('camera',), [*RECORDED[:1]]),
    (('ftm',), [RECORDED[2]]), (('imu',), [*RECORDED[3:5]])])
def test_replay_begins_when_the_synchronizer_reads_every_measurement_of_its_area(
    modalities: tuple[str, ...], read: list[str],
) -> None:
    hall = AreaPlan(AreaSettings(area='hall', modalities=modalities), bags=(Path('a'),))
    player = graph_nodes(plan(hall))[-1]
    assert selected(player, '--read') == [f'/hall/{name}' for name in read]
    assert player.arguments[player.arguments.index('--reader') + 1] == '/hall/sync'


def test_replay_alone_plays_every_topic() -> None:
    player = graph_nodes(replace(plan(area(bags=('a',))), nodes=False))[-1]
    assert '--topic' not in player.arguments


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


def test_several_areas_are_shown_in_one_window() -> None:
    given = replace(plan(area('hall', bags=('a',)), area('stairs', bags=('b',))), rviz=True)
    nodes = by_label(graph_nodes(given))
    assert {label for label in nodes if 'rviz' in label} == {'utt/rviz'}
    assert nodes['utt/rviz'].arguments == ('-d', '/state/building/building.rviz')
    assert nodes['utt/rviz'].parameters == {'use_sim_time': False}
    assert {'hall/truth_markers', 'stairs/truth_markers'} <= nodes.keys()


def test_building_is_one_node_beside_the_aggregator_or_areas_on_their_own() -> None:
    given = replace(plan(area('hall'), area('stairs')), building=True)
    assert 'utt/building' not in by_label(graph_nodes(given))  # the aggregator runs elsewhere
    for change in ({'aggregator': True}, {'federated': False}):
        node = by_label(graph_nodes(replace(given, **change)))['utt/building']
        assert node.arguments == ()
        assert node.respawn
        assert not node.essential
        assert node.parameters == {'use_sim_time': False}
    alone = replace(given, nodes=False, federated=False)
    assert 'utt/building' not in by_label(graph_nodes(alone))


def test_building_has_the_clock_of_a_single_replay_and_the_floor_plan() -> None:
    one = replace(plan(area(bags=('a',))), building=True, federated=False,
                  floor_plan=Path('/plan.yaml'))
    node = by_label(graph_nodes(one))['utt/building']
    assert node.parameters == {'use_sim_time': True}
    assert node.arguments == ('--floor-plan', '/plan.yaml')
    two = replace(one, areas=(*one.areas, area('stairs', bags=('b',))))
    assert by_label(graph_nodes(two))['utt/building'].parameters == {'use_sim_time': False}


def test_people_of_the_building_are_recorded_with_its_areas() -> None:
    given = in_namespace(replace(plan(area()), building=True, record=Path('/bag')), 'site')
    recorder = by_label(graph_nodes(given))['site/utt/recorder']
    assert recorder.arguments == ('/bag', '/site/hall/', '/site/utt/people')


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
        keys = node.parameters.pop('keys', '')  # of pseudonyms
        assert str(keys).endswith('/keys') == (node.name == 'ftm')
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


def test_one_process_publishes_the_frames_of_all_areas() -> None:
    nodes = graph_nodes(replace(plan(area('hall'), area('stairs')), transforms=True))
    (frames,) = [node for node in nodes if node.executable == 'static_frames']
    assert frames.label == 'utt/static_frames'
    assert frames.arguments == frame_arguments(
        [*area_frames(AreaSettings(area='hall')), *area_frames(AreaSettings(area='stairs'))])


def test_replay_alone_has_the_frames_of_areas_whose_file_is_known() -> None:
    alone = replace(plan(area(bags=('a',))), nodes=False, transforms=True)
    assert [node.name for node in graph_nodes(alone)] == ['static_frames', 'player']
    unknown = replace(alone, areas=(replace(alone.areas[0], parameter_files=()),))
    assert [node.name for node in graph_nodes(unknown)] == ['player']


@pytest.mark.parametrize('prefix', ['site', '/site', '/site/', '/a/b'])
def test_pushed_namespace_moves_all_nodes_and_the_topics_of_the_federation(prefix: str) -> None:
    top = f'/{prefix.strip("/")}'
    given = replace(plan(area(bags=('a',)), area('live', namespace='x/live')), aggregator=True,
                    building=True, record=Path('/bag'), transforms=True, rviz=True)
    nodes = by_label(graph_nodes(in_namespace(given, prefix)))
    assert {name.partition(top[1:] + '/')[2] for name in nodes} == {
        node.label for node in graph_nodes(given)}
    for node in nodes.values():
        assert node.namespace.startswith(f'{top}/')
        assert ('/utt/model', f'{top}/utt/model') in node.remappings
        assert ('/map', f'{top}/map') in node.remappings
    assert nodes[f'{top[1:]}/utt/ready'].arguments == (f'{top[1:]}/hall',)
    assert nodes[f'{top[1:]}/utt/recorder'].arguments[1:] == (
        f'{top}/hall/', f'{top}/x/live/', f'{top}/utt/people')
    assert f'/hall/:={top}/hall/' in nodes[f'{top[1:]}/hall/player'].arguments
    assert nodes[f'{top[1:]}/hall/sync'].parameters['area'] == 'hall'


@pytest.mark.parametrize('prefix', ['', '/'])
def test_plan_without_a_pushed_namespace_stays_as_it_is(prefix: str) -> None:
    given = plan(area())
    assert in_namespace(given, prefix) is given


def test_every_common_topic_follows_a_pushed_namespace() -> None:
    package = Path(orchestration.__file__).parents[1]
    found = {name for path in package.rglob('*.py')
             for name in re.findall(r"'/utt/(\w+)'", path.read_text(encoding='utf-8'))}
    assert found == set(COMMON_TOPICS)
