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

"""`utt bench faults`: kills, hostile input, lost resources and time, against what is promised."""

import argparse
import json
import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from utt_ros.errors import SettingsError, UttError
from utt_ros.evaluation.benchmarks.fault_checks import CHECKS, run_checks
from utt_ros.evaluation.benchmarks.promises import (
    FaultPlan,
    promise_table,
    promises_as_json,
    read_shard,
)
from utt_ros.files import write_atomically

MAX_SOAK_SEC = 7 * 86_400.0


def configure_faults(benches: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command and its arguments."""
    text = 'kills, hostile input, full disks and a soak: which promises are kept'
    faults = benches.add_parser(
        'faults', help=text, description=f'Measure {text}. The exit code is 1 when one is broken.')
    faults.set_defaults(run=_faults)
    faults.add_argument('--only', nargs='+', choices=CHECKS, default=list(CHECKS),
                        metavar='CHECK', help=f'subset of {", ".join(CHECKS)}')
    faults.add_argument('--short', action='store_true',
                        help='a small part of each count: minutes instead of hours')
    faults.add_argument('--soak', type=_soak_sec, default=FaultPlan(Path()).soak_sec,
                        metavar='SECONDS', help='length of the soak (default %(default)g)')
    faults.add_argument('--shard', type=_shard, default=(0, 1), metavar='I/N',
                        help='part I of N of all counts, on one of N machines')
    faults.add_argument('--seed', type=int, default=7, help='(default %(default)s)')
    faults.add_argument('--domain', type=int, default=96,
                        help='unused ROS domain (default %(default)s)')
    faults.add_argument('--json', type=Path, metavar='FILE', help='write the results to a file')
    faults.add_argument('--logs', type=Path, metavar='DIR',
                        help='new folder for recordings, states and logs, which is kept')


def _faults(args: argparse.Namespace) -> int:
    os.environ['ROS_DOMAIN_ID'] = str(args.domain)
    plan = FaultPlan(Path(), args.seed, args.short, args.shard, args.soak)
    with TemporaryDirectory(prefix='utt_faults_') as temporary:
        folder = args.logs or Path(temporary)
        if args.logs and folder.exists():
            raise UttError(f'{folder} exists: name a new folder')
        folder.mkdir(parents=True, exist_ok=True)
        plan = replace(plan, folder=folder.absolute())
        results = list(run_checks(args.only, plan, partial(print, file=sys.stderr)))
    print(promise_table(results))
    if args.json:
        text = json.dumps(promises_as_json(plan, results), indent=1)
        write_atomically(args.json, text.encode())
    return int(any(item.kept is False for item in results))


def _shard(text: str) -> tuple[int, int]:
    try:
        return read_shard(text)
    except SettingsError as err:
        raise argparse.ArgumentTypeError(str(err)) from err


def _soak_sec(text: str) -> float:
    value = float(text)
    if not 0.0 < value <= MAX_SOAK_SEC:
        raise argparse.ArgumentTypeError(f'{text}: it must be within 0..{MAX_SOAK_SEC:g}')
    return value


_soak_sec.__name__ = 'number'
