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

"""`utt transfer`, `utt merge`, `utt split`: task twins made from task twins of running areas."""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from math import isnan
from types import FrameType
from typing import Any

from tqdm import tqdm

from utt_ros.cli.twin_areas import add_live_arguments, prepare_reach
from utt_ros.errors import NoAnswer, SettingsError, TwinError
from utt_ros.task_twins.operation_request import (
    OperationOutcome,
    OperationProgress,
    OperationRequest,
)
from utt_ros.task_twins.running_operation import OperationCanceled
from utt_ros.task_twins.twin_tables import channel_table
from utt_ros.task_twins.types import TASKS

DEFAULT_SECONDS = 60.0
EXAMPLES = {
    'transfer': """
examples:
  utt transfer hall_position --to-task trajectory                   a camera that hall has not
  utt transfer hall_trajectory --to-task trajectory --to-area stairs --seconds 0
""",
    'merge': """
examples:
  utt merge hall_tracking hall_trajectory --to-task position
  utt merge hall_position_2 hall_position_3 --max-nmse 0.5
""",
    'split': """
examples:
  utt split hall_trajectory --to-task position tracking
  utt split hall_position_2 --to-area stairs roof
"""}
NOTES = """
The made twins serve at once, in the place of those that served their tasks; `utt twins rollback`
undoes that. Ctrl-C cancels, and everything is as before. Exit codes: 0; 1 when an area refuses or
fails; 130 when canceled. docs/twins.md explains the operations.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the operation by which the parser is named."""
    kind = parser.prog.split()[-1]
    parser.epilog = EXAMPLES[kind] + NOTES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add('sources', nargs='+' if kind == 'merge' else 1, metavar='SOURCE',
        help='id of a task twin, as `utt twins list` shows it')
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
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Carry out the operation: 0, 1 when it is refused or fails, 130 when it is canceled."""
    request = make_request(args)
    try:
        outcome, sentence = operate_live(args, request)
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


def outcome_table(outcome: OperationOutcome) -> list[str]:
    """Return the errors per channel of the made twins, and what they cost."""
    cost = (f'{outcome.seconds:.1f} s, {outcome.windows} windows, '
            f'{outcome.bytes} bytes to other areas')
    return [*channel_table(outcome.twins), cost]


def outcome_content(outcome: OperationOutcome) -> dict[str, Any]:
    """Return the outcome for JSON; null: not judged."""
    return {**asdict(outcome), 'nmse_before': [
        None if isnan(value) else value for value in outcome.nmse_before]}


@contextmanager
def operation_bar() -> Iterator[Callable[[OperationProgress], None]]:
    """Show the progress of an operation on a terminal."""
    with tqdm(unit='step', leave=False, disable=None) as bar:

        def show(progress: OperationProgress) -> None:
            bar.set_description(progress.phase, refresh=False)
            if progress.steps:
                bar.total, bar.n = progress.steps, progress.step
                bar.set_postfix(_postfix(progress), refresh=False)
            bar.refresh()

        yield show


def _postfix(progress: OperationProgress) -> dict[str, str]:
    left = '?' if isnan(progress.seconds_left) else f'{progress.seconds_left:.0f} s'
    return {'loss': f'{progress.loss:.4f}', 'windows': str(progress.windows), 'left': left}


@contextmanager
def stop_request() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns True after Ctrl-C; a second Ctrl-C interrupts."""
    stopped = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    former = {number: signal.signal(number, on_signal)
              for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: stopped
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
