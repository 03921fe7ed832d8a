"""`utt evaluate`: the paper's tables and figures from recordings."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from utt_ros.errors import SettingsError
from utt_ros.evaluation.report.html_report import write_report
from utt_ros.evaluation.results import RESULTS
from utt_ros.evaluation.runner import EvaluationRequest, FinishedUnit, run_evaluation
from utt_ros.evaluation.suites import SUITES

EXAMPLES = """
examples:
  utt evaluate --data sessions --out out/evaluation --suite operations
  utt evaluate --data sessions --out out/evaluation --suite all --seeds 3 --save-predictions

DATA is a folder of bags (imported, recorded or simulated) or recordings in the Vi-Fi layout. A run
that was stopped goes on where it was when it is started again with the same folder.
docs/evaluation.md says what is measured and how.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `utt evaluate`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('--data', type=Path, required=True, metavar='DIR',
                        help='recordings: bags by area, or the Vi-Fi layout')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR',
                        help='where results go; may hold those of a run that was stopped')
    parser.add_argument('--suite', choices=[*SUITES, 'all'], default='all',
                        help='(default: all)')
    parser.add_argument('--model', type=Path, metavar='FILE',
                        help='judge this model (of utt train) where the unified one is trained')
    parser.add_argument('--seeds', type=int, default=1, metavar='N', help='(default: 1)')
    parser.add_argument('--split', choices=['val', 'test'], default='test',
                        help='sequences to judge on (default: test)')
    parser.add_argument('--save-predictions', action='store_true',
                        help='write predictions/*.npz as well')
    parser.add_argument('--jobs', type=int, default=os.cpu_count() or 1, metavar='N',
                        help='processes that work at once (default: one per core)')
    parser.set_defaults(run=evaluate)


def evaluate(options: argparse.Namespace) -> int:
    """Evaluate; exit code 1 when a unit failed. Raises UttError."""
    for name in ('seeds', 'jobs'):
        if getattr(options, name) < 1:
            raise SettingsError(f'--{name} is {getattr(options, name)}: it must be at least 1')
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # its processes end with it
    suites = SUITES if options.suite == 'all' else (options.suite,)
    request = EvaluationRequest(options.data, options.out, suites, options.seeds, options.split,
                      options.model, options.save_predictions)
    failed = run_evaluation(request, options.jobs, _Clock())
    report = write_report(options.out)
    for why in failed:
        print(f'failed: {why}', file=sys.stderr)
    print(f'{options.out / RESULTS}\n{report}')
    return 1 if failed else 0


class _Clock:
    """Tells what is done and how long the rest will take, at the pace so far."""

    def __init__(self) -> None:
        self._begin_s, self._at_begin = time.monotonic(), 0

    def __call__(self, done: FinishedUnit | None, count: int, total: int) -> None:
        if done is None:
            self._at_begin = count
            text = f'{count} of {total} units are there already' if count else f'{total} units'
        else:
            pace = (time.monotonic() - self._begin_s) / (count - self._at_begin)
            left = pace * (total - count)
            state = f'failed, {done.error}' if done.error else f'{done.seconds:.0f} s'
            text = f'{count}/{total} {done.key}: {state}; {left / 60:.0f} min left'
        print(f'evaluate: {text}', file=sys.stderr, flush=True)
