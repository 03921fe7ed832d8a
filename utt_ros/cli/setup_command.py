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

"""`utt setup`: an area file by questions, with its camera and phones at hand."""

import argparse
import time
from pathlib import Path

from utt_ros.cli.area_draft import AreaDraft
from utt_ros.cli.check import check_report, check_source, read_sources
from utt_ros.cli.dialogue import Dialogue
from utt_ros.cli.setup_devices import ask_camera, ask_phones, picture_path
from utt_ros.cli.setup_survey import ask_geometry
from utt_ros.errors import SettingsError
from utt_ros.parameter_files import AREA_FILE
from utt_ros.settings import AREA_NAME

EXAMPLES = f"""
examples:
  utt setup hall                    asks, and writes hall/{AREA_FILE}
  utt setup hall --out hall.yaml

Finds cameras and phones of this machine's network, shows the address for each phone app as a QR
code, and takes height and direction of the camera from a walk, from points on the floor, which are
clicked in a browser or typed, or as numbers. Enter takes the answer in brackets; Ctrl-C ends
without writing. `utt check FILE` reads the sensors of the file again, and `utt calibrate` makes
its values better later.
"""
LISTEN_S = 4.0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `utt setup`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.set_defaults(run=run)
    parser.add_argument('area', metavar='AREA', help='name of the area')
    parser.add_argument('--out', type=Path, metavar='FILE',
                        help=f'new area file (default: AREA/{AREA_FILE})')
    parser.add_argument('--listen', type=float, default=LISTEN_S, metavar='SEC',
                        help='length of a look for phones (default %(default)g)')


def run(args: argparse.Namespace) -> int:
    """Ask, write the area file, and read its sensors once: 0, or 1 when one is silent.

    Raises UttError; nothing is written then.
    """
    if not AREA_NAME.fullmatch(args.area):
        raise SettingsError(f'area is {args.area!r}: a letter, then letters, digits and '
                            'underscores')
    if not 0.5 <= args.listen <= 600.0:
        raise SettingsError(f'--listen is {args.listen:g}: it must be 0.5 to 600')
    out = args.out or Path(args.area, AREA_FILE)
    if out.exists():
        raise SettingsError(f'{out} exists: give another file with --out')
    asking, draft = Dialogue(), AreaDraft({'area': args.area})
    ask_camera(asking, draft, out)
    ask_phones(asking, draft)
    _listen(asking, draft, args.listen)
    ask_geometry(asking, draft, picture_path(out))
    draft.write(out)
    asking.tell(f'{out} is written; next: utt run {out}')
    return 0


def _listen(asking: Dialogue, draft: AreaDraft, seconds: float) -> None:
    """Read all sources, and show who is heard, until that is enough."""
    while draft.blocks and asking.agree(
            f'start the apps of the phones; listen for {seconds:g} s', default=True):
        with draft.plan() as area:
            checks = [check_source(area, kind) for kind in area.drivers]
            try:
                read_sources(checks, seconds)
            finally:
                for check in checks:
                    if check.reader is not None:
                        check.reader.stop()
            asking.tell(check_report(checks, time.time_ns()))
        silent = [check.kind for check in checks if check.failed]
        if not silent:
            return
        asking.tell(f'nothing from {", ".join(silent)}')
