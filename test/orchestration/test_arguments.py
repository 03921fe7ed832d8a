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

from pathlib import Path

import pytest

from utt_ros.errors import SettingsError
from utt_ros.orchestration.arguments import (
    AREA_ARGUMENTS,
    FEDERATION_ARGUMENTS,
    PRETRAINED_FILE,
    REPLAY_ARGUMENTS,
    LaunchArguments,
    plan_area,
    plan_federation,
    plan_replay,
)
from utt_ros.orchestration.model_check import check_initial_model
from utt_ros.settings import AreaSettings, write_parameter_file


def values(arguments: LaunchArguments, **given: object) -> dict[str, str]:
    assert set(given) <= set(arguments)
    return {name: default for name, (default, _) in arguments.items()} | {
        name: str(value) for name, value in given.items()}


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    """Two areas with two recordings each, as importers lay them out."""
    for name in ('hall', 'stairs'):
        for bag in ('one', 'two'):
            (tmp_path / name / bag).mkdir(parents=True)
            (tmp_path / name / bag / 'metadata.yaml').touch()
        write_parameter_file(tmp_path / name / 'area.yaml', AreaSettings(area=name))
    return tmp_path


def test_area_file_beside_a_bag_is_used(sessions: Path) -> None:
    plan = plan_area(values(AREA_ARGUMENTS, bag=sessions / 'hall' / 'one'))
    (area,) = plan.areas
    assert area.name == 'hall'
    assert area.parameter_files == (sessions / 'hall' / 'area.yaml',)
    assert area.bags == (sessions / 'hall' / 'one',)
    assert not plan.federated


def test_area_without_a_file_needs_a_name() -> None:
    assert plan_area(values(AREA_ARGUMENTS, area='lobby')).areas[0].root == '/lobby'
    with pytest.raises(SettingsError, match='no area'):
        plan_area(values(AREA_ARGUMENTS))


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


def test_recording_without_an_area_file_can_be_replayed(tmp_path: Path) -> None:
    plan = plan_replay(values(REPLAY_ARGUMENTS, bag=tmp_path / 'bag'))
    assert plan.areas[0].bags == (tmp_path / 'bag',)


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


@pytest.mark.parametrize(('name', 'value', 'reason'), [
    ('loop', 'perhaps', 'it must be true or false'),
    ('rate', 'fast', 'it must be a number'),
    ('log_level', 'loud', 'one of debug, info'),
])
def test_invalid_argument_is_refused(name: str, value: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is '{value}': {reason}"):
        plan_area(values(AREA_ARGUMENTS, area='hall', **{name: value}))
