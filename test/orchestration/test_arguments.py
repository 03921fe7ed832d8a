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

"""LaunchArguments of launch files as plans."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from utt_ros.errors import SettingsError, UttError
from utt_ros.orchestration.arguments import (
    AREA_ARGUMENTS,
    ARGUMENT_CHOICES,
    FEDERATION_ARGUMENTS,
    PRETRAINED_FILE,
    REPLAY_ARGUMENTS,
    LaunchArguments,
    model_file,
    plan_area,
    plan_federation,
    plan_replay,
    split_list,
)
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.model_check import check_initial_model
from utt_ros.orchestration.ros_environment import shared_file
from utt_ros.parameter_files import write_parameter_file
from utt_ros.settings import AreaSettings

MakeBag = Callable[..., Path]


def values(arguments: LaunchArguments, **given: object) -> dict[str, str]:
    assert set(given) <= set(arguments)
    return {name: default for name, (default, _) in arguments.items()} | {
        name: str(value) for name, value in given.items()}


@pytest.fixture
def sessions(tmp_path: Path, make_bag: MakeBag) -> Path:
    """Two areas with two recordings each, as importers lay them out."""
    for name in ('hall', 'stairs'):
        for bag in ('one', 'two'):
            make_bag(tmp_path / name / bag, f'/{name}/camera/tracks', f'/{name}/synced')
        write_parameter_file(tmp_path / name / 'area.yaml', AreaSettings(area=name))
    return tmp_path


def test_area_file_beside_a_bag_is_used(sessions: Path) -> None:
    plan = plan_area(values(AREA_ARGUMENTS, bag=sessions / 'hall' / 'one'))
    (area,) = plan.areas
    assert area.name == 'hall'
    assert area.parameter_files == (sessions / 'hall' / 'area.yaml',)
    assert area.bags == (sessions / 'hall' / 'one',)
    assert not plan.federated


def test_area_without_arguments_has_the_configuration_of_the_package() -> None:
    (area,) = plan_area(values(AREA_ARGUMENTS)).areas
    assert area.name == 'area'
    assert area.parameter_files == (shared_file('config/area.yaml'),)
    assert area.assumed == ('camera_height', 'camera_pitch', 'ap_position', 'magnetic_yaw')


def test_name_of_an_area_overrides_that_of_its_file(sessions: Path) -> None:
    (area,) = plan_area(values(AREA_ARGUMENTS, area='lobby')).areas
    assert (area.name, area.root) == ('lobby', '/lobby')
    file = sessions / 'hall' / 'area.yaml'
    (area,) = plan_area(values(AREA_ARGUMENTS, area='lobby', params_file=file)).areas
    assert area.name == 'lobby'


@pytest.mark.parametrize(('topics', 'given', 'root', 'remap'), [
    (('/attic/phones/ann/ftm',), {}, '/attic', None),
    (('/attic/phones/ann/imu/data_raw',), {'area': 'attic'}, '/attic', None),
    (('/attic/phones/ann/imu/mag',), {'area': 'lobby'}, '/lobby', '/attic/:=/lobby/'),
    (('/attic/camera/tracks',), {'namespace': 'site/attic'}, '/site/attic',
     '/attic/:=/site/attic/'),
    (('/site/attic/camera/tracks',), {}, '/attic', '/site/attic/:=/attic/'),
    (('/site/attic/camera/tracks',), {'area': 'attic'}, '/attic', '/site/attic/:=/attic/'),
    (('/attic/camera/tracks', '/hall/camera/tracks'), {'area': 'hall'}, '/hall', None),
    (('/attic/camera/tracks', '/attic/twins/t1/camera/tracks'), {}, '/attic', None),
])
def test_recording_and_area_agree_or_the_recording_is_renamed(
    topics: tuple[str, ...], given: dict[str, str], root: str, remap: str | None,
    tmp_path: Path, make_bag: MakeBag,
) -> None:
    bag = make_bag(tmp_path / 'bag', *topics)
    plan = plan_area(values(AREA_ARGUMENTS, bag=bag, **given))
    assert plan.areas[0].root == root
    words = graph_nodes(plan)[-1].arguments
    remaps = [word for flag, word in pairwise(words) if flag == '--remap']
    assert remaps == ([remap] if remap else [])


@pytest.mark.parametrize(('topics', 'given', 'complaint'), [
    (('/attic/camera/tracks',), {'params_file': 'hall'}, "area attic, but .* named 'hall'"),
    (('/attic/camera/tracks', '/roof/camera/tracks'), {'area': 'hall'}, "roof, but .*'hall'"),
    (('/attic/camera/tracks', '/roof/camera/tracks'), {}, 'areas attic, roof: choose one'),
    (('/hall/synced', '/tf'), {'area': 'hall'}, 'no measurements of an area, such as /hall/'),
    (('/hall/twins/t1/camera/tracks',), {'area': 'hall'}, 'no measurements of an area'),
    ((), {}, 'does not exist'),
    ((), {'area': 'hall'}, 'does not exist'),
    ((), {'params_file': 'hall'}, 'does not exist'),
])
def test_recording_of_another_area_or_of_none_is_refused(
    topics: tuple[str, ...], given: dict[str, str], complaint: str,
    sessions: Path, make_bag: MakeBag,
) -> None:
    bag = sessions / 'elsewhere' / 'bag'
    if topics:
        make_bag(bag, *topics)
    if 'params_file' in given:
        given = {'params_file': str(sessions / given['params_file'] / 'area.yaml')}
    with pytest.raises(UttError, match=complaint):
        plan_area(values(AREA_ARGUMENTS, bag=bag, **given))


@pytest.mark.parametrize('arguments', [AREA_ARGUMENTS, FEDERATION_ARGUMENTS, REPLAY_ARGUMENTS])
def test_defaults_are_among_the_choices(arguments: LaunchArguments) -> None:
    for name, (default, _) in arguments.items():
        assert default in ARGUMENT_CHOICES.get(name, (default,))
        if default in ('true', 'false'):
            assert name in ARGUMENT_CHOICES


def test_federation_is_every_area_of_a_folder_and_an_aggregator(sessions: Path) -> None:
    plan = plan_federation(values(FEDERATION_ARGUMENTS, areas=sessions))
    assert [area.name for area in plan.areas] == ['hall', 'stairs']
    assert all(not area.bags for area in plan.areas)
    assert plan.aggregator
    assert plan.federated


def test_federation_replays_the_bags_beside_the_area_files(sessions: Path) -> None:
    files = f'{sessions}/stairs/area.yaml, {sessions}/hall'
    plan = plan_federation(values(FEDERATION_ARGUMENTS, areas=files, replay='true'))
    assert [area.name for area in plan.areas] == ['stairs', 'hall']
    assert plan.areas[1].bags == (sessions / 'hall' / 'one', sessions / 'hall' / 'two')


def test_federation_of_two_areas_of_one_name_is_refused(sessions: Path) -> None:
    with pytest.raises(SettingsError, match="two areas are named 'hall'"):
        plan_federation(values(FEDERATION_ARGUMENTS, areas=f'{sessions}/hall,{sessions}/hall'))


def test_federation_without_areas_is_refused() -> None:
    with pytest.raises(SettingsError, match='no areas'):
        plan_federation(values(FEDERATION_ARGUMENTS))


def test_replay_without_recordings_is_refused(tmp_path: Path) -> None:
    write_parameter_file(tmp_path / 'area.yaml', AreaSettings(area='hall'))
    with pytest.raises(SettingsError, match="no recording of area 'hall'"):
        plan_federation(values(FEDERATION_ARGUMENTS, areas=tmp_path, replay='true'))
    with pytest.raises(SettingsError, match='no bag'):
        plan_replay(values(REPLAY_ARGUMENTS))


def test_replay_groups_recordings_by_area(sessions: Path) -> None:
    bags = ','.join(f'{sessions}/{name}' for name in ('hall/two', 'stairs/one', 'hall/one'))
    plan = plan_replay(values(REPLAY_ARGUMENTS, bag=bags))
    assert not plan.nodes
    assert {area.name: [bag.name for bag in area.bags] for area in plan.areas} == {
        'hall': ['two', 'one'], 'stairs': ['one']}


def test_recording_without_an_area_file_can_be_replayed(
    tmp_path: Path, make_bag: MakeBag,
) -> None:
    bag = make_bag(tmp_path / 'bag', '/attic/camera/tracks', '/chatter')
    for nodes in ('false', 'true'):
        (area,) = plan_replay(values(REPLAY_ARGUMENTS, bag=bag, nodes=nodes)).areas
        assert (area.bags, area.name) == ((bag,), 'attic')
    bag = make_bag(tmp_path / 'other', '/chatter')
    (area,) = plan_replay(values(REPLAY_ARGUMENTS, bag=bag)).areas
    assert area.bags == (bag,)
    with pytest.raises(SettingsError, match='no measurements of an area'):
        plan_replay(values(REPLAY_ARGUMENTS, bag=bag, nodes='true'))


def test_common_arguments_reach_the_plan() -> None:
    plan = plan_area(values(
        AREA_ARGUMENTS, area='hall', use_sim_time='true', state_dir='/state', rviz='False',
        record='/bag', rate='2', start_offset='1.5', loop='True', log_level='debug', federated='1',
        model='model.safetensors',
    ))
    assert plan.use_sim_time is True
    assert plan.state_dir == Path('/state')
    assert plan.model == Path('model.safetensors')
    assert plan.record == Path('/bag')
    assert (plan.rate, plan.start_offset_sec, plan.loop) == (2.0, 1.5, True)
    assert plan.log_level == 'debug'
    assert plan.federated
    assert not plan.rviz


def test_model_of_the_package_can_be_started_from() -> None:
    plan = plan_area(values(AREA_ARGUMENTS, area='hall', model='pretrained'))
    assert plan.model == PRETRAINED_FILE
    check_initial_model(plan)
    assert PRETRAINED_FILE.stat().st_size <= 1.5e6
    assert PRETRAINED_FILE.with_suffix('.json').is_file()


def test_any_other_name_of_a_model_is_a_path() -> None:
    assert model_file('pretrained') == PRETRAINED_FILE
    assert model_file('models/one.safetensors') == Path('models/one.safetensors')


@pytest.mark.parametrize(('name', 'value', 'reason'), [
    ('loop', 'perhaps', 'it must be true or false'),
    ('rate', 'fast', 'it must be a number'),
    ('log_level', 'loud', 'one of debug, info'),
])
def test_invalid_argument_is_refused(name: str, value: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is '{value}': {reason}"):
        plan_area(values(AREA_ARGUMENTS, area='hall', **{name: value}))


def test_lists_have_commas_and_no_empty_words() -> None:
    assert split_list(' a, b,,c ,') == ('a', 'b', 'c')
    assert split_list('') == ()
