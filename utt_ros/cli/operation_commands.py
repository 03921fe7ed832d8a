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

"""`utt transfer`, `utt merge`, `utt split`: task twins made from others, live and offline."""

import argparse
import json
import sys
from pathlib import Path

from utt_ros.cli.operation_output import (
    operation_bar,
    outcome_content,
    outcome_table,
    stop_request,
)
from utt_ros.cli.twin_areas import add_live_arguments, prepare_reach
from utt_ros.errors import NoAnswer, SettingsError, TwinError
from utt_ros.orchestration.arguments import PRETRAINED, model_file
from utt_ros.task_twins.operation_request import OperationOutcome, OperationRequest
from utt_ros.task_twins.registry_folder import MODEL_SUFFIX
from utt_ros.task_twins.running_operation import OperationCanceled
from utt_ros.task_twins.types import TASKS

DEFAULT_SECONDS = 60.0
EXAMPLES = {
    'transfer': """
examples:
  utt transfer hall_position --to-task trajectory                   a camera that hall has not
  utt transfer hall_trajectory --to-task trajectory --to-area stairs --seconds 0
  utt transfer model.safetensors --sources ftm --to-task trajectory --data sessions --area hall \\
      --out trajectory.safetensors
""",
    'merge': """
examples:
  utt merge hall_tracking hall_trajectory --to-task position
  utt merge hall_position_2 hall_position_3 --max-nmse 0.5
  utt merge one.safetensors other.safetensors --data sessions/hall --out better.safetensors
""",
    'split': """
examples:
  utt split hall_trajectory --to-task position tracking
  utt split hall_position_2 --to-area stairs roof
  utt split export.safetensors --to-task position tracking --data sessions/hall --out made
"""}
NOTES = """
The made twins serve at once, in the place of those that served their tasks; `utt twins rollback`
undoes that. With --data, sources are model files and the made ones are written to --out: the test
split judges them, or held-out blocks of time where there is none. Ctrl-C cancels, and everything
is as before. Exit codes: 0; 1 when refused or failed; 130 when canceled; 2 for wrong arguments.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the operation by which the parser is named."""
    kind = parser.prog.split()[-1]
    parser.epilog = EXAMPLES[kind] + NOTES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add('sources', nargs='+' if kind == 'merge' else 1, metavar='SOURCE',
        help=f'id of a task twin, as `utt twins list` shows it; with --data, its {MODEL_SUFFIX} '
             f'or {PRETRAINED}')
    several = '+' if kind == 'split' else 1
    add('--to-task', nargs=several, default=[], choices=TASKS, required=kind == 'transfer',
        help='that is made' + ('' if kind == 'transfer' else ' (default: that of the sources)'))
    add('--to-area', nargs=several, default=[], metavar='AREA',
        help='that takes it in (default: that of the sources)')
    add('--windows', type=int, default=0, metavar='N',
        help='newest windows to fine-tune on (default: all)')
    add('--seconds', type=float, metavar='S',
        help=f'time to fine-tune (default {DEFAULT_SECONDS:g}, or unlimited with --windows); '
             '0 without --windows: no fine-tuning')
    add('--max-nmse', type=float, default=0.0, metavar='X',
        help='largest mean NMSE_var of the result; beyond it nothing changes (default: no limit)')
    add('--json', action='store_true', help='print the outcome as JSON')
    add_live_arguments(parser)
    _add_offline_arguments(parser, kind)
    parser.set_defaults(run=run)


def _add_offline_arguments(parser: argparse.ArgumentParser, kind: str) -> None:
    group = parser.add_argument_group('offline, on saved models and recordings')
    add = group.add_argument
    add('--data', type=Path, metavar='DIR',
        help='recordings: bags by area, those of one area, or one bag')
    add('--out', '-o', type=Path, metavar='FILE',
        help='made model' + ('; a folder for several' if kind == 'split' else ''))
    add('--area', default='', metavar='AREA',
        help='that the recordings are of, where --data has several')
    add('--sources', dest='modalities', default='', metavar='A,B',
        help='modalities through which the models are read (default: those of their task twin)')


def run(args: argparse.Namespace) -> int:
    """Carry out the operation: 0, 1 when it is refused or fails, 130 when it is canceled."""
    args.sources = [str(model_file(name)) for name in args.sources]
    check_mode(args)
    request = make_request(args)
    try:
        outcome, sentence = (operate_live if args.data is None else operate_on_files)(
            args, request)
    except OperationCanceled as err:
        print(f'utt {args.command}: {err}: everything is as it was before', file=sys.stderr)
        return 130
    except (NoAnswer, TwinError) as err:
        print(f'utt {args.command}: {err}', file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps(outcome_content(outcome), indent=2))
    else:
        print('\n'.join([sentence, *outcome_table(outcome)]))
    return 0


def check_mode(args: argparse.Namespace) -> None:
    """Raise SettingsError for arguments of both, live and offline, or of half of one."""
    files = [name for name in args.sources if name.endswith(MODEL_SUFFIX)]
    if args.data is None:
        for name, given in (('--out', args.out), ('--area', args.area),
                            ('--sources', args.modalities), (files[0] if files else '', files)):
            if given:
                raise SettingsError(f'{name} is for work on model files: it needs --data')
    elif args.out is None:
        raise SettingsError('--data is given: --out must name the model to write')
    elif len(files) < len(args.sources):
        other = next(name for name in args.sources if name not in files)
        raise SettingsError(f'{other} is not a {MODEL_SUFFIX} file: --data is for model files')


def make_request(args: argparse.Namespace) -> OperationRequest:
    """Return the operation that the arguments ask for. Raises SettingsError."""
    seconds = args.seconds
    if seconds is None:
        seconds = 0.0 if args.windows else DEFAULT_SECONDS
    try:
        return OperationRequest(
            args.command, tuple(args.sources), tuple(args.to_area), tuple(args.to_task),
            args.windows, seconds, args.max_nmse)
    except TwinError as err:
        raise SettingsError(str(err)) from err


def operate_live(
    args: argparse.Namespace, request: OperationRequest,
) -> tuple[OperationOutcome, str]:
    """Carry out the operation in the running area that owns its sources. Raises UttError."""
    prepare_reach(args)
    from utt_ros.bridge.node.operation_client import (  # noqa: PLC0415 - ROS, not for files
        OperationClient,
    )

    with (OperationClient(args.wait) as areas, operation_bar() as show,
          stop_request() as is_stopped):
        return areas.operate(request, show, is_stopped)


def operate_on_files(
    args: argparse.Namespace, request: OperationRequest,
) -> tuple[OperationOutcome, str]:
    """Carry out the operation on saved models and recordings. Raises UttError."""
    from utt_ros.cli.offline_operation_run import run_offline  # noqa: PLC0415 - torch

    return run_offline(args, request)
