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

"""`utt view`: running areas, or a bag, in a browser."""

import argparse
import signal
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import closing, contextmanager
from os import environ
from pathlib import Path

from utt_ros.cli.main import require_extra
from utt_ros.cli.twin_areas import add_live_arguments, prepare_reach
from utt_ros.errors import SettingsError
from utt_ros.orchestration.launch_plan import read_area_plan
from utt_ros.settings import AreaSettings
from utt_ros.view.recorded_film import film_pictures
from utt_ros.view.recorded_scene import RecordedScene
from utt_ros.view.scene_film import write_film
from utt_ros.view.scene_source import SceneSource

EXAMPLES = """
examples:
  utt view                                   running areas, at http://127.0.0.1:8080
  utt view evening                           a bag, with a time slider
  utt view sessions/area0/000                measurements alone: true positions, where it has them
  utt view evening --film evening.gif        a moving picture of it, without a browser

The page is served on this machine only; --host 0.0.0.0 lets others see it, without a password.
Only what is shown is subscribed to, and nothing while no browser is open. Ctrl-C ends it.
"""
DEFAULT_PORT = 8080


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `utt view`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.set_defaults(run=run)
    parser.add_argument('bag', nargs='?', type=Path, metavar='BAG',
                        help='bag to show; without one, running areas')
    parser.add_argument('--area-file', action='append', type=Path, default=[], metavar='FILE',
                        help='area file of a bag; the one beside it is known. May be repeated')
    parser.add_argument('--host', default='127.0.0.1', metavar='ADDRESS',
                        help='address at which the page is served (default %(default)s)')
    parser.add_argument('--port', type=int, default=DEFAULT_PORT, metavar='N',
                        help='port of the page, or a free one where it is taken '
                             '(default %(default)s)')
    parser.add_argument('--open', action='store_true', help='open the page in a browser')
    parser.add_argument('--film', type=Path, metavar='GIF',
                        help='write a moving picture of the bag instead of serving a page')
    add_live_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Serve the page until SIGINT or SIGTERM, or write a film. Raises UttError."""
    if args.film is not None:
        return _film(args)
    require_extra('view')
    with _source(args) as source:
        _serve(args, source)
    return 0


def _film(args: argparse.Namespace) -> int:
    if args.bag is None:
        raise SettingsError('--film needs a bag')
    if args.film.suffix != '.gif':
        raise SettingsError(f'--film is {args.film}: a film ends in .gif')
    with RecordedScene(args.bag, _areas(args)) as recorded:
        frames = write_film(args.film, film_pictures(recorded))
    print(f'{args.film}: {frames} pictures')
    return 0


def _serve(args: argparse.Namespace, source: SceneSource) -> None:
    from utt_ros.view.browser_window import BrowserWindow  # noqa: PLC0415 - an optional package
    from utt_ros.view.view_session import ViewSession, run_session  # noqa: PLC0415

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with closing(BrowserWindow(args.host, args.port, source.playback)) as window:
        session = ViewSession(source, window)
        print(f'{window.address}  (Ctrl-C ends it)', flush=True)
        if args.open and has_display():
            webbrowser.open(window.address)
        run_session(session, stop.is_set, stop.wait, time.monotonic_ns)
    median, tail = session.costs_ms()
    if tail:
        print(f'an update took {median:.1f} ms, {tail:.1f} ms at most in 99 of 100',
              file=sys.stderr)


def has_display() -> bool:
    """Return whether a browser can open a window here."""
    return bool(environ.get('DISPLAY') or environ.get('WAYLAND_DISPLAY'))


@contextmanager
def _source(args: argparse.Namespace) -> Iterator[SceneSource]:
    if args.bag is not None:
        with RecordedScene(args.bag, _areas(args)) as recorded:
            yield recorded
        return
    prepare_reach(args)
    from utt_ros.bridge.node.view_inputs import ViewInputs  # noqa: PLC0415 - ROS, not for a bag

    with ViewInputs() as inputs:
        yield inputs


def _areas(args: argparse.Namespace) -> dict[str, AreaSettings]:
    plans = [read_area_plan(path) for path in args.area_file]
    return {plan.name: plan.settings for plan in plans}
