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

"""`utt simulate`: sessions of simulated people and sensors."""

import argparse
from pathlib import Path

from tqdm import tqdm

from utt_ros.errors import SessionError
from utt_ros.sessions.session_bags import write_area, write_session
from utt_ros.sessions.simulator.crossing import (
    CrossingPlan,
    plan_crossings,
    simulate_crossing,
)
from utt_ros.sessions.simulator.drawn_plan import write_floor_plan
from utt_ros.sessions.simulator.known_errors import SIMULATED_BELIEF
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session

EXAMPLES = """
examples:
  utt simulate --out sessions --areas 3 --minutes 4 --seed 1
  utt simulate --out sessions --areas 3 --minutes 4 --seed 1 --without-camera area2
  utt simulate --out sessions --access-points 3
  utt simulate --out sessions --areas 3 --access-points 1 2 4
  utt simulate --out sessions --areas 3 --crossing

Areas are named area0, area1, ...; the same seed gives the same bytes. docs/simulator.md describes
the models and the sources of their numbers.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `utt simulate`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('--out', type=Path, required=True, metavar='DIR',
                        help='folder for the bags; it must be empty or not exist')
    parser.add_argument('--areas', type=int, default=3, metavar='N',
                        help='number of areas (default: 3)')
    parser.add_argument('--minutes', type=float, default=4.0, metavar='M',
                        help='minutes per area, in sessions of a minute (default: 4)')
    parser.add_argument('--seed', type=int, default=0, metavar='S',
                        help='seed of all random numbers (default: 0)')
    parser.add_argument('--without-camera', nargs='+', default=[], metavar='AREA',
                        help='areas without a camera')
    parser.add_argument('--access-points', type=int, nargs='+', default=[1], metavar='N',
                        help='access points of each area: one number, or one per area '
                        '(default: 1)')
    parser.add_argument('--crossing', action='store_true',
                        help='people who walk from area to area, at the same time in all of them')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Simulate and write sessions. Raises UttError."""
    points = args.access_points
    numbers = (args.areas, args.minutes, args.seed, args.without_camera,
               points[0] if len(points) == 1 else points)
    sessions = plan_sessions(*numbers)
    if args.out.exists() and any(args.out.iterdir()):
        raise SessionError(f'{args.out} is not empty: sessions of two runs would be mixed')
    if args.crossing:
        crossings = plan_crossings(*numbers)
        for crossing in tqdm(crossings, disable=None):
            write_crossing(crossing, args.out)
        write_floor_plan([each.area.settings for each in crossings[0].sessions], args.out)
    else:
        for plan in tqdm(sessions, unit='session', disable=None):
            area = plan.area.settings
            write_area(
                area, args.out / area.area, shares_people=False, belief=SIMULATED_BELIEF)
            write_session(simulate_session(plan), area, args.out / area.area / plan.name)
    print(f'{len(sessions)} sessions of {args.areas} areas: {args.out}')
    return 0


def write_crossing(plan: CrossingPlan, out: Path) -> None:
    """Simulate one session of all areas of a building, and write those that measured anybody."""
    crossing = simulate_crossing(plan)
    for of_area, session in zip(plan.sessions, crossing.sessions, strict=True):
        area = of_area.area.settings
        write_area(area, out / area.area, belief=SIMULATED_BELIEF)
        if session.phones:
            write_session(session, area, out / area.area / plan.name)
