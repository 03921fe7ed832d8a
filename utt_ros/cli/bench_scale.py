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

"""`utt bench scale`: cost of a round in the aggregator, by number of areas."""

import argparse
import os
from math import log

from utt_ros.errors import SettingsError
from utt_ros.evaluation.benchmarks.aggregation_scale import RoundCost, measure_rounds
from utt_ros.text_table import align_columns

MAX_AREAS = 1024
MIN_MEMORY_MB = 0.1  # less is not told apart from none
HEAD = ('areas', 'receive [s]', 'close [s]', 'memory [MB]', 'status [kB]', 'to a trainer [kB]')


def configure_scale(benches: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command and its arguments."""
    text = 'CPU time, memory and bytes of a round in the aggregator, by number of areas'
    scale = benches.add_parser('scale', help=text, description=f'Measure {text}.')
    scale.set_defaults(run=_scale)
    scale.add_argument('--areas', type=int, nargs='+', default=[4, 16, 64, 256], metavar='N',
                       help='(default 4 16 64 256; each takes 2 MB of memory)')


def _scale(args: argparse.Namespace) -> int:
    for areas in args.areas:
        if not 1 <= areas <= MAX_AREAS:
            raise SettingsError(f'--areas has {areas}: it must be within 1..{MAX_AREAS}')
    costs = measure_rounds(args.areas)
    rows = [(str(cost.areas), f'{cost.receive_s:.3f}', f'{cost.close_s:.3f}',
             f'{cost.memory_mb:.0f}', f'{cost.status_bytes / 1e3:.1f}',
             f'{cost.state_bytes / 1e3:.1f}') for cost in costs]
    print('\n'.join(align_columns(HEAD, rows, indent='')))
    if len(costs) > 1:
        print(_slopes(*costs[-2:]))
    print(f'machine load {os.getloadavg()[0]:.1f}')
    return 0


def _slopes(few: RoundCost, many: RoundCost) -> str:
    """Sentence with the exponents by which costs grow between two numbers of areas."""
    growth = log(many.areas / few.areas)
    pairs = [(few.receive_s, many.receive_s), (few.close_s, many.close_s),
             (max(few.memory_mb, MIN_MEMORY_MB), max(many.memory_mb, MIN_MEMORY_MB))]
    receive, close, memory = (log(after / before) / growth for before, after in pairs)
    return (f'{few.areas} -> {many.areas} areas, exponent: receive {receive:.2f}, '
            f'close {close:.2f}, memory {memory:.2f}')
