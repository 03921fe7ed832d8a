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

"""`utt bench building`: people who walk through three areas, with and without a hand-over."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from utt_ros.cli.argument_limits import check_arguments
from utt_ros.evaluation.building_walks import BuildingScores, take_walks, walk_building
from utt_ros.models.model_card import load_model
from utt_ros.models.onnx_export import export_onnx
from utt_ros.sessions.simulator.crossing import plan_crossings
from utt_ros.text_table import align_columns

AREAS = 3
MAX_WALKS = 1000
HEAD = ('hand-over', 'walks', 'beliefs taken', 'rooms entered', 'ids kept', 'counted twice',
        'median [m]', 'p90 [m]')


def configure_building(benches: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command and its arguments."""
    text = ('simulated walks through three areas, two with cameras that overlap and one without: '
            'ids kept, people counted twice, position error')
    building = benches.add_parser('building', help=text, description=f'Measure {text}.')
    building.set_defaults(run=_building)
    building.add_argument('--walks', type=int, default=20, metavar='N',
                          help='at least so many (default %(default)s)')
    building.add_argument('--access-points', type=int, default=3, metavar='N',
                          help='access points per area (default %(default)s)')
    building.add_argument('--model', type=Path, metavar='FILE',
                          help='model of utt train; without it particle filters alone')
    building.add_argument('--seed', type=int, default=100, help='(default %(default)s)')


def _building(args: argparse.Namespace) -> int:
    check_arguments(args, {'walks': (1, MAX_WALKS)})
    graph = None if args.model is None else export_onnx(load_model(args.model)[0])
    plans = take_walks(plan_crossings(
        AREAS, max(3.0, args.walks), args.seed, [f'area{AREAS - 1}'], args.access_points),
        args.walks)
    rows = [_row(name, walk_building(plans, graph, hand_over_s=age_s))
            for name, age_s in (('with', None), ('without', 0.0))]
    print('\n'.join(align_columns(HEAD, rows, indent='')))
    return 0


def _row(name: str, scores: BuildingScores) -> Sequence[str]:
    values = scores.values
    (errors,) = values['access_points'].values()
    kept = values['ids_kept']
    return (name, str(scores.walks), str(scores.beliefs_taken), str(values['handovers']),
            '-' if kept is None else f'{100 * kept:.0f} %', str(values['double_counted']),
            f'{errors["median"]:.2f}', f'{errors["p90"]:.2f}')
