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

"""`utt calibrate access-points`: offsets and positions of access points from walks in view."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from utt_ros.access_point_list import DEFAULT_AP_POSITION
from utt_ros.cli.survey_output import (
    add_survey_arguments,
    read_survey_bags,
    read_surveyed_area,
)
from utt_ros.drivers.ftm.range_survey_plot import draw_range_survey
from utt_ros.errors import SettingsError
from utt_ros.geometry.range_model import RangeSamples
from utt_ros.geometry.range_survey import RangeSurvey, survey_ranges
from utt_ros.sessions.range_samples import seen_ranges, true_ranges
from utt_ros.settings import AreaSettings
from utt_ros.twin.range_offsets import write_range_offsets
from utt_ros.twin.surveyed_offsets import surveyed_offsets
from utt_ros.types import Array

AP_EXAMPLES = """
examples:
  utt calibrate access-points bags/*                        offsets, positions as in the area file
  utt calibrate access-points bags/* --locate 02:00:00:00:00:03
  utt calibrate access-points bags/* --locate all --height 2.4

People walk all over the room in view of the camera, with phones that range all access points.
Every walk is given to the phone of its label; without labels, to the only phone, or to the one
whose compass alone follows it. Calibrate the camera first: places are its own. --locate also fits
where access points are, those that the area file does not list included.
"""
LOCATE_ALL = 'all'


def configure_access_points(parser: argparse.ArgumentParser) -> None:
    parser.epilog, parser.formatter_class = AP_EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('sources', type=Path, nargs='+', metavar='BAG', help='bags with walks')
    parser.add_argument('--locate', nargs='+', default=[], metavar='ADDRESS',
                        help='access points whose positions are fitted as well; "all"')
    parser.add_argument('--height', type=float, default=DEFAULT_AP_POSITION[2], metavar='M',
                        help='height of access points that the area file does not list '
                        '(default: %(default)s m)')
    parser.add_argument('--against', type=Path, nargs='+', default=[], metavar='BAG',
                        help='compare with a fit to the true positions of these bags')
    add_survey_arguments(parser, 'range_offsets.yaml')
    parser.set_defaults(run=run_range_survey)


def run_range_survey(args: argparse.Namespace) -> int:
    """Fit, print, write and draw offsets and positions of access points."""
    area = read_surveyed_area(args, args.sources)
    samples = seen_ranges(read_survey_bags(args.sources, area), area)
    places = _places(samples, area, args.locate)
    survey = _survey(samples, places, area, args)
    print('\n'.join([*_survey_lines(survey, places), *_ignored(samples, places)]))
    if args.against:
        true = true_ranges(read_survey_bags(args.against, area), area)
        given = dict(zip(survey.addresses, survey.positions_m, strict=True))
        args.locate = []
        print('\n'.join(_compare_with_truth(survey, _survey(true, given, area, args))))
    print()
    print(_write(args, survey))
    return 0


def _survey(
    samples: RangeSamples, places: dict[str, Array | None] | dict[str, Array],
    area: AreaSettings, args: argparse.Namespace,
) -> RangeSurvey:
    free = set(places) if LOCATE_ALL in args.locate else {name.lower() for name in args.locate}
    return survey_ranges(samples, places, area.phone_height, args.height, free=free)


def _places(
    samples: RangeSamples, area: AreaSettings, located: Sequence[str],
) -> dict[str, Array | None]:
    """Return the access points to fit: those of the area, and further ones to locate.

    Raises SettingsError for an address to locate that nobody heard.
    """
    known = len(area.ap_positions)
    places: dict[str, Array | None] = {
        address: np.asarray(position) for address, position in zip(
            samples.addresses, area.ap_positions, strict=False)}
    wanted = {name.lower() for name in located} - {LOCATE_ALL}
    for address in samples.addresses[known:]:
        if address in wanted or LOCATE_ALL in located:
            places[address] = None
    if unheard := sorted(wanted - set(places)):
        raise SettingsError(f'--locate {unheard[0]}: ranges are from '
                            f'{", ".join(samples.addresses) or "no access point"}')
    return places


def _survey_lines(
    survey: RangeSurvey, places: dict[str, Array | None],
) -> Iterator[str]:
    """Yield rows of access points and phones."""
    offset, slope = survey.line
    errors = np.sqrt(np.diag(survey.line_covariance))
    yield (f'ranges exceed distances by {offset:+.2f} ± {errors[0]:.2f} m and '
           f'{slope:+.3f} ± {errors[1]:.3f} m per metre, in the mean of access points')
    yield '  access point          offset [m]  ranges  spans  spread [m]  position [m]'
    for number, address in enumerate(survey.addresses):
        given, error = places[address], survey.position_errors_m[number]
        x, y, z = survey.positions_m[number]
        place = f'{x:.2f} {y:.2f} {z:.2f}'
        if error:
            place += f' ± {error:.2f}'
            place += (', not in the area file' if given is None else
                      f', {np.linalg.norm(given[:2] - [x, y]):.2f} from that of the area file')
        yield (f'  {address:20s}  {survey.offsets_m[number]:+.2f} ± '
               f'{survey.offset_errors_m[number]:.2f}  {survey.counts[number]:5d}  '
               f'{survey.spans[number]:5d}  {survey.spreads_m[number]:10.2f}  {place}')
    if len(survey.names) > 1:
        yield '  phone                 offset [m]'
        for name, own, own_error in zip(
                survey.names, survey.phone_offsets_m, survey.phone_errors_m, strict=True):
            yield f'  {name:20s}  {own:+.2f} ± {own_error:.2f}'


def _ignored(samples: RangeSamples, places: dict[str, Array | None]) -> Iterator[str]:
    others = [name or 'without an address' for name in samples.addresses if name not in places]
    if others:
        yield (f'not in the area file, and left out: {", ".join(others)}; --locate finds where '
               'they are')


def _compare_with_truth(survey: RangeSurvey, true: RangeSurvey) -> Iterator[str]:
    yield '  access point          offset less that at true places [m]'
    differences = survey.offsets_m - true.offsets_m
    for address, difference, error in zip(
            survey.addresses, differences, true.offset_errors_m, strict=True):
        yield f'  {address:20s}  {difference:+.2f}, which is known to ± {error:.2f}'
    yield f'  largest of {len(differences)}: {np.abs(differences).max():.2f} m'


def _write(
    args: argparse.Namespace, survey: RangeSurvey,
) -> str:
    """Write offsets and figure; return what to do with them. Raises SettingsError."""
    plot = args.plot or args.out.with_suffix('.png')
    lines = [f'    range_offsets: {args.out.absolute()}']
    if survey.position_errors_m.any():
        lines.append('    access_points:')
        lines += [f'      "{address}": [{x:.2f}, {y:.2f}, {z:.2f}]  # ± {error:.2f} m'
                  for address, (x, y, z), error in zip(
                      survey.addresses, survey.positions_m, survey.position_errors_m, strict=True)]
    try:
        for path in (args.out, plot):
            path.parent.mkdir(parents=True, exist_ok=True)
        write_range_offsets(args.out, surveyed_offsets(survey))
        draw_range_survey(plot, survey)
    except (OSError, ValueError) as err:
        raise SettingsError(f'{args.out}, {plot}: {err}') from err
    return '\n'.join(['lines for the area file:', *lines, '', str(args.out), str(plot)])
