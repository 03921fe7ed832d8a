"""`utt calibrate`: what a sensor constantly gets wrong, measured and written to a file."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from utt_ros.drivers.ftm.calibration_plot import draw_calibration
from utt_ros.drivers.ftm.calibration_points import read_calibration_points
from utt_ros.drivers.ftm.ftm_calibration import FtmFit, CalibrationPoint, fit_pairs, distance_medians, write_ftm_calibration
from utt_ros.errors import MeasurementError, SettingsError, UttError
from utt_ros.sensor_limits import RANGE_LIMITS_M
from utt_ros.sessions.session_bags import is_bag, read_session

EXAMPLES = """
examples:
  utt calibrate ftm points.csv                     columns phone, ap, distance_m, range_m
  utt calibrate ftm bags/* --distances 1 2 4 8     a recording per distance, in this order
  utt calibrate ftm points.csv --scale --out hall/ftm.yaml --plot hall/ftm.png

Stand still with the phone for 20 s at five or more distances from the access point, in the open,
1 to 10 m away, and measure each from antenna to antenna. Record with `utt record` while the FTM
node runs without a calibration, one bag per distance; or note ranges in a table, CSV, or YAML with
a list `points`. The file is given to the FTM node as its parameter `calibration`; pairs of phone
and access point that are in it already and are not measured again stay.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `utt calibrate`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('sensor', choices=['ftm'], help='what is calibrated: ftm')
    parser.add_argument('sources', type=Path, nargs='+', metavar='SRC',
                        help='tables of points, and bags')
    parser.add_argument('--distances', type=float, nargs='+', default=[], metavar='M',
                        help='distance of each bag [m]')
    parser.add_argument('--phone', nargs='+', metavar='NAME', help='only these phones')
    parser.add_argument('--scale', action='store_true',
                        help='fit a scale too, over distances that span 3 m or more')
    parser.add_argument('--out', type=Path, default=Path('ftm_calibration.yaml'), metavar='FILE',
                        help='where the calibration goes (default: %(default)s)')
    parser.add_argument('--plot', type=Path, metavar='PNG',
                        help='where the figure goes (default: beside it)')
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Fit, write, draw, report."""
    points = _points(options)
    fits = fit_pairs(points, with_scale=options.scale)
    plot = options.plot or options.out.with_suffix('.png')
    for path in (options.out, plot):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_ftm_calibration(options.out, fits)
    try:
        draw_calibration(plot, fits, points)
    except (OSError, ValueError) as err:
        raise SettingsError(f'{plot}: {err}') from err
    print(report(fits, points))
    print(f'\n{options.out}\n{plot}')
    return 0


def report(fits: Mapping[tuple[str, str], FtmFit], points: list[CalibrationPoint]) -> str:
    """Write what was found, and at which places."""
    lines = []
    for pair, fit in fits.items():
        scale = f', scale {fit.scale:.4f} ± {fit.scale_error:.4f}' if fit.scale_error else ''
        offset = f'offset {fit.offset:+.3f} ± {fit.offset_error:.3f} m'
        spread = f'residuals of the distances: {fit.residual:.3f} m (robust standard deviation)'
        lines += [
            f'{fit.phone}, {fit.ap or "access point unknown"}: {offset}{scale}',
            f'  {fit.ranges} ranges at {fit.distance_medians} distances; {spread}',
            '  distance [m]  ranges  median [m]  residual [m]']
        own = [point for point in points if (point.phone, point.ap) == pair]
        lines += [
            f'  {distance:12.2f}  {count:6d}  {median:10.3f}  '
            f'{median - fit.offset - fit.scale * distance:+12.3f}'
            for distance, median, count in zip(*distance_medians(own), strict=True)]
    return '\n'.join(lines)


def _points(options: argparse.Namespace) -> list[CalibrationPoint]:
    bags = [path for path in options.sources if path.is_dir()]
    if len(bags) != len(options.distances):
        raise SettingsError(
            f'{len(bags)} bags and {len(options.distances)} --distances: one for each bag')
    points = [point for path in options.sources if path not in bags
              for point in read_calibration_points(path)]
    for bag, distance_m in zip(bags, options.distances, strict=True):
        points += _recorded(bag, distance_m)
    wanted = [point for point in points if not options.phone or point.phone in options.phone]
    if points and not wanted:
        known = ', '.join(sorted({point.phone for point in points}))
        raise MeasurementError(f'no range of {", ".join(options.phone)}: there are {known}')
    return wanted


def _recorded(bag: Path, distance_m: float) -> list[CalibrationPoint]:
    """All ranges of a bag in which phones lay at one distance."""
    if not 0.0 <= distance_m <= RANGE_LIMITS_M[1]:
        raise SettingsError(f'--distances {distance_m:g}: 0..{RANGE_LIMITS_M[1]:g} m')
    if not is_bag(bag):
        raise UttError(f'{bag}: it is no complete bag')
    return [
        CalibrationPoint(phone, streams.ap, distance_m, float(range_m))
        for phone, streams in sorted(read_session(bag).phones.items())
        for range_m in streams.ftm[:, 0]]
