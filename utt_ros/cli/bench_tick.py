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

"""`utt bench tick`: computing time of a twin's tick, by part."""

import argparse
import os

import numpy as np

from utt_ros.cli.argument_limits import check_arguments
from utt_ros.evaluation.benchmarks.tick_cost import measure_tick
from utt_ros.text_table import align_columns

PERCENTILES = (50, 90)
LIMITS = {'phones': (1, 1000), 'ticks': (10, 100_000)}


def configure_tick(benches: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command and its arguments."""
    text = "CPU time of a twin's tick, without DDS: positions, trajectories, synthesized IMU"
    tick = benches.add_parser('tick', help=text, description=f'Measure {text}.')
    tick.set_defaults(run=_tick)
    tick.add_argument('--phones', type=int, default=20, help='(default %(default)s)')
    tick.add_argument('--ticks', type=int, default=300, help='(default %(default)s)')


def _tick(args: argparse.Namespace) -> int:
    check_arguments(args, LIMITS)
    spent_ms = measure_tick(args.phones, args.ticks)
    rows = [(name, *(f'{value:.2f}' for value in np.percentile(values, PERCENTILES)))
            for name, values in spent_ms.items()]
    head = ('CPU time [ms]', *(f'p{share}' for share in PERCENTILES))
    print('\n'.join(align_columns(head, rows, indent='')))
    print(f'{args.phones} phones, {args.ticks} ticks, machine load {os.getloadavg()[0]:.1f}')
    return 0
