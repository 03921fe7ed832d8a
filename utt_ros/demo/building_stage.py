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

"""The building of a simulated demonstration: sessions, floor plan, and people who crossed it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from utt_ros.building.floor_plan import read_floor_plan
from utt_ros.demo.building_figure import draw_building_map
from utt_ros.demo.scenes import CROSSING_SPLIT, DemoArea
from utt_ros.evaluation.metrics.crossings import area_changes, score_crossings
from utt_ros.evaluation.recorded_people import read_listed_people, read_newest_values
from utt_ros.sessions.session_bags import read_session, write_area, write_session
from utt_ros.sessions.simulator.crossing import plan_crossings, room_corners, simulate_crossing
from utt_ros.sessions.simulator.drawn_plan import write_floor_plan
from utt_ros.sessions.simulator.known_errors import SIMULATED_BELIEF
from utt_ros.sessions.simulator.world import simulate_session
from utt_ros.types import GroundTruth

ACCESS_POINTS = (3, 1, 3)  # of each area
BUILDING_MINUTES = 4.0  # of each area alone, in sessions of a minute


def simulate_building(out: Path, seed: int) -> None:
    """Write sessions of each area alone, and one of all areas at once whose people cross them.

    The areas lie side by side; `area1` has one access point and the others three, `area2` has no
    camera.
    """
    plans = plan_crossings(
        len(ACCESS_POINTS), BUILDING_MINUTES, seed, ['area2'], ACCESS_POINTS)
    areas = [planned.area.settings for planned in plans[0].sessions]
    for area in areas:
        write_area(area, out / area.area, belief=SIMULATED_BELIEF)
    alone = [planned for plan in plans for planned in plan.sessions]
    for planned in tqdm(alone, unit='session', disable=None):
        area = planned.area.settings
        write_session(simulate_session(planned), area, out / area.area / planned.name)
    for area, session in zip(areas, simulate_crossing(plans[-1]).sessions, strict=True):
        crossing = replace(session, name=CROSSING_SPLIT, split=CROSSING_SPLIT)
        write_session(crossing, area, out / area.area / CROSSING_SPLIT)
    write_floor_plan(areas, out)


def report_building(
    areas: Sequence[DemoArea], bag: Path, floor_plan: Path, image: Path,
) -> dict[str, Any]:
    """Score and draw /utt/people of a recorded replay beside the truth of its sessions.

    Raises SessionError.
    """
    listed, truth = read_listed_people(bag), crossing_truth(areas)
    draw_building_map(image, read_floor_plan(floor_plan), [area.settings for area in areas], truth,
                      listed)
    scores = score_crossings(
        listed, truth,
        {area.name: room_corners(area.settings) for area in areas},
        {area.name: len(area.settings.ap_positions) for area in areas})
    taken = read_newest_values(bag, 'beliefs_taken')
    return {**scores, 'area_changes': len(area_changes(listed)),
            'beliefs_taken': sum(map(int, taken.values()))}


def crossing_truth(areas: Sequence[DemoArea]) -> dict[str, GroundTruth]:
    """Join the true positions by person of all areas, in `map`. Raises SessionError."""
    parts: dict[str, list[GroundTruth]] = defaultdict(list)
    for area in areas:
        pose = area.settings.pose_in_map
        for bag in area.crossing:
            for subject, true in read_session(bag).truth.items():
                parts[subject].append(GroundTruth(
                    true.stamps_ns, pose.to_map(true.positions_m), true.headings_rad + pose.yaw))
    return {subject: _joined(found) for subject, found in sorted(parts.items())}


def _joined(parts: Sequence[GroundTruth]) -> GroundTruth:
    """Join truth in order of stamps, each of which several areas may have."""
    stamps_ns, rows = np.unique(
        np.concatenate([part.stamps_ns for part in parts]), return_index=True)
    return GroundTruth(stamps_ns, np.concatenate([part.positions_m for part in parts])[rows],
                       np.concatenate([part.headings_rad for part in parts])[rows])
