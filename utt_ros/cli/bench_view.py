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

"""`utt bench view`: frames of a browser that shows many people, and what a view costs a twin."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from math import isfinite
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from utt_ros.cli.argument_limits import check_arguments
from utt_ros.cli.main import require_extra
from utt_ros.evaluation.benchmarks.browser_frames import open_chromium
from utt_ros.evaluation.benchmarks.reference_model import write_model
from utt_ros.evaluation.benchmarks.scenarios import make_scenarios
from utt_ros.evaluation.benchmarks.view_rig import (
    BROWSER,
    CROWD,
    NO_VIEW,
    NOBODY,
    ONE,
    VIEW,
    FrameCount,
    TwinLatency,
    measure_frames,
    measure_latency,
)
from utt_ros.text_table import align_columns

AIM_FRAMES_PER_S = 20
VIEW_LIMITS = {'areas': (1, 100), 'people': (1, 40), 'phones': (1, 100), 'seconds': (2, 600),
               'repeats': (1, 100)}
QUIET = 'machine load {low:.1f} to {high:.1f} of {cores} cores: a verdict needs a quiet machine'


def configure_view(benches: 'argparse._SubParsersAction[argparse.ArgumentParser]') -> None:
    """Add the command and its arguments."""
    text = ('frames per second of a browser that shows many people, bytes and CPU of its view, '
            'and the latency of a twin with and without a view')
    view = benches.add_parser('view', help=text, description=(
        f'Measure {text}. It needs viser, playwright and Chromium.'))
    view.set_defaults(run=_view)
    for name, default, words in (
            ('areas', 20, 'areas that are shown'), ('people', 5, 'people of each area'),
            ('phones', 20, 'phones of the twin whose latency is measured'),
            ('seconds', 10, 'measured time of each turn [s]'),
            ('repeats', 3, 'turns of each kind, alternating')):
        view.add_argument(f'--{name}', type=int, default=default, metavar='N',
                          help=f'{words} (default %(default)s)')
    view.add_argument('--domain', type=int, default=98, metavar='N',
                      help='unused ROS domain (default %(default)s)')


def _view(args: argparse.Namespace) -> int:
    check_arguments(args, VIEW_LIMITS)
    require_extra('view')
    with open_chromium():
        pass  # a machine without it is told so before anything is measured
    os.environ['ROS_DOMAIN_ID'] = str(args.domain)
    log = partial(print, file=sys.stderr)
    counts = measure_frames(args.areas, args.people, args.seconds, args.repeats, log)
    print('\n'.join(frames_table(counts)), flush=True)
    with TemporaryDirectory(prefix='utt_view_') as temporary:
        folder = Path(temporary)
        write_model(folder)
        latencies = measure_latency(
            make_scenarios(args.phones, folder)['serving'], args.phones, float(args.seconds),
            args.repeats, folder=folder / 'live', log=log)
    loads = [each.load for each in counts] + [each.load for each in latencies]
    print('\n'.join(['', *latency_table(latencies), '', load_text(loads)]))
    return 0


def frames_table(counts: Sequence[FrameCount]) -> list[str]:
    """Return a row for each crowd, and whether the aim is reached or what a frame costs."""
    rows, frames_per_s, cost_ms = [], {}, {}
    for name in (NOBODY, ONE, CROWD):
        of_crowd = [each for each in counts if each.crowd == name]
        frames = [count for each in of_crowd for count in each.frames]
        frames_per_s[name], cost_ms[name] = median(frames), _frame_cost_ms(of_crowd)
        rows.append((
            name, f'{median(frames):g}', f'{min(frames)}',
            *(f'{median(getattr(each, key) for each in of_crowd):,.0f}'
              for key in ('bytes_per_s', 'view_cpu', 'browser_cpu')),
            f'{cost_ms[name]:.0f}'))
    head = ('page with', 'frames/s, p50', 'worst second', 'bytes/s', 'CPU of the view [%]',
            'of Chromium [%]', 'of it per frame [ms]')
    return [*align_columns(head, rows, indent=''), '',
            _frames_verdict(frames_per_s[CROWD], cost_ms)]


def _frame_cost_ms(counts: Sequence[FrameCount]) -> float:
    """Return the CPU time of the browser for a frame, whatever it was spent on."""
    spent_ms = sum(10 * each.browser_cpu * len(each.frames) for each in counts)
    return spent_ms / max(1, sum(sum(each.frames) for each in counts))


def _frames_verdict(frames_per_s: float, cost_ms: Mapping[str, float]) -> str:
    aim = f'{frames_per_s:g} frames/s (at least {AIM_FRAMES_PER_S})'
    if frames_per_s >= AIM_FRAMES_PER_S:
        return f'pass  {aim}'
    return (f'FAIL  {aim}; a frame takes Chromium {cost_ms[CROWD]:.0f} ms of a core, one of one '
            f'person {cost_ms[ONE]:.0f}, and the aim leaves {1000 / AIM_FRAMES_PER_S:g}')


def latency_table(latencies: Sequence[TwinLatency]) -> list[str]:
    """Return a row for each kind of turn, and whether a view is within the scatter."""
    tails = {name: [each.position_ms['p99'] for each in latencies if each.beside == name]
             for name in (NO_VIEW, VIEW, BROWSER)}
    rows = [(name, *(' / '.join(_text_ms(each.position_ms[key]) for each in latencies
                                if each.beside == name) for key in ('p50', 'p99')))
            for name in tails]
    head = ('frame to position [ms], a twin with', 'p50 of each turn', 'p99 of each turn')
    return [*align_columns(head, rows, indent=''), '',
            *(_latency_verdict(name, tails[name], tails[NO_VIEW]) for name in (VIEW, BROWSER))]


def _latency_verdict(name: str, tails_ms: Sequence[float], quiet_ms: Sequence[float]) -> str:
    if not all(map(isfinite, (*tails_ms, *quiet_ms))):
        return (f'none  p99 with {name}: in some turns no position has the stamp of a frame, as '
                'when frames are late on a machine that is too busy')
    tail, limit = median(tails_ms), max(quiet_ms)
    return (f'{"pass" if tail <= limit else "FAIL"}  p99 with {name}, median: {tail:.1f} ms '
            f'(at most {limit:.1f}, the largest with {NO_VIEW})')


def _text_ms(value: float) -> str:
    return f'{value:.1f}' if isfinite(value) else '-'


def load_text(loads: Sequence[float]) -> str:
    """Return the loads of the machine and what they mean."""
    return QUIET.format(low=min(loads), high=max(loads), cores=os.cpu_count())
