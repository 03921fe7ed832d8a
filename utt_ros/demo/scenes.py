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

"""Areas of the demonstration, with their training and test sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from utt_ros.errors import SessionError
from utt_ros.parameter_files import AREA_FILE
from utt_ros.sessions.session_bags import (
    find_sessions,
    read_area,
    read_belief,
    read_split,
    write_area,
)
from utt_ros.settings import AreaSettings
from utt_ros.types import MODALITIES

CROSSING_SPLIT = 'crossing'


@dataclass(frozen=True, slots=True)
class DemoArea:
    """One area: settings, parameter file, training and test bags."""

    settings: AreaSettings
    file: Path  # parameters of the area
    train: tuple[Path, ...]  # bags for training
    test: tuple[Path, ...]  # bags for the test
    crossing: tuple[Path, ...] = ()  # bags of people who walk through all areas at the same time
    belief: Mapping[str, float] = field(default_factory=dict)  # of its twin, beside the defaults

    @property
    def name(self) -> str:
        """Return the name of the area."""
        return self.settings.area

    @property
    def replayed(self) -> tuple[Path, ...]:
        """Return the bags that are replayed to test the twins."""
        return self.crossing or self.test


def find_demo_areas(sessions: Path, out: Path) -> list[DemoArea]:
    """Find the areas of a folder of sessions, and write their area files to `out`.

    Whole sessions are held out: those of the split 'test', else the last of each area, and those
    of the split 'crossing'. Where all areas have a camera, the camera of the last one is removed.
    Raises SessionError when an area has too few sessions.
    """
    areas = []
    for name, bags in find_sessions(sessions).items():
        settings = read_area(sessions / name)
        crossing = tuple(bag for bag in bags if read_split(bag) == CROSSING_SPLIT)
        alone = [bag for bag in bags if bag not in crossing]
        test = tuple(bag for bag in alone if read_split(bag) == 'test') or tuple(alone[-1:])
        train = tuple(bag for bag in alone if bag not in test)
        if not train:
            raise SessionError(
                f'area {name!r} has {len(bags)} session: it must have one for training and one '
                'for the test')
        areas.append(DemoArea(settings, out / name / AREA_FILE, train, test, crossing,
                              read_belief(sessions / name, name)))
    return _one_without_camera(areas)


def _one_without_camera(found: Sequence[DemoArea]) -> list[DemoArea]:
    """Remove the camera of the last area: it is to learn from the others."""
    areas = list(found)
    if len(areas) > 1 and all('camera' in area.settings.modalities for area in areas):
        blind = tuple(name for name in MODALITIES if name != 'camera')
        areas[-1] = replace(areas[-1], settings=replace(areas[-1].settings, modalities=blind))
    for area in areas:
        write_area(area.settings, area.file.parent, belief=area.belief)
    return areas
