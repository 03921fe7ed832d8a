"""`utt run`: the graph of the launch files as processes, for machines without `launch`."""

import argparse
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType

from utt_ros.errors import SettingsError
from utt_ros.orchestration.arguments import (
    AREA_ARGUMENTS,
    FEDERATION_ARGUMENTS,
    LOG_LEVELS,
    LaunchArguments,
    plan_area,
    plan_federation,
)
from utt_ros.orchestration.environment import prepare_plan, shared_file
from utt_ros.orchestration.graph import DEFAULT_STATE, LaunchPlan, graph_nodes
from utt_ros.orchestration.spec import process_spec
from utt_ros.orchestration.supervisor import Supervisor

PROFILES = 'FASTRTPS_DEFAULT_PROFILES_FILE'

EXAMPLES = """\
examples:
  utt simulate --out sessions --areas 3 --minutes 5   make recordings, when there are none
  utt run --bag sessions/area1/000                    replay one into its area
  utt run --sessions sessions --loop --rviz           replay them all: areas and their aggregator
  utt run hall.yaml                                   one area with its own sensors, on its own
  utt run hall.yaml --federated                       the same, with an aggregator elsewhere
  utt run hall.yaml stairs.yaml --record evening      two areas, their aggregator and a recorder

An area file says where the camera and the access point are, and which drivers read its sensors:
copy config/area.yaml. `utt sources` lists what there is, `utt check AREA` tries what is set.
Ctrl-C stops everything; a second Ctrl-C stops it at once.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `utt run`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.set_defaults(run=run)
    add = parser.add_argument
    add('areas', nargs='*', type=Path, metavar='AREA', help='area file, or a folder that has one')
    source = parser.add_mutually_exclusive_group()
    source.add_argument('--sessions', type=Path, metavar='DIR',
                        help='replay every recording of every area in this folder')
    source.add_argument('--bag', type=Path, nargs='+', default=[], metavar='BAG',
                        help='replay these recordings into one area')
    learn = parser.add_mutually_exclusive_group()
    learn.add_argument('--federated', action='store_true', default=None,
                       help='areas learn together (default for several areas)')
    learn.add_argument('--standalone', action='store_false', dest='federated',
                       help='each area learns alone (default for one)')
    add('--aggregator', action=argparse.BooleanOptionalAction,
        help='start the aggregator here (default for several federated areas)')
    add('--aggregator-file', type=Path, metavar='FILE', help='its parameters')
    add('--state', type=Path, default=DEFAULT_STATE, metavar='DIR',
        help=f'where models and rounds are kept (default {DEFAULT_STATE})')
    add('--record', type=Path, metavar='DIR', help='new bag of what the areas say')
    add('--rviz', action='store_true', help='show the areas in RViz')
    add('--rate', type=float, default=1.0, help='speed of the replay (default 1)')
    add('--start-offset', type=float, default=0.0, metavar='SEC', help='where the replay starts')
    add('--loop', action='store_true', help='replay again and again')
    add('--loopback-only', action='store_true',
        help='open no DDS port to other machines, see config/fastdds_localhost.xml')
    add('--log-level', choices=LOG_LEVELS, default='info', help='default info')
    add('--log-dir', type=Path, metavar='DIR', help='a file of output per node as well')


def run(options: argparse.Namespace) -> int:
    """Run until Ctrl-C or the end of the replay (0), or the death of an essential node (1)."""
    plan, remarks = prepare_plan(plan_of(options))
    for remark in remarks:
        print(f'utt: {remark}', file=sys.stderr)
    if options.loopback_only:
        os.environ[PROFILES] = str(shared_file('config/fastdds_localhost.xml'))
    specs = [process_spec(node) for node in graph_nodes(plan)]
    return watch(Supervisor(specs, log_dir=options.log_dir))


def plan_of(options: argparse.Namespace) -> LaunchPlan:
    """Make a plan from options, as the launch files do from theirs."""
    if options.bag:
        plan = _replayed_area(options)
    elif options.areas or options.sessions:
        areas = _words(options.areas or [options.sessions])
        plan = plan_federation(_values(
            options, FEDERATION_ARGUMENTS, areas=areas, replay=str(bool(options.sessions))))
    else:
        raise SettingsError(f'give area files, --sessions DIR or --bag BAG\n\n{EXAMPLES}')
    several = len(plan.areas) > 1
    federated = _default(options.federated, several or bool(options.aggregator))
    aggregator = _default(options.aggregator, several and federated)
    if aggregator and not federated:
        raise SettingsError('--standalone areas have no aggregator')
    return replace(plan, federated=federated, aggregator=aggregator)


def watch(processes: Supervisor) -> int:
    """Run processes until they are over or somebody asks for the end; return the exit code."""
    def ask(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # the next one is impatient
        processes.end()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    with processes:
        processes.wait()
        failure = processes.failure
    if failure:
        print(f'utt run: stopped because {failure}', file=sys.stderr)
    return 1 if failure else 0


def _replayed_area(options: argparse.Namespace) -> LaunchPlan:
    if len(options.areas) > 1:
        raise SettingsError('--bag replays into one area: give one area file, or none')
    file = _words(options.areas)
    return plan_area(_values(options, AREA_ARGUMENTS, bag=_words(options.bag), params_file=file))


def _default(given: bool | None, default: bool) -> bool:
    return default if given is None else given


def _values(
    options: argparse.Namespace, arguments: LaunchArguments, **given: str,
) -> dict[str, str]:
    """LaunchArguments of a launch file, filled with what the options say."""
    values = {name: default for name, (default, _) in arguments.items()}
    values.update(
        given, state_dir=str(options.state), rviz=str(options.rviz), loop=str(options.loop),
        record=str(options.record or ''), rate=str(options.rate),
        start_offset=str(options.start_offset), log_level=options.log_level,
    )
    if 'aggregator_file' in arguments:
        values['aggregator_file'] = str(options.aggregator_file or '')
    return values


def _words(paths: list[Path]) -> str:
    return ','.join(str(path) for path in paths)
