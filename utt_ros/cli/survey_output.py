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

"""Input and output of surveys: area and bags, settings with errors as lines of an area file."""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from utt_ros.errors import SettingsError, UttError
from utt_ros.files import write_atomically
from utt_ros.orchestration.launch_plan import read_area_plan
from utt_ros.parameter_files import AREA_FILE, EVERY_NODE
from utt_ros.sessions.session_bags import is_readable_bag, read_session
from utt_ros.settings import AreaSettings
from utt_ros.types import Session


class SurveyedValue(NamedTuple):
    """Value of an area's setting with its standard error."""

    value: float
    error: float
    unit: str
    digits: int


def add_survey_arguments(parser: argparse.ArgumentParser, out: str) -> None:
    """Add the arguments that surveys of an area share; `out` is the default of --out."""
    parser.add_argument('--area', type=Path, metavar='AREA',
                        help=f'area file (default: {AREA_FILE} beside the first bag)')
    parser.add_argument('--out', type=Path, default=Path(out), metavar='FILE',
                        help='parameters for the area file (default: %(default)s)')
    parser.add_argument('--plot', type=Path, metavar='PNG', help='figure (default: beside --out)')


def read_surveyed_area(args: argparse.Namespace, bags: Sequence[Path]) -> AreaSettings:
    """Read the area of a survey. Raises SettingsError without one."""
    path = args.area or next((bag.absolute().parent / AREA_FILE for bag in bags), None)
    if path is None:
        raise SettingsError('no area: give its file with --area')
    if not path.exists():
        raise SettingsError(f'{path} does not exist: give the area file with --area')
    return read_area_plan(path).settings


def read_survey_bags(bags: Sequence[Path], area: AreaSettings) -> list[Session]:
    """Read the sessions of bags. Raises UttError for one that cannot be read."""
    for bag in bags:
        if not is_readable_bag(bag):
            raise UttError(f'{bag}: not a bag')
    sessions = [read_session(bag) for bag in bags]
    for bag, session in zip(bags, sessions, strict=True):
        if session.area != area.area:
            raise SettingsError(
                f'{bag} is a recording of area {session.area!r}, the file is of {area.area!r}')
    return sessions


def report_survey(
    args: argparse.Namespace, area: AreaSettings, values: Mapping[str, SurveyedValue],
    remarks: Iterable[str], draw: Callable[[Path], None],
) -> None:
    """Print the values beside those of the area, and remarks; write parameters and figure.

    Raises SettingsError for a file that cannot be written.
    """
    print('\n'.join([*compare_with_area(values, area), *remarks]), end='\n\n')
    print(write_survey(args, values, draw))


def compare_with_area(values: Mapping[str, SurveyedValue], area: AreaSettings) -> list[str]:
    """Format each value with its error and what the area file has."""
    return [f'{name}: {value.value:.{value.digits}f} ± {value.error:.{value.digits}f} '
            f'{value.unit}, area file: {getattr(area, name):.{value.digits}f}'
            for name, value in values.items()]


def write_survey(
    args: argparse.Namespace, values: Mapping[str, SurveyedValue],
    draw: Callable[[Path], None],
) -> str:
    """Write parameters and figure of a survey; return what to do with them."""
    plot = args.plot or args.out.with_suffix('.png')
    for path in (args.out, plot):
        path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f'    {name}: {value.value:.{value.digits}f}  # ± {value.error:.{value.digits}f} '
             f'{value.unit}' for name, value in values.items()]
    text = '\n'.join([f'{EVERY_NODE}:', '  ros__parameters:', *lines, ''])
    try:
        write_atomically(args.out, text.encode())
        draw(plot)
    except (OSError, ValueError) as err:
        raise SettingsError(f'{args.out}, {plot}: {err}') from err
    return '\n'.join(['lines for the area file:', *lines, '', str(args.out), str(plot)])
