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

"""`utt calibrate`: fit systematic errors of a sensor, or its pose, and write them to a file."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from utt_ros.cli.calibrate_access_points import configure_access_points
from utt_ros.cli.calibrate_camera import configure_camera
from utt_ros.cli.calibrate_yaw import configure_yaw
from utt_ros.drivers.ftm.calibration_plot import draw_calibration
from utt_ros.drivers.ftm.calibration_points import read_calibration_points
from utt_ros.drivers.ftm.ftm_calibration import (
    CalibrationPoint,
    FtmFit,
    distance_medians,
    fit_pairs,
    points_of,
    write_ftm_calibration,
)
from utt_ros.errors import MeasurementError, SettingsError, UttError
from utt_ros.sensor_limits import RANGE_LIMITS_M
from utt_ros.sessions.session_bags import is_readable_bag, read_session

SENSORS = {
    'ftm': 'systematic error of Wi-Fi ranges',
    'camera': 'height and pitch of the camera: walkers or floor points',
    'yaw': 'direction of the x axis from magnetic east: walks with phones',
    'access-points': 'range offsets, and positions, of access points: walks in view of the camera',
}
EXAMPLES = """
examples:
  utt calibrate ftm points.csv                     columns phone, ap, distance_m, range_m
  utt calibrate ftm bags/* --distances 1 2 4 8     a recording per distance, in this order
  utt calibrate ftm points.csv --scale --out hall/ftm.yaml --plot hall/ftm.png

Hold the phone still for 20 s at each of five or more distances of 1 to 10 m from the access point,
in the open, and measure each distance from antenna to antenna. Record with `utt record` while the
FTM node runs without a calibration, one bag per distance; or write ranges to a table, CSV, or YAML
with a list `points`. The file is the FTM node's parameter `calibration`; its pairs of phone and
access point that are not measured again are kept.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    sensors = parser.add_subparsers(dest='sensor', required=True, metavar='SENSOR')
    parsers = {'ftm': configure_ftm, 'camera': configure_camera, 'yaw': configure_yaw,
               'access-points': configure_access_points}
    for name, add in parsers.items():
        add(sensors.add_parser(name, help=SENSORS[name], description=f'Fit: {SENSORS[name]}.'))


def configure_ftm(parser: argparse.ArgumentParser) -> None:
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('sources', type=Path, nargs='+', metavar='SRC',
                        help='tables of points, and bags')
    parser.add_argument('--distances', type=float, nargs='+', default=[], metavar='M',
                        help='distance of each bag [m]')
    parser.add_argument('--phone', nargs='+', metavar='NAME', help='only these phones')
    parser.add_argument('--ap', metavar='BSSID', default='',
                        help='access point that distances of bags are from, if several were in '
                        'range')
    parser.add_argument('--scale', action='store_true',
                        help='also fit a scale, over distances that span 3 m or more')
    parser.add_argument('--out', type=Path, default=Path('ftm_calibration.yaml'), metavar='FILE',
                        help='calibration file (default: %(default)s)')
    parser.add_argument('--plot', type=Path, metavar='PNG',
                        help='figure (default: beside the calibration file)')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Fit, write, draw and print a calibration."""
    points = _points(args)
    fits = fit_pairs(points, with_scale=args.scale)
    plot = args.plot or args.out.with_suffix('.png')
    for path in (args.out, plot):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_ftm_calibration(args.out, fits)
    try:
        draw_calibration(plot, fits, points)
    except (OSError, ValueError) as err:
        raise SettingsError(f'{plot}: {err}') from err
    print(calibration_report(fits, points))
    print(f'\n{args.out}\n{plot}')
    return 0


def calibration_report(
    fits: Mapping[tuple[str, str], FtmFit], points: list[CalibrationPoint],
) -> str:
    """Format fits with the medians and residuals of their distances."""
    lines = []
    for pair, fit in fits.items():
        scale = f', scale {fit.scale:.4f} ± {fit.scale_error:.4f}' if fit.scale_error else ''
        offset = f'offset {fit.offset:+.3f} ± {fit.offset_error:.3f} m'
        spread = f'residuals of the distances: {fit.residual:.3f} m (robust standard deviation)'
        lines += [
            f'{fit.phone}, {fit.ap or "access point unknown"}: {offset}{scale}',
            f'  {fit.ranges} ranges at {fit.places} distances; {spread}',
            '  distance [m]  ranges  median [m]  residual [m]']
        medians = distance_medians(points_of(pair, points))
        lines += [
            f'  {distance:12.2f}  {count:6d}  {median:10.3f}  '
            f'{median - fit.offset - fit.scale * distance:+12.3f}'
            for distance, median, count in zip(*medians, strict=True)]
    return '\n'.join(lines)


def _points(args: argparse.Namespace) -> list[CalibrationPoint]:
    bags = [path for path in args.sources if path.is_dir()]
    if len(bags) != len(args.distances):
        raise SettingsError(
            f'{len(bags)} bags and {len(args.distances)} --distances: one for each bag')
    points = [point for path in args.sources if path not in bags
              for point in read_calibration_points(path)]
    for bag, distance_m in zip(bags, args.distances, strict=True):
        points += _recorded(bag, distance_m, args.ap)
    selected = [point for point in points if not args.phone or point.phone in args.phone]
    if points and not selected:
        known = ', '.join(sorted({point.phone for point in points}))
        raise MeasurementError(f'no range of {", ".join(args.phone)}: there are {known}')
    return selected


def _recorded(bag: Path, distance_m: float, ap: str) -> list[CalibrationPoint]:
    """Read all ranges of a bag, recorded at one distance from an access point, '' if one."""
    if not 0.0 <= distance_m <= RANGE_LIMITS_M[1]:
        raise SettingsError(f'--distances {distance_m:g}: 0..{RANGE_LIMITS_M[1]:g} m')
    if not is_readable_bag(bag):
        raise UttError(f'{bag}: not a bag')
    phones = sorted(read_session(bag).phones.items())
    heard = sorted({address for _, streams in phones for address in streams.range_aps})
    if not ap and len(heard) > 1:
        raise MeasurementError(f'{bag}: ranges of {", ".join(heard)}: choose one with --ap')
    return [
        CalibrationPoint(phone, address, distance_m, float(range_m))
        for phone, streams in phones
        for range_m, address in zip(streams.ftm[:, 0], streams.range_aps, strict=True)
        if not ap or address.lower() == ap.lower()]
