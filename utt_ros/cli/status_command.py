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

"""`utt status`: what running areas and their federation do."""

import argparse
import json
import sys
import time
from math import inf
from typing import TYPE_CHECKING

from utt_ros.cli.twin_areas import add_live_arguments, prepare_reach
from utt_ros.errors import SettingsError

if TYPE_CHECKING:
    from utt_ros.bridge.node.status_watch import StatusWatch

EXAMPLES = """
examples:
  utt status                        a line for each area, and one for the federation
  utt status --follow 10            again every 10 s, until Ctrl-C
  utt status --area hall --json     for programs

A line tells who is in the area, the sensors that each position stands on, its standard deviation,
the round of the model, the mean NMSE_var on held-out windows, and what is wrong. Exit code 1: no
area answers.
"""
SETTLED_SEC = 2.5  # for the status of all nodes, which comes once a second
POLL_SEC = 0.2
MIN_FOLLOW_SEC = 0.5


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `utt status`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.set_defaults(run=run)
    parser.add_argument('--area', default='', help='only this area')
    parser.add_argument('--follow', type=float, metavar='SEC',
                        help='print again after this many seconds, until Ctrl-C')
    parser.add_argument('--json', action='store_true', help='a JSON object, one per line')
    add_live_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print the state of running areas: 0, or 1 when none answers."""
    if args.follow is not None and not MIN_FOLLOW_SEC <= args.follow < inf:
        raise SettingsError(f'--follow is {args.follow:g}: it must be at least {MIN_FOLLOW_SEC:g}')
    prepare_reach(args)
    from utt_ros.bridge.node.status_watch import StatusWatch  # noqa: PLC0415 - ROS, not for --help

    with StatusWatch() as watch:
        if args.follow is not None:
            return _follow(watch, args)
        if not _await_area(watch, args.area, args.wait):
            named = f'area {args.area!r}' if args.area else 'no area'
            verb = 'does not answer' if args.area else 'answers'
            print(f'utt status: {named} {verb} within {args.wait:g} s: start one with `utt run`, '
                  'or give the --hosts and the ROS_DOMAIN_ID that it has', file=sys.stderr)
            return 1
        _spin(watch, SETTLED_SEC)
        _show(watch, args)
    return 0


def _follow(watch: 'StatusWatch', args: argparse.Namespace) -> int:
    """Print until Ctrl-C."""
    try:
        while True:
            _spin(watch, args.follow)
            _show(watch, args)
    except KeyboardInterrupt:
        return 0


def _show(watch: 'StatusWatch', args: argparse.Namespace) -> None:
    now_s = time.monotonic()
    if args.json:
        print(json.dumps(watch.status.content(now_s, args.area)), flush=True)
        return
    for line in watch.status.lines(now_s, args.area):
        print(line, flush=True)


def _await_area(watch: 'StatusWatch', area: str, wait_sec: float) -> bool:
    end_s = time.monotonic() + wait_sec
    while not (area in watch.status.areas if area else watch.status.areas):
        if time.monotonic() > end_s:
            return False
        watch.spin_once(POLL_SEC)
    return True


def _spin(watch: 'StatusWatch', seconds: float) -> None:
    end_s = time.monotonic() + seconds
    while (left_s := end_s - time.monotonic()) > 0.0:
        watch.spin_once(min(left_s, POLL_SEC))
