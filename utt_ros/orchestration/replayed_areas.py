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

"""Recordings, and the areas that they are replayed into."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from utt_ros.errors import SettingsError
from utt_ros.orchestration.graph import MEASURED
from utt_ros.orchestration.launch_plan import AreaPlan
from utt_ros.sessions.bag_io import open_bag

MEASUREMENT = re.compile(
    rf'(?P<root>(?:/\w+)+?)/(?:{"|".join(MEASURED.values())})', re.ASCII)
VIRTUAL = '/twins/'  # topics of task twins, which look like measurements below their names


def recorded_areas(bag: Path) -> tuple[str, ...]:
    """Return the namespaces of the areas that a bag holds measurements of, sorted.

    Raises SessionError when it cannot be read.
    """
    with open_bag(bag) as reader:
        matches = [MEASUREMENT.fullmatch(topic.name) for topic in reader.topics]
    return tuple(sorted({match['root'] for match in matches if match
                         if VIRTUAL not in match['root']}))


def area_name(root: str) -> str:
    """Return the name of the area with this namespace, unless it was chosen otherwise."""
    return root.rpartition('/')[2]


def with_recordings(area: AreaPlan, bags: Sequence[Path], *, rename: bool = False) -> AreaPlan:
    """Return an area that replays these bags, which must be recordings of it.

    `rename`: one of another area is replayed as this one. Raises SettingsError, and SessionError
    for a bag that cannot be read.
    """
    recorded = dict.fromkeys(_recorded_area(area, bag, rename) for bag in bags)
    return replace(area, bags=tuple(bags), recorded=tuple(recorded))


def renamed_recordings(area: AreaPlan) -> list[str]:
    """Return sentences about recordings that are replayed under another name."""
    return [f'{area.name}: the recording of {root} is replayed as {area.root}'
            for root in area.recorded if area_name(root) != area.name]


def _recorded_area(area: AreaPlan, bag: Path, rename: bool) -> str:
    """Return the namespace of an area in a bag."""
    roots = recorded_areas(bag)
    if not roots:
        raise SettingsError(f'{bag} has no measurements of an area, such as {area.root}/camera/'
                            f'tracks or {area.root}/phones/<phone>/ftm: it cannot be replayed '
                            'into its nodes')
    own = [root for root in roots if root in (area.root, f'/{area.name}')
           or area_name(root) == area.name]
    if own:
        return area.root if area.root in own else own[0]
    if rename and len(roots) == 1:
        return roots[0]
    file = f' by {area.parameter_files[0]}' if area.parameter_files else ''
    names = ', '.join(map(area_name, roots))
    raise SettingsError(f'{bag} is a recording of area {names}, but the area is named '
                        f'{area.name!r}{file}: give the area file of {area_name(roots[0])}')
