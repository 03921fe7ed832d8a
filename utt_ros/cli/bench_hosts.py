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

"""`utt bench hosts`: two areas on two hosts, and what crosses the network between them."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from utt_ros.errors import SettingsError, UttError
from utt_ros.evaluation.benchmarks.impaired_cable import CableSettings
from utt_ros.evaluation.benchmarks.two_hosts import HostsResult, run_two_hosts
from utt_ros.text_table import align_columns

WALK_LIMITS_SEC = (20.0, 3600.0)


def configure_hosts(benches: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command and its arguments."""
    text = ('two areas on two hosts, which are network namespaces: rounds, people who walk from '
            'one to the other, bytes that cross the network')
    hosts = benches.add_parser('hosts', help=text, description=(
        f'Measure {text}. It needs root, iproute2 and util-linux.'))
    hosts.set_defaults(run=_hosts)
    hosts.add_argument('--seconds', type=float, default=60.0, metavar='N',
                       help='time for which people walk [s] (default %(default)g)')
    hosts.add_argument('--seed', type=int, default=100, help='(default %(default)s)')
    hosts.add_argument('--delay-ms', type=float, default=0.0, metavar='MS',
                       help='delay of each frame between the hosts, one way (default %(default)g)')
    hosts.add_argument('--loss', type=float, default=0.0, metavar='SHARE',
                       help='probability of a frame to be lost, 0..1 (default %(default)g)')
    hosts.add_argument('--logs', type=Path, metavar='DIR',
                       help='new folder for recordings, states and logs, which is kept')


def _hosts(args: argparse.Namespace) -> int:
    low, high = WALK_LIMITS_SEC
    if not low <= args.seconds <= high:
        raise SettingsError(f'--seconds is {args.seconds:g}: it must be within {low:g}..{high:g}')
    cable = CableSettings(args.delay_ms, args.loss, args.seed)
    if args.logs and args.logs.exists():
        raise UttError(f'{args.logs} exists: name a new folder')
    with TemporaryDirectory(prefix='utt_hosts_') as temporary:
        folder = (args.logs or Path(temporary)).absolute()
        result = run_two_hosts(folder, args.seconds, args.seed, partial(print, file=sys.stderr),
                               cable)
    print('\n'.join(hosts_table(result)))
    return 0


def hosts_table(result: HostsResult) -> list[str]:
    """Format the measurements of two hosts."""
    scores, kept = result.scores, result.scores['ids_kept']
    taken = ', '.join(f'{count} by {area}' for area, count in result.beliefs_taken.items())
    areas = [each.area for each in result.traffic]
    cable, lost = result.cable, result.lost_frames
    return [
        *([] if lost is None else [(
            f'cable: {cable.delay_ms:g} ms, loss {cable.loss:g}, {lost.by_chance:,} frames lost, '
            f'{lost.by_overload:,} more by overload')]),
        f'rounds with updates of both areas: {result.rounds}',
        (f'{scores["people"]} people entered {scores["handovers"]} rooms, {result.area_changes} '
         f'changes of area in /utt/people, ids kept '
         f'{"-" if kept is None else f"{100 * kept:.0f} %"}, counted twice '
         f'{scores["double_counted"]}, beliefs taken over: {taken}'),
        f'clocks of the hosts: {result.clock_offsets}', '',
        *align_columns(
            [f'bytes/s in {result.seconds:.0f} s', *(f'host of {area} sends' for area in areas)],
            list(_traffic_rows(result)), indent='')]


def _traffic_rows(result: HostsResult) -> Iterator[Sequence[str]]:
    labels = sorted({label for each in result.traffic for label in each.by_topic},
                    key=lambda label: (not label.startswith('/'), label))
    for label in labels:
        yield label, *(f'{each.by_topic[label]:,.0f}' if label in each.by_topic else '-'
                       for each in result.traffic)
    yield 'all, by the network device', *(f'{each.total:,.0f}' for each in result.traffic)
    yield 'all, before anybody walks', *(f'{each.idle:,.0f}' for each in result.traffic)
