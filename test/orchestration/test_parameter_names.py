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

"""Names of parameters: every one of a node is known, and a typing error is named."""

from pathlib import Path

import pytest

from utt_ros.bridge.node.camera_topics import TopicsSettings
from utt_ros.bridge.node.managed_node import ActivationSettings
from utt_ros.errors import SettingsError
from utt_ros.nodes.camera_node import CameraReaderSettings
from utt_ros.nodes.ftm_node import FtmSettings
from utt_ros.orchestration.parameter_names import (
    AREA_NODES,
    check_parameter_names,
    known_parameters,
    unknown_parameters,
)
from utt_ros.orchestration.ros_environment import CHECKOUT
from utt_ros.parameter_files import flatten_parameters, read_parameter_blocks


def write(path: Path, **blocks: str) -> Path:
    path.write_text(''.join(
        f'{name.replace("every", "/**").replace("__", "/**/")}:\n  ros__parameters: {content}\n'
        for name, content in blocks.items()))
    return path


@pytest.mark.parametrize(('file', 'nodes'), [
    ('area.yaml', AREA_NODES), ('aggregator.yaml', ('aggregator',))])
def test_every_parameter_of_the_example_is_known(file: str, nodes: tuple[str, ...]) -> None:
    check_parameter_names(CHECKOUT / 'config' / file, nodes)


@pytest.mark.parametrize('node', [*AREA_NODES])
def test_nodes_know_the_parameters_of_their_block_in_the_example(node: str) -> None:
    blocks = read_parameter_blocks(CHECKOUT / 'config' / 'area.yaml')
    names = set(flatten_parameters(blocks[f'/**/{node}'])) | {'area', 'camera_height'}
    assert names <= known_parameters((node,))


def test_settings_that_need_ros_are_known() -> None:
    camera, ftm = known_parameters(('camera',)), known_parameters(('ftm',))
    assert {f'topics.{name}' for name in TopicsSettings.__dataclass_fields__} <= camera
    assert set(CameraReaderSettings.__dataclass_fields__) <= camera
    assert set(FtmSettings.__dataclass_fields__) <= ftm
    assert set(ActivationSettings.__dataclass_fields__) <= ftm & camera


@pytest.mark.parametrize(('blocks', 'reason'), [
    ({'every': '{area: hall, camera_hieght: 3.0}'},
     r"area.yaml: '/\*\*' has an unknown parameter 'camera_hieght': did you mean 'camera_height'"),
    ({'__sync': '{asociation: fused}'}, "'asociation': did you mean 'association'"),
    ({'__twin': '{belief: {particels: 100}}'}, "did you mean 'belief.particles'"),
    ({'__twin': '{association: fused}'}, "unknown parameter 'association'"),
    ({'__camera': '{opencv: {locaton: "0"}}'}, "did you mean 'opencv.location'"),
    ({'__camera': '{open_cv: {location: "0"}}'}, "did you mean 'opencv.location'"),
    ({'__camera': '{detection: {detecter: hog}}'}, "did you mean 'detection.detector'"),
    ({'every': '{acess_points: {"02:01": [0.0, 0.0, 1.0]}}'}, 'unknown parameter .acess_points'),
    ({'__imu': '{qwertz: 1}'}, "unknown parameter 'qwertz'$"),
    ({'__snyc': '{association: fused}'}, r"'/\*\*/snyc' is no node: did you mean 'sync'"),
])
def test_unknown_parameter_is_refused_with_the_nearest_one(
        tmp_path: Path, blocks: dict[str, str], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        check_parameter_names(write(tmp_path / 'area.yaml', **blocks))


@pytest.mark.parametrize('blocks', [
    {'every': '{area: hall, use_sim_time: true, association: fused, model.width: 64}'},
    {'every': '{access_points: {"02:01": [0.0, 0.0, 1.0]}}'},
    {'__sync': '{association_least: 0.4}'},  # a former name
    {'__rviz2': '{anything: 1}'},  # a node of another package
    {'__imu': '{pocket_lidar: {port: 1}}'},  # a source of another package
    {'__sync': '{qos_overrides: {/hall/camera/tracks: {subscription: {depth: 3}}}}'},
    {'__aggregator': '{quorum: 2}'},
])
def test_what_other_packages_and_releases_define_is_left_alone(
        tmp_path: Path, blocks: dict[str, str]) -> None:
    check_parameter_names(write(tmp_path / 'area.yaml', **blocks))


def test_aggregator_has_other_parameters_than_an_area(tmp_path: Path) -> None:
    file = write(tmp_path / 'aggregator.yaml', every='{quorum: 2}')
    check_parameter_names(file, ('aggregator',))
    with pytest.raises(SettingsError, match="unknown parameter 'quorum'"):
        check_parameter_names(file)
    assert unknown_parameters(['quorum', 'camera_height'], ('aggregator',)) == ['camera_height']
