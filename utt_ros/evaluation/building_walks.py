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

"""Twins of a simulated building, in step and without ROS: people who walk through all areas."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Any

import numpy as np

from utt_ros.building.located_people import BuildingPeople
from utt_ros.evaluation.metrics.crossings import list_people, score_crossings
from utt_ros.sessions.simulator.crossing import (
    Crossing,
    CrossingPlan,
    room_corners,
    simulate_crossing,
)
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.offline_sync import synchronize
from utt_ros.twin.engine import TwinEngine
from utt_ros.twin.model_service import REPLAY_WAIT_S
from utt_ros.twin.neighbour_beliefs import NeighbourBeliefs
from utt_ros.twin.onnx_model import OnnxModel
from utt_ros.twin.settings import ParticleFilterSettings, TwinSettings
from utt_ros.types import NS_PER_S, GroundTruth, Session, SyncedBatch

PEOPLE_NS = NS_PER_S // 10
BELIEF_TICKS = 5  # as the node
_PeopleRow = tuple[int, str, str, int, Sequence[float]]


@dataclass(frozen=True, slots=True)
class BuildingScores:
    """Scores of walks through a building, see `score_crossings`, and the beliefs taken over."""

    values: dict[str, Any]
    walks: int  # people times sessions
    beliefs_taken: int


def take_walks(plans: Sequence[CrossingPlan], walks: int) -> list[CrossingPlan]:
    """Return the first plans that have so many people, each counted once per session."""
    taken, count = [], 0
    for plan in plans:
        if count >= walks:
            break
        taken.append(plan)
        count += len(plan.company())
    return taken


def walk_building(
    plans: Sequence[CrossingPlan], graph: bytes | None, *, hand_over_s: float | None = None,
) -> BuildingScores:
    """Let people walk through the twins of all areas, and score where the building has them.

    `graph`: model (ONNX) of all areas; None: particle filters alone. `hand_over_s` replaces the
    default; 0: without a hand-over.
    """
    areas = [plan.area.settings for plan in plans[0].sessions]
    if hand_over_s is None:
        hand_over_s = TwinSettings().hand_over
    rows: list[_PeopleRow] = []
    truth: dict[str, list[GroundTruth]] = {}
    taken = 0
    for plan in plans:
        crossing = simulate_crossing(plan)
        neighbours = [NeighbourBeliefs(area, ParticleFilterSettings(), hand_over_s)
                      for area in areas]
        rows += _replay(areas, crossing, neighbours, graph)
        taken += sum(each.taken for each in neighbours)
        for name, true in crossing.truth.items():
            truth.setdefault(name, []).append(true)
    values = score_crossings(
        list_people(rows), {name: _joined(parts) for name, parts in truth.items()},
        {area.area: room_corners(area) for area in areas},
        {area.area: len(area.ap_positions) for area in areas})
    return BuildingScores(values, sum(map(len, truth.values())), taken)


def _replay(
    areas: Sequence[AreaSettings], crossing: Crossing, neighbours: Sequence[NeighbourBeliefs],
    graph: bytes | None,
) -> Iterator[_PeopleRow]:
    """Step the twins of all areas in order of stamps; yield the people of the building."""
    window = WindowSettings()
    engines = [TwinEngine(area, window, neighbours=own, max_wait_s=REPLAY_WAIT_S)
               for area, own in zip(areas, neighbours, strict=True)]
    if graph is not None:
        for engine in engines:
            engine.deploy(OnnxModel(graph, window))
    people, next_ns, message = BuildingPeople(), 0, 0
    for stamp_ns, number, batch in merge(*(
            _ticks(number, area, session) for number, (area, session) in enumerate(
                zip(areas, crossing.sessions, strict=True)))):
        while next_ns and stamp_ns > next_ns:
            message += 1
            yield from ((message + next_ns, person.subject, person.area, person.stamp_ns,
                         person.position_m[:2]) for person in people.people(next_ns))
            next_ns += PEOPLE_NS
        next_ns = next_ns or stamp_ns + PEOPLE_NS
        found = engines[number].step(batch)
        name = areas[number].area
        people.update_area(name, areas[number].pose_in_map,
                           dict(zip(found.subjects, found.sources, strict=True)), stamp_ns)
        for subject, position, covariance in zip(
                found.subjects, found.position.astype(np.float64),
                found.covariance.astype(np.float64), strict=True):
            people.update_position(name, subject, position, covariance,
                                   stamp_ns=stamp_ns, now_ns=stamp_ns)
        if batch.sequence % BELIEF_TICKS == 0:
            beliefs = engines[number].sure_beliefs(stamp_ns)
            for own in neighbours:
                own.add(beliefs)


def _ticks(
    number: int, area: AreaSettings, session: Session,
) -> Iterator[tuple[int, int, SyncedBatch]]:
    for batch in synchronize(session, modalities=area.modalities, access_points=area.ap_addresses):
        yield batch.stamp_ns, number, batch



def _joined(parts: Sequence[GroundTruth]) -> GroundTruth:
    """Join the truth of one person in several sessions, in order of time."""
    return GroundTruth(*(np.concatenate([getattr(part, name) for part in parts])
                         for name in GroundTruth.__slots__))
