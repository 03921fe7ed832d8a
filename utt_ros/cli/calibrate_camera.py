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

"""`utt calibrate camera`: height and pitch of a camera from walkers or from floor points."""

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from utt_ros.cli.survey_output import (
    SurveyedValue,
    add_survey_arguments,
    read_survey_bags,
    read_surveyed_area,
    report_survey,
)
from utt_ros.drivers.camera.camera_survey_plot import draw_camera_survey
from utt_ros.drivers.camera.floor_points import read_floor_points
from utt_ros.errors import SettingsError
from utt_ros.geometry.camera_survey import (
    CameraFit,
    fit_camera_to_points,
    fit_camera_to_walkers,
)
from utt_ros.sessions.survey_data import walker_boxes

CAMERA_EXAMPLES = """
examples:
  utt calibrate camera bags/*                        people who walk, two minutes in all
  utt calibrate camera floor.csv --area hall.yaml    columns u, v [px] and x, y [m]

Walkers: record with `utt record` while people walk all over the image, upright, near the camera
and far from it; their mean height is the area's person_height, and an error of it is one of
camera_height in proportion, not of camera_pitch. Floor points: pixels of four or more marks on
the floor and where they lie, x ahead of the place below the camera and y to the left. The lens
must be right first: fx, fy, cx and cy of the area file.
"""
MAX_USUAL_ROLL_RAD = 0.01  # beyond it positions at the sides of the image suffer [R]
DISTANCE_BANDS = 6  # in the table of residuals


def configure_camera(parser: argparse.ArgumentParser) -> None:
    parser.epilog, parser.formatter_class = CAMERA_EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('sources', type=Path, nargs='+', metavar='SRC',
                        help='bags with walkers, or tables of floor points')
    add_survey_arguments(parser, 'camera_survey.yaml')
    parser.set_defaults(run=run_camera_survey)


def run_camera_survey(args: argparse.Namespace) -> int:
    """Fit, print, write and draw the pose of a camera."""
    bags = [path for path in args.sources if path.is_dir()]
    tables = [path for path in args.sources if not path.is_dir()]
    if bags and tables:
        raise SettingsError(f'{bags[0]} is a bag, {tables[0]} is a table: give either')
    area = read_surveyed_area(args, bags)
    if tables:
        points = [read_floor_points(path) for path in tables]
        fit = fit_camera_to_points(np.concatenate([pixels for pixels, _ in points]),
                                   np.concatenate([places for _, places in points]), area)
    else:
        fit = fit_camera_to_walkers(walker_boxes(read_survey_bags(bags, area)), area)
    table = _point_table(fit) if tables else _residual_table(fit)
    report_survey(args, area, _camera_values(fit), [*_camera_remarks(fit, bool(tables)), *table],
                  partial(draw_camera_survey, fit=fit, walkers=bool(bags)))
    return 0


def _camera_values(fit: CameraFit) -> dict[str, SurveyedValue]:
    """Return the settings of an area that a fitted pose gives."""
    return {'camera_height': SurveyedValue(fit.height_m, fit.height_error_m, 'm', 3),
            'camera_pitch': SurveyedValue(fit.pitch_rad, fit.pitch_error_rad, 'rad', 4)}


def _camera_remarks(fit: CameraFit, are_points: bool) -> Iterator[str]:
    yield f'roll: {fit.roll_rad:+.4f} ± {fit.roll_error_rad:.4f} rad; positions take it for 0'
    if abs(fit.roll_rad) > max(MAX_USUAL_ROLL_RAD, 2 * fit.roll_error_rad):
        side = 'counter-clockwise' if fit.roll_rad > 0 else 'clockwise'
        yield (f'  turn the camera {side}, seen from behind it, by '
               f'{abs(np.degrees(fit.roll_rad)):.1f} degrees')
    if are_points:
        yield (f'the camera looks {np.degrees(fit.yaw_rad):+.1f} degrees to the left of the x '
               'axis of the points, which should be its direction')
    near, far = np.percentile(fit.distances_m, [5, 95])
    kind = 'points' if are_points else 'boxes'
    yield (f'{len(fit.distances_m)} {kind}, most of them {near:.1f} to {far:.1f} m ahead; '
           f'residuals: {fit.residual_px:.1f} px (robust standard deviation)')


def _point_table(fit: CameraFit) -> Iterator[str]:
    """Yield the residuals of every floor point."""
    yield '  column [px]  row [px]  residuals [px]'
    for (column, row), (across, down) in zip(
            fit.measured, fit.measured - fit.fitted, strict=True):
        yield f'  {column:11.1f}  {row:8.1f}  {across:+6.1f}  {down:+6.1f}'


def _residual_table(fit: CameraFit) -> Iterator[str]:
    """Yield rows of the residuals of rows in the image, by distance."""
    yield '  distance [m]  count  median [px]  90 % within [px]'
    edges = np.quantile(fit.distances_m, np.linspace(0, 1, DISTANCE_BANDS + 1))
    bands = np.clip(np.searchsorted(edges, fit.distances_m, 'right'), 1, DISTANCE_BANDS)
    residual = (fit.measured - fit.fitted)[:, 1]
    for band in range(1, DISTANCE_BANDS + 1):
        own = residual[bands == band]
        if len(own):
            yield (f'{edges[band - 1]:6.1f}..{edges[band]:4.1f}  {len(own):5d}  '
                   f'{np.median(own):+11.2f}  {np.quantile(np.abs(own), 0.9):16.2f}')
