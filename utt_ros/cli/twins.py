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

"""`utt twins`: task twins of running areas, of a state folder, or of a model file."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from utt_ros.cli.twin_areas import add_live_arguments, connect
from utt_ros.cli.twin_import import configure_import, run_import
from utt_ros.errors import NoAnswer, SettingsError, TwinError
from utt_ros.files import write_atomically
from utt_ros.task_twins.lineage import (
    Lineage,
    lineage_content,
    lineage_dot,
    lineage_tree,
    trace_lineage,
)
from utt_ros.task_twins.registry_file import stored_twins
from utt_ros.task_twins.registry_folder import MODEL_SUFFIX
from utt_ros.task_twins.twin_files import twin_in_model
from utt_ros.task_twins.twin_tables import twin_description, twin_table, twins_content
from utt_ros.task_twins.types import TaskTwin, find_twin

EXAMPLES = """
examples:
  utt twins list                              all task twins of the running areas
  utt twins show hall_trajectory_2            its record, and its error per channel
  utt twins lineage --figure lineage.svg      a tree of operations, and its picture
  utt twins pause hall_trajectory_2           takes it out of service; resume puts it back
  utt twins rollback hall_trajectory_2        returns to what it replaced
  utt twins export hall_trajectory_2 it.safetensors     its model, for `utt run --model`
  utt twins import it.safetensors --area stairs         another area takes it in
  utt twins list --state ~/.ros/utt_ros      of areas that are not running

`utt twins VERB --help` lists the options of a verb. Exit code 1: an area refused the request, or
none answered. docs/twins.md explains task twins.
"""


class TwinVerb(NamedTuple):
    """Verb of `utt twins`: help text, function that adds its arguments, function that runs it."""

    text: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verbs of `utt twins`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    verbs = parser.add_subparsers(dest='verb', required=True, metavar='VERB')
    for name, verb in TWIN_VERBS.items():
        subparser = verbs.add_parser(
            name, help=verb.text, description=f'{verb.text[0].upper()}{verb.text[1:]}.')
        verb.configure(subparser)
        subparser.set_defaults(carry_out=verb.run)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry out one verb: 0, or 1 when an area refuses it or does not answer."""
    try:
        args.carry_out(args)
    except (NoAnswer, TwinError) as err:
        print(f'utt twins: {err}', file=sys.stderr)
        return 1
    return 0


def _add_id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('id', metavar='ID', help='of a task twin, as `utt twins list` shows it')
    add_live_arguments(parser)


def _add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    add_live_arguments(parser)
    parser.add_argument('--state', type=Path, metavar='DIR',
                        help='read the state folder of `utt run`, or of a trainer, instead')
    parser.add_argument('--json', action='store_true', help='print JSON')


def _configure_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--area', default='', metavar='AREA', help='only those of one area')
    _add_reading_arguments(parser)


def _configure_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('id', metavar='ID|FILE', help=f'of a task twin, or its {MODEL_SUFFIX}')
    _add_reading_arguments(parser)


def _configure_lineage(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('id', nargs='?', default='', metavar='ID',
                        help='only its ancestors and descendants (default: all)')
    parser.add_argument('--figure', type=Path, metavar='FILE',
                        help='also draw it: .svg, .png, or .dot for Graphviz')
    _add_reading_arguments(parser)


def _list(args: argparse.Namespace) -> None:
    twins = _read_twins(args, args.area)
    _print(args, twins_content(twins.values()), twin_table(twins.values()))


def _show(args: argparse.Namespace) -> None:
    twin = (twin_in_model(Path(args.id)) if args.id.endswith(MODEL_SUFFIX)
            else find_twin(_read_twins(args), args.id))
    _print(args, twins_content([twin])[0], twin_description(twin))


def _lineage(args: argparse.Namespace) -> None:
    lineage = trace_lineage(_read_twins(args).values(), args.id)
    if args.figure:
        _draw(args.figure, lineage)
    _print(args, lineage_content(lineage), lineage_tree(lineage))


def _draw(path: Path, lineage: Lineage) -> None:
    if path.suffix == '.dot':
        try:
            write_atomically(path, lineage_dot(lineage).encode())
        except OSError as err:
            raise TwinError(f'{path} cannot be written: {err}') from err
    else:
        from utt_ros.task_twins.lineage_figure import (  # noqa: PLC0415 - matplotlib
            draw_lineage,
        )
        draw_lineage(path, lineage)


def _configure_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('id', metavar='ID', help='of a task twin, as `utt twins list` shows it')
    parser.add_argument('file', type=Path, metavar='FILE',
                        help=f'to write, such as twin{MODEL_SUFFIX}')
    add_live_arguments(parser)


def _export(args: argparse.Namespace) -> None:
    check_output(args.file)
    with connect(args) as areas:
        received = areas.read_model(args.id)
    from utt_ros.training.twin_models import TwinModel, model_writer  # noqa: PLC0415 - torch

    try:
        model_writer(TwinModel(*received))(args.file)
    except OSError as err:
        raise SettingsError(f'{args.file} cannot be written: {err}') from err
    print(f'{args.file}: model of {args.id}, round {received.twin.model.round}')


def check_output(path: Path) -> None:
    """Raise SettingsError for a path to which no model can be written."""
    if path.suffix != MODEL_SUFFIX or not path.absolute().parent.is_dir():
        raise SettingsError(
            f'{path} must be the name of a {MODEL_SUFFIX} file in an existing folder')


def _manage(args: argparse.Namespace) -> None:
    with connect(args) as areas:
        print(areas.manage(args.verb, args.id)[1])


def _read_twins(args: argparse.Namespace, area: str = '') -> dict[str, TaskTwin]:
    if args.state:
        return stored_twins(args.state, area)
    with connect(args) as areas:
        twins = areas.twins(area)
        for name, problem in areas.problems.items():
            print(f'utt twins: the task twins of {name!r} cannot be read: {problem}',
                  file=sys.stderr)
    return twins


def _print(args: argparse.Namespace, content: object, lines: Sequence[str]) -> None:
    print(json.dumps(content, indent=2) if args.json else '\n'.join(lines))


TWIN_VERBS = {
    'list': TwinVerb('list task twins, with status and error', _configure_list, _list),
    'show': TwinVerb('print all that is known of one task twin', _configure_show, _show),
    'lineage': TwinVerb('print the operations by which task twins were made from one another',
                        _configure_lineage, _lineage),
    'pause': TwinVerb('take a task twin out of service', _add_id, _manage),
    'resume': TwinVerb('put a paused task twin in service', _add_id, _manage),
    'pin': TwinVerb('fix a task twin to the current model of its area', _add_id, _manage),
    'unpin': TwinVerb('have a pinned task twin follow the model of its area again', _add_id,
                      _manage),
    'rollback': TwinVerb('return to the former model of a task twin or, without one, to the '
                         'task twin that it replaced', _add_id, _manage),
    'remove': TwinVerb('retire a task twin for good: its model is removed, its record stays',
                       _add_id, _manage),
    'export': TwinVerb('write the model of a task twin, with its record, to a file',
                       _configure_export, _export),
    'import': TwinVerb('hand a model file to a running area, which judges and serves it',
                       configure_import, run_import),
}
