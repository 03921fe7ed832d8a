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

"""`utt bench compression`: error and bytes of compressed federations."""

import argparse
import os
from pathlib import Path

from tqdm import tqdm

from utt_ros.cli.argument_limits import check_arguments
from utt_ros.evaluation.association.live_replay import read_recordings
from utt_ros.evaluation.benchmarks.attacks import (
    MEAN,
    MIN_AREAS,
    RULES,
    PoisonedFederations,
    PoisoningPlan,
    simulated_federations,
)
from utt_ros.evaluation.benchmarks.compression_cost import compression_table, measure_compression
from utt_ros.federation.compression import SCHEMES

LIMITS = {'areas': (MIN_AREAS, 64), 'rounds': (2, 1000)}


def configure_compression(benches: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command and its arguments."""
    text = 'bytes and errors of compressed updates and models, relative to plain ones'
    parser = benches.add_parser('compression', help=text, description=f'Measure {text}.')
    parser.set_defaults(run=_compression)
    parser.add_argument('--data', type=Path, metavar='DIR',
                        help='recordings instead of simulated areas')
    parser.add_argument('--areas', type=int, default=4, metavar='N',
                        help='simulated areas, the last without a camera (default %(default)s)')
    parser.add_argument('--rounds', type=int, default=30, metavar='N',
                        help='rounds of a federation (default %(default)s)')
    parser.add_argument('--rule', choices=RULES, default=MEAN,
                        help=f'of {", ".join(RULES)} (default %(default)s)')
    parser.add_argument('--only', nargs='+', choices=SCHEMES, default=SCHEMES,
                        metavar='COMPRESSION', help=f'subset of {", ".join(SCHEMES)}')
    parser.add_argument('--seeds', type=int, nargs='+', default=[1, 2, 3, 4, 5], metavar='SEED',
                        help='(default 1 2 3 4 5)')


def _compression(args: argparse.Namespace) -> int:
    check_arguments(args, LIMITS)
    plan = PoisoningPlan(areas=args.areas, rounds=args.rounds)

    def make(seeded: PoisoningPlan) -> PoisonedFederations:
        if args.data is None:
            return simulated_federations(seeded)
        return PoisonedFederations(read_recordings(args.data, None), seeded)

    measured = measure_compression(make, plan, args.rule, args.only, args.seeds)
    total = len(args.seeds) * (1 + len(args.only))
    print(compression_table(list(tqdm(measured, total=total, unit='federation', disable=None))))
    print(f'{args.rule}, {args.rounds} rounds, {len(args.seeds)} seeds, '
          f'machine load {os.getloadavg()[0]:.1f}')
    return 0
