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

"""The example files name every parameter, with its default and its meaning."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from utt_ros.bridge.node.camera_topics import TopicsSettings
from utt_ros.bridge.node.managed_node import ActivationSettings
from utt_ros.drivers import camera, ftm, imu
from utt_ros.drivers.camera.detection import DetectionSettings
from utt_ros.drivers.camera.detection_stream import DetectionTopicSettings
from utt_ros.drivers.camera.tracking import TrackingSettings
from utt_ros.drivers.pseudonyms import PrivacySettings
from utt_ros.drivers.reader import ReaderSettings
from utt_ros.drivers.source import SourceEntry
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.models.settings import ModelSettings
from utt_ros.nodes.camera_node import CameraReaderSettings
from utt_ros.nodes.ftm_node import FtmSettings
from utt_ros.orchestration.launch_plan import GRAPH_PARAMETERS, read_area_plan
from utt_ros.orchestration.ros_environment import CHECKOUT
from utt_ros.plugins import Registry
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.settings import SyncSettings
from utt_ros.training.settings import LearningSettings, TrainerSettings
from utt_ros.twin.settings import ParticleFilterSettings, TwinSettings

CONFIG = CHECKOUT / 'config'
Part = tuple[type, str]  # settings, prefix of their names
MANAGED: Part = (ActivationSettings, '')


def sources(registry: Registry[SourceEntry]) -> tuple[Part, ...]:
    return ((AreaSettings, ''),
            *((registry[name].settings, f'{name}.') for name in registry.names()))


NODES: dict[str, tuple[str, str, tuple[Part, ...]]] = {  # file, block, what the node declares
    'sync': ('area.yaml', '/**/sync', (
        (AreaSettings, ''), (WindowSettings, ''), (SyncSettings, ''), MANAGED)),
    'twin': ('area.yaml', '/**/twin', (
        (AreaSettings, ''), (WindowSettings, ''), (TwinSettings, ''),
        (ParticleFilterSettings, 'belief.'), MANAGED)),
    'trainer': ('area.yaml', '/**/trainer', (
        (AreaSettings, ''), (WindowSettings, ''), (TrainerSettings, ''), (LearningSettings, ''),
        (ModelSettings, 'model.'), MANAGED)),
    'camera': ('area.yaml', '/**/camera', (
        *sources(camera.SOURCES), (TopicsSettings, 'topics.'),
        (DetectionTopicSettings, 'detections.'), (CameraReaderSettings, ''),
        (DetectionSettings, 'detection.'), (TrackingSettings, 'tracking.'), MANAGED)),
    'ftm': ('area.yaml', '/**/ftm', (
        *sources(ftm.SOURCES), (ReaderSettings, ''), (PrivacySettings, ''),
        (FtmSettings, ''), MANAGED)),
    'imu': ('area.yaml', '/**/imu', (
        *sources(imu.SOURCES), (ReaderSettings, ''), (PrivacySettings, ''), MANAGED)),
    'aggregator': ('aggregator.yaml', '', (
        (AggregatorSettings, ''), (WindowSettings, ''), (ModelSettings, 'model.'), MANAGED)),
}
OF_AREA = tuple(node for node, (file, _, _) in NODES.items() if file == 'area.yaml')
BESIDES: dict[str, dict[str, Any]] = {  # what nodes declare without settings
    'camera': {'source': camera.DEFAULT, 'calibration': ''},
    'ftm': {'source': ftm.DEFAULT},
    'imu': {'source': imu.DEFAULT},
}


def flat(values: Mapping[str, Any], prefix: str = '') -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        whole = prefix + name
        found |= flat(value, f'{whole}.') if isinstance(value, dict) else {whole: value}
    return found


def told(file: str, blocks: Iterable[str]) -> dict[str, Any]:
    document = yaml.safe_load((CONFIG / file).read_text())
    found: dict[str, Any] = {}
    for block in filter(None, blocks):
        found |= flat(document[block]['ros__parameters'])
    return found


def defaults(parts: Iterable[Part]) -> dict[str, Any]:
    found = {prefix + item.name: item.default for cls, prefix in parts for item in fields(cls)}
    values = {name: list(value) if isinstance(value, tuple) else value
              for name, value in found.items() if name not in GRAPH_PARAMETERS - {'area'}}
    return {name: value for name, value in values.items() if value != []}  # YAML of rcl has none


@pytest.mark.parametrize('node', NODES)
def test_example_has_every_parameter_of_a_node_with_its_default(node: str) -> None:
    file, block, parts = NODES[node]
    expected, own = defaults(parts) | BESIDES.get(node, {}), told(file, [block])
    assert set(own) <= set(expected)
    assert {name: value for name, value in told(file, ['/**', block]).items()
            if name in expected} == expected


def test_example_has_no_parameter_that_nobody_declares() -> None:
    declared = {name for node in OF_AREA for name in defaults(NODES[node][2])}
    assert set(told('area.yaml', ['/**'])) <= declared
    assert set(told('aggregator.yaml', ['/**'])) == set(defaults(NODES['aggregator'][2]))


def test_parameter_with_two_meanings_is_not_in_the_block_of_every_node() -> None:
    meanings: dict[str, set[str]] = {}
    for _, _, parts in (NODES[node] for node in OF_AREA):
        for cls, prefix in parts:
            for item in fields(cls):
                meanings.setdefault(prefix + item.name, set()).add(item.metadata['text'])
    several = {name for name, texts in meanings.items() if len(texts) > 1} - {'lag'}
    assert not several & set(told('area.yaml', ['/**']))


@pytest.mark.parametrize('file', ['area.yaml', 'aggregator.yaml'])
def test_example_describes_every_parameter(file: str) -> None:
    said = re.sub(r'\s*\n\s*# ', ' ', (CONFIG / file).read_text())
    for cls in {cls for node in NODES.values() if node[0] == file for cls, _ in node[2]}:
        for item in fields(cls):
            if item.name not in GRAPH_PARAMETERS and (cls, item.name) != (TwinSettings, 'lag'):
                assert item.metadata['text'] in said


def test_example_is_a_file_that_an_area_starts_with() -> None:
    area = read_area_plan(Path(CONFIG / 'area.yaml'))
    assert area.settings == AreaSettings()


def test_example_starts_every_driver_when_their_line_is_uncommented(tmp_path: Path) -> None:
    text = (CONFIG / 'area.yaml').read_text()
    path = tmp_path / 'area.yaml'
    path.write_text(text.replace('# drivers: [', 'drivers: ['))
    assert read_area_plan(path).drivers == ('camera', 'ftm', 'imu')
