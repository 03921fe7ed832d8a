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

"""RViz layouts of an area and of a building, from templates of the package."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import yaml

from utt_ros.orchestration.graph import MAP_TOPIC
from utt_ros.orchestration.launch_plan import AreaPlan, LaunchPlan
from utt_ros.orchestration.ros_environment import shared_file

AREA_TEMPLATE, BUILDING_TEMPLATE = 'config/area.rviz', 'config/building.rviz'
AREA_ROOT = '/area/'  # topics in the templates that stand for those of an area


def rviz_layout(plan: LaunchPlan) -> str:
    """Return the layout of a plan: that of its area, or of the building of several."""
    if len(plan.areas) == 1:
        return area_layout(_template(AREA_TEMPLATE), plan.areas[0])
    return building_layout(_template(BUILDING_TEMPLATE), plan)


def area_layout(template: str, area: AreaPlan) -> str:
    """Adapt frame and topics of a layout, made for an area named 'area', to an area."""
    text = template.replace('Fixed Frame: area\n', f'Fixed Frame: {area.name}\n')
    return text.replace(f'Value: {AREA_ROOT}', f'Value: {area.root}/')


def building_layout(template: str, plan: LaunchPlan) -> str:
    """Repeat the displays of an area for each area of a plan, and move the other topics."""
    document = yaml.safe_load(template)
    manager = document['Visualization Manager']
    manager['Displays'] = [
        copy for display in manager['Displays'] for copy in _displays(display, plan)]
    return yaml.safe_dump(document, sort_keys=False)


def _displays(display: dict[str, Any], plan: LaunchPlan) -> Iterator[dict[str, Any]]:
    name = display.get('Topic', {}).get('Value', '')
    if name.startswith(AREA_ROOT):
        for area in plan.areas:
            own = _with_topic(display, f'{area.root}/{name.removeprefix(AREA_ROOT)}')
            yield {**own, 'Name': f'{display["Name"]} of {area.name}'}
    elif name.startswith(('/utt/', MAP_TOPIC)):
        yield _with_topic(display, f'{plan.prefix}{name}')
    else:
        yield display


def _with_topic(display: dict[str, Any], name: str) -> dict[str, Any]:
    changed = deepcopy(display)  # YAML would name the parts that copies share
    changed['Topic']['Value'] = name
    return changed


def _template(name: str) -> str:
    return shared_file(name).read_text(encoding='utf-8')
