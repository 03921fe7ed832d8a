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

"""RViz layouts show the topics and frames of a plan."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from utt_ros.orchestration.launch_plan import AreaPlan, LaunchPlan, in_namespace
from utt_ros.orchestration.ros_environment import CHECKOUT
from utt_ros.orchestration.rviz_layouts import area_layout, building_layout, rviz_layout
from utt_ros.settings import AreaSettings

HALL, STAIRS = (AreaPlan(AreaSettings(area=name), parameter_files=(Path(f'/{name}.yaml'),))
                for name in ('hall', 'stairs'))
TEMPLATE = (CHECKOUT / 'config' / 'building.rviz').read_text()


def topics(layout: str) -> dict[str, Any]:
    manager = yaml.safe_load(layout)['Visualization Manager']
    return {item['Name']: item['Topic']['Value']
            for item in manager['Displays'] if 'Topic' in item}


def test_layout_of_an_area_has_its_topics_and_its_frame() -> None:
    template = (CHECKOUT / 'config' / 'area.rviz').read_text()
    layout = area_layout(template, replace(HALL, namespace='/building/hall'))
    assert 'Fixed Frame: hall\n' in layout
    assert list(topics(layout).values()) == [
        '/building/hall/markers', '/building/hall/truth_markers']


def test_layout_of_a_building_has_the_topics_of_all_areas() -> None:
    layout = building_layout(TEMPLATE, LaunchPlan((HALL, STAIRS)))
    assert 'Fixed Frame: map\n' in layout
    assert topics(layout) == {
        'Floor plan': '/map', 'People': '/utt/building_markers',
        'Twin of hall': '/hall/markers', 'Twin of stairs': '/stairs/markers',
        'Truth of hall': '/hall/truth_markers', 'Truth of stairs': '/stairs/truth_markers'}
    assert '&id' not in layout


def test_layout_of_a_building_follows_a_pushed_namespace() -> None:
    plan = in_namespace(LaunchPlan((HALL, STAIRS)), 'site')
    found = topics(building_layout(TEMPLATE, plan))
    assert found['Floor plan'] == '/site/map'
    assert found['People'] == '/site/utt/building_markers'
    assert found['Twin of hall'] == '/site/hall/markers'


def test_one_area_has_the_layout_of_an_area_and_several_that_of_a_building() -> None:
    assert 'Fixed Frame: hall\n' in rviz_layout(LaunchPlan((HALL,)))
    assert 'Fixed Frame: map\n' in rviz_layout(LaunchPlan((HALL, STAIRS)))
