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

"""A building: people of all areas in the frame `map`, each of them once, and the floor plan."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic_ns

from nav_msgs.msg import OccupancyGrid
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from visualization_msgs.msg import MarkerArray

from utt_ros.bridge.messages.building_people import people_to_message, person_markers
from utt_ros.bridge.messages.floor_plan_grid import floor_plan_to_message
from utt_ros.bridge.node.area_positions import AreaPositions
from utt_ros.bridge.node.diagnostics import Diagnostics
from utt_ros.bridge.node.host_clocks import HostClocks
from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import RELIABLE, STATE
from utt_ros.building.floor_plan import FloorPlan, read_floor_plan
from utt_ros.building.located_people import BuildingPeople, BuildingPerson
from utt_ros.msg import People

PEOPLE_SEC = 0.1
DRAWN_TICKS = 2  # of PEOPLE_SEC between markers
GRAPH_SEC = 0.5  # between looks at the topics of the areas
CLOCK_SEC = 2.0  # between requests for the time of an area's host
MAX_CLOCK_OFFSET_SEC = 0.1  # in which somebody walks 0.15 m


class BuildingNode(Node):
    """Publishes the people of all areas that it finds, whatever their hosts."""

    def __init__(self, floor_plan: FloorPlan | None = None) -> None:
        super().__init__('building')
        prefix = self.get_namespace().rstrip('/').rpartition('/')[0]
        self._people = BuildingPeople()
        self._inputs = AreaPositions(self, self._people, prefix, monotonic_ns)
        self._clocks = HostClocks(self)
        self._output = self.create_publisher(People, '/utt/people', RELIABLE)
        self._markers = self.create_publisher(MarkerArray, '/utt/building_markers', RELIABLE)
        self._located: tuple[BuildingPerson, ...] = ()
        self._drawn: frozenset[str] = frozenset()
        self._ticks = 0
        if floor_plan is not None:
            self._floor = self.create_publisher(OccupancyGrid, '/map', STATE)
            self._floor.publish(
                floor_plan_to_message(floor_plan, self.get_clock().now().to_msg()))
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(PEOPLE_SEC, self._publish, clock=steady)
        self.create_timer(GRAPH_SEC, self._inputs.refresh, clock=steady)
        self.create_timer(
            CLOCK_SEC, lambda: self._clocks.refresh(self._inputs.areas), clock=steady)
        self._diagnostics = Diagnostics(self, 'building', self._values)

    def _publish(self) -> None:
        self._located = self._people.people(monotonic_ns())
        stamp = self.get_clock().now().to_msg()
        self._output.publish(people_to_message(self._located, stamp))
        self._ticks += 1
        if self._ticks % DRAWN_TICKS or not self._markers.get_subscription_count():
            return
        shown = frozenset(person.subject for person in self._located)
        self._markers.publish(person_markers(self._located, stamp, sorted(self._drawn - shown)))
        self._drawn = shown

    def _values(self) -> Mapping[str, object]:
        inputs, contradictions = self._inputs, self._people.contradictions
        refused = inputs.refused or inputs.topics_refused
        offsets = {inputs.areas[root]: offset for root, offset in self._clocks.offsets.items()
                   if root in inputs.areas}
        wrong = [f'the clock of the host of {area} is {abs(offset.offset_s):.2f} s '
                 f'{"ahead of" if offset.offset_s > 0 else "behind"} that of this host'
                 for area, offset in offsets.items() if offset.exceeds(MAX_CLOCK_OFFSET_SEC)]
        return {
            'level': 'warn' if contradictions or refused or wrong else 'ok',
            'message': '; '.join([*contradictions, *wrong]),
            'clock_offsets': '; '.join(
                f'{area} {1e3 * offset.offset_s:+.1f} ms within {1e3 * offset.bound_s:.1f}'
                for area, offset in sorted(offsets.items())),
            'areas': ' '.join(self._people.areas),
            'people': len(self._located),
            'people_in_several_areas': sum(len(person.areas) > 1 for person in self._located),
            'people_contradicted': len(contradictions),
            'positions_refused': inputs.refused,
            'topics_refused': inputs.topics_refused,
        }


def main(args: Sequence[str] | None = None) -> int:
    """Publish until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog='building', description=__doc__)
    parser.add_argument('--floor-plan', type=Path, metavar='FILE',
                        help='YAML file of a floor plan, as that of map_server, for /map')

    def make(given: argparse.Namespace) -> BuildingNode:
        return BuildingNode(read_floor_plan(given.floor_plan) if given.floor_plan else None)

    return run_node(make, args, parser=parser)


if __name__ == '__main__':
    sys.exit(main())
