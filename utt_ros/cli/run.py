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

"""`utt run`: the graph of the launch files as processes, for machines without `launch`."""

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from utt_ros.cli.run_reports import (
    REPORT_SEC,
    TABLE_SEC,
    JsonReports,
    can_show_table,
    reporter,
    table_reports,
)
from utt_ros.errors import SettingsError
from utt_ros.orchestration.arguments import (
    AREA_ARGUMENTS,
    FEDERATION_ARGUMENTS,
    LOG_LEVELS,
    PRETRAINED,
    LaunchArguments,
    plan_area,
    plan_federation,
)
from utt_ros.orchestration.bag_arguments import keep_days
from utt_ros.orchestration.discovery import choose_reach, describe_reach
from utt_ros.orchestration.environment import check_inputs, prepare_plan
from utt_ros.orchestration.graph import graph_nodes
from utt_ros.orchestration.heartbeat import HANG_SEC
from utt_ros.orchestration.launch_plan import DEFAULT_STATE, LaunchPlan
from utt_ros.orchestration.output import RunListener
from utt_ros.orchestration.phone_sources import describe_sources
from utt_ros.orchestration.spec import ProcessSpec, process_spec
from utt_ros.orchestration.supervisor import Supervisor

EXAMPLES = """\
examples:
  utt simulate --out sessions --areas 3 --minutes 5   simulate recordings
  utt run --bag sessions/area1/000                    replay one into its area
  utt run --sessions sessions --loop --rviz           replay all areas, with an aggregator
  utt run hall.yaml                                   one area with its own sensors, standalone
  utt run hall.yaml --federated                       the same, with an aggregator elsewhere
  utt run hall.yaml stairs.yaml --record evening      two areas, their aggregator and a recorder
  utt run hall.yaml --json > hall.jsonl               the state of areas for programs
  utt run hall.yaml --model model.safetensors         start from a model of utt train
  utt run hall.yaml --model pretrained                start from the model of the package

An area file holds the geometry of camera and access point and the drivers of the sensors: copy
config/area.yaml. `utt sources` lists sensor sources, `utt check AREA` reads those of an area.
Ctrl-C stops all nodes; a second Ctrl-C kills them.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.set_defaults(run=run)
    add = parser.add_argument
    add('areas', nargs='*', type=Path, metavar='AREA',
        help='area file, or a folder that contains one')
    source = parser.add_mutually_exclusive_group()
    source.add_argument('--sessions', type=Path, metavar='DIR',
                        help='replay every recording of every area in this folder')
    source.add_argument('--bag', type=Path, nargs='+', default=[], metavar='BAG',
                        help='replay these recordings into one area')
    learn = parser.add_mutually_exclusive_group()
    learn.add_argument('--federated', action='store_true', default=None,
                       help='areas train together (default for several areas)')
    learn.add_argument('--standalone', action='store_false', dest='federated',
                       help='each area trains locally (default for one)')
    add('--aggregator', action=argparse.BooleanOptionalAction,
        help='start the aggregator here (default for several federated areas)')
    add('--aggregator-file', type=Path, metavar='FILE', help='parameter file of the aggregator')
    add('--state', type=Path, default=DEFAULT_STATE, metavar='DIR',
        help=f'folder of models and rounds (default {DEFAULT_STATE})')
    add('--model', type=Path, metavar='FILE',
        help=f'model of utt train to start from, where there is no state; {PRETRAINED}: that of '
             'the package (default: untrained)')
    add('--record', type=Path, metavar='DIR', help='new bag of all topics of the areas')
    add('--pictures', action='store_true',
        help='with --record: pictures as well, which show people')
    add('--keep-days', type=keep_days, default=0.0, metavar='DAYS',
        help='with --record: delete the recording after so many days (docs/privacy.md)')
    add('--floor-plan', type=Path, metavar='FILE',
        help='floor plan of the building, a YAML file of map_server (docs/building.md)')
    add('--rviz', action='store_true', help='show the area, or the building of several, in RViz')
    add('--rate', type=float, default=1.0, help='speed of the replay (default 1)')
    add('--start-offset', type=float, default=0.0, metavar='SEC',
        help='start of the replay within the recording')
    add('--loop', action='store_true', help='repeat the replay')
    add('--together', action='store_true',
        help='with --sessions: replay all areas on one clock, as recordings of the same time')
    add('--hosts', default='', metavar='A,B',
        help='machines whose nodes take part; opens DDS, which listens on 127.0.0.1 otherwise')
    add('--loopback-only', action='store_true',
        help='the default, also where the environment opens DDS (docs/security.md)')
    add('--keys', default='', metavar='DIR', help='folder of keys (default: keys in --state)')
    add('--unsigned', action='store_true',
        help='neither sign nor verify updates, models and graphs: anybody can send them')
    add('--log-level', choices=LOG_LEVELS, default='info', help='default info')
    add('--hang-timeout', type=float, default=HANG_SEC, metavar='SEC',
        help='kill and restart a node whose callbacks stand still for this long; 0: never '
             '(default %(default)g)')
    add('--external', action='store_true',
        help='other nodes publish the measurements of areas that have neither drivers nor '
             'recordings; such areas are refused otherwise')
    told = parser.add_mutually_exclusive_group()
    told.add_argument('--quiet', action='store_true',
                      help='neither a table on a terminal nor a line for each area every 10 s')
    told.add_argument('--json', action='store_true',
                      help='on stdout an object for each area every 10 s, and for each event, one '
                           'per line (docs/running.md)')
    add('--log-dir', type=Path, metavar='DIR', help='folder for a log file per node')


def run(args: argparse.Namespace) -> int:
    """Run until Ctrl-C or the end of the replay: 0, or 1 when something essential is down.

    It ends earlier, with 1, when every area, or the aggregator, has ended for good.
    """
    plan = launch_plan(args)
    if not args.external:
        check_inputs(plan)
    plan, remarks = prepare_plan(plan)
    choose_reach(plan.hosts, loopback_only=args.loopback_only)
    for remark in (*remarks, describe_reach(os.environ), *describe_sources(plan)):
        print(f'utt: {remark}', file=sys.stderr)
    specs = [process_spec(node) for node in graph_nodes(plan)]
    with _reports(args) as (listener, reporters):
        return run_supervised(Supervisor(
            [*specs, *reporters], output=sys.stderr, log_dir=args.log_dir,
            hang_sec=plan.hang_sec, listener=listener))


@contextmanager
def _reports(
    args: argparse.Namespace,
) -> Iterator[tuple[RunListener | None, list[ProcessSpec]]]:
    """Choose the form of reports: JSON, none, a table on a terminal, lines elsewhere."""
    if args.json:
        yield JsonReports(sys.stdout), [reporter(REPORT_SEC, as_json=True)]
    elif args.quiet:
        yield None, []
    elif can_show_table():
        with table_reports() as listener:
            yield listener, [reporter(TABLE_SEC, as_json=True)]
    else:
        yield None, [reporter(REPORT_SEC, as_json=False)]


def launch_plan(args: argparse.Namespace) -> LaunchPlan:
    """Return the launch plan of the arguments, as launch files do for theirs."""
    if args.bag:
        plan = _replayed_area(args)
    elif args.areas or args.sessions:
        areas = _words(args.areas or [args.sessions])
        plan = plan_federation(_values(
            args, FEDERATION_ARGUMENTS, areas=areas, replay=str(bool(args.sessions))))
    else:
        raise SettingsError(
            f'no areas: give area files, --sessions DIR or --bag BAG\n\n{EXAMPLES}')
    several = len(plan.areas) > 1
    federated = _default(args.federated, several or bool(args.aggregator))
    aggregator = _default(args.aggregator, several and federated)
    if aggregator and not federated:
        raise SettingsError('--standalone areas have no aggregator')
    return replace(plan, federated=federated, aggregator=aggregator)


def run_supervised(processes: Supervisor) -> int:
    """Run processes until they end, or SIGINT or SIGTERM; return the exit code."""
    def on_signal(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # for the second Ctrl-C
        processes.end()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    with processes:
        processes.wait()
        failure = processes.failure
    if failure:
        print(f'utt run: failed: {failure}', file=sys.stderr)
    return 1 if failure else 0


def _replayed_area(args: argparse.Namespace) -> LaunchPlan:
    if len(args.areas) > 1:
        raise SettingsError('--bag replays into one area: give one area file, or none')
    file = _words(args.areas)
    return plan_area(_values(args, AREA_ARGUMENTS, bag=_words(args.bag), params_file=file))


def _default(given: bool | None, default: bool) -> bool:
    return default if given is None else given


def _values(
    args: argparse.Namespace, arguments: LaunchArguments, **given: str,
) -> dict[str, str]:
    """Return the arguments of a launch file, set from those of the command."""
    values = {name: default for name, (default, _) in arguments.items()}
    values.update(
        given, state_dir=str(args.state), model=str(args.model or ''),
        rviz=str(args.rviz), loop=str(args.loop),
        record=str(args.record or ''), pictures=str(args.pictures),
        keep_days=str(args.keep_days), floor_plan=str(args.floor_plan or ''),
        rate=str(args.rate),
        start_offset=str(args.start_offset), log_level=args.log_level,
        hang_timeout=str(args.hang_timeout),
        hosts=args.hosts, keys=args.keys, signed=str(not args.unsigned),
    )
    if 'aggregator_file' in arguments:
        values |= {'aggregator_file': str(args.aggregator_file or ''),
                   'together': str(args.together)}
    return values


def _words(paths: list[Path]) -> str:
    return ','.join(str(path) for path in paths)
