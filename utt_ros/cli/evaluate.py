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

"""`utt evaluate`: tables and figures of the paper on recordings."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from utt_ros.errors import SettingsError
from utt_ros.evaluation.suites import SUITES
from utt_ros.orchestration.arguments import PRETRAINED, model_file
from utt_ros.text_table import align_columns

if TYPE_CHECKING:
    from utt_ros.evaluation.unit_worker import FinishedUnit, UnitExecutor

PRINTED_METRICS = (
    'nmse_var', 'nmse_var_to_ridge', 'nmse_var_to_best_source', 'nmse_var_informative',
    'nmse_var_to_best_rival', 'nmse_var_to_all_windows', 'windows_to_scratch', 'median_m',
    'ade_m')
EXAMPLES = """
examples:
  utt evaluate --data sessions --out out/evaluation --suite operations
  utt evaluate --data sessions --out out/evaluation --suite all --seeds 3 --save-predictions
  utt evaluate --data elsewhere --out out/elsewhere --suite operations --model model.safetensors
  utt evaluate --data sessions --out out/evaluation --suite all --seeds 5 --ray head:6379

DATA is a folder of bags (imported, recorded or simulated) or recordings in the Vi-Fi layout. A run
that was stopped continues when it is started again with the same output folder. Data without a
train split can be evaluated with --model: methods that would have to be trained are left out. The
metrics are defined in docs/evaluation.md.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `utt evaluate`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('--data', type=Path, action='append', required=True, metavar='DIR',
                        help='recordings: bags by area, or the Vi-Fi layout; may be repeated')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR',
                        help='folder of the results; that of a stopped run is continued')
    parser.add_argument('--suite', choices=[*SUITES, 'all'], default='all',
                        help='(default: all)')
    parser.add_argument('--model', type=model_file, metavar='FILE',
                        help=f'model of utt train, or {PRETRAINED}, to evaluate instead of '
                        'training the unified one')
    parser.add_argument('--seeds', type=int, default=1, metavar='N', help='(default: 1)')
    parser.add_argument('--split', choices=['val', 'test'], default='test',
                        help='evaluated sequences (default: test)')
    parser.add_argument('--save-predictions', action='store_true',
                        help='also write predictions/*.npz')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1, metavar='N',
                        help='parallel processes (default: one per core)')
    parser.add_argument('--ray', nargs='?', const='', metavar='ADDRESS',
                        help='run on the Ray cluster with this HOST:PORT, all its cores; without '
                        'an address on one of this machine, with --jobs')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the suites; return 1 when a unit failed. Raises UttError."""
    for name in ('seeds', 'jobs'):
        if getattr(args, name) < 1:
            raise SettingsError(f'--{name} is {getattr(args, name)}: it must be at least 1')
    # These import optional packages, without which --help must work.
    from utt_ros.evaluation.report.html_report import write_report  # noqa: PLC0415
    from utt_ros.evaluation.results import RESULTS  # noqa: PLC0415
    from utt_ros.evaluation.runner import run_evaluation  # noqa: PLC0415
    from utt_ros.evaluation.unit_worker import EvaluationRequest  # noqa: PLC0415

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends its child processes, too
    suites = SUITES if args.suite == 'all' else (args.suite,)
    request = EvaluationRequest(
        tuple(args.data), args.out, suites, args.seeds, args.split, args.model,
        args.save_predictions)
    failed = run_evaluation(request, _executor(args), _ProgressPrinter())
    report = write_report(args.out)
    for reason in failed:
        print(f'failed: {reason}', file=sys.stderr)
    print(*_result_lines(args.out, suites), sep='\n')
    print(f'{args.out / RESULTS}\n{report}')
    return 1 if failed else 0


def _executor(args: argparse.Namespace) -> 'UnitExecutor':
    from utt_ros.evaluation.process_pool import run_in_processes  # noqa: PLC0415 - as in run()
    from utt_ros.evaluation.ray_cluster import run_on_ray  # noqa: PLC0415 - as in run()

    if args.ray is None:
        return partial(run_in_processes, jobs=args.jobs)
    return partial(run_on_ray, address=args.ray, jobs=args.jobs)


def _result_lines(folder: Path, suites: Sequence[str]) -> list[str]:
    """Return a table of the main metric of each operation and task, direction by direction."""
    from utt_ros.evaluation.report.seed_statistics import (  # noqa: PLC0415 - as in run()
        as_cell,
        seed_statistics,
    )
    from utt_ros.evaluation.results import read_results  # noqa: PLC0415

    statistics = seed_statistics(read_results(folder))
    shown = statistics[statistics['metric'].isin(PRINTED_METRICS)
                       & statistics['suite'].isin(suites)]
    ordered = shown.sort_values(['suite', 'operation', 'target', 'sources', 'method'])
    return align_columns(
        ('operation', 'sources', 'target', 'method', 'metric', 'value', 'samples'),
        [(row.operation, row.sources, row.target, row.method, row.metric, str(as_cell(row)),
          str(row.n_windows)) for row in ordered.itertuples()], left=5)


class _ProgressPrinter:
    """Progress lines with the remaining time, extrapolated from the units so far."""

    def __init__(self) -> None:
        self._begin_s, self._initial = time.monotonic(), 0

    def __call__(self, done: 'FinishedUnit | None', count: int, total: int) -> None:
        if done is None:
            self._initial = count
            text = f'{count} of {total} units are complete already' if count else f'{total} units'
        else:
            unit_s = (time.monotonic() - self._begin_s) / (count - self._initial)
            remaining_s = unit_s * (total - count)
            state = f'failed, {done.error}' if done.error else f'{done.seconds:.0f} s'
            place = f' on {done.place}' if done.place else ''
            text = f'{count}/{total} {done.key}{place}: {state}; {remaining_s / 60:.0f} min left'
        print(f'evaluate: {text}', file=sys.stderr, flush=True)
