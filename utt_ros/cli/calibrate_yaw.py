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

"""`utt calibrate yaw`: direction of an area's x axis from magnetic east."""

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
from utt_ros.drivers.imu.yaw_survey_plot import draw_yaw_survey
from utt_ros.geometry.yaw_survey import GOOD_YAW_ERROR_RAD, YawFit
from utt_ros.sessions.survey_data import survey_yaw

YAW_EXAMPLES = """
examples:
  utt calibrate yaw bags/*                           two minutes of walks in view of the camera
  utt calibrate yaw bags/* --area hall.yaml --out hall/yaw.yaml

People walk all over the room, in all directions, with a phone in the hand that points ahead. Every
walk is given to the phone of its label; without labels, to the only phone, or to the one whose
compass alone follows it. Calibrate the camera first: courses are its own.
"""


def configure_yaw(parser: argparse.ArgumentParser) -> None:
    parser.epilog, parser.formatter_class = YAW_EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument('sources', type=Path, nargs='+', metavar='BAG', help='bags with walks')
    add_survey_arguments(parser, 'yaw_survey.yaml')
    parser.set_defaults(run=run_yaw_survey)


def run_yaw_survey(args: argparse.Namespace) -> int:
    """Fit, print, write and draw the yaw of an area."""
    area = read_surveyed_area(args, args.sources)
    fit, by_steps = survey_yaw(read_survey_bags(args.sources, area), area)
    report_survey(args, area, _yaw_values(fit), [*_yaw_remarks(fit, by_steps), *_phone_table(fit)],
                  partial(draw_yaw_survey, fit=fit))
    return 0


def _yaw_values(fit: YawFit) -> dict[str, SurveyedValue]:
    """Return the setting of an area that a fitted yaw gives."""
    return {'magnetic_yaw': SurveyedValue(fit.yaw_rad, fit.error_rad, 'rad', 4)}


def _yaw_remarks(fit: YawFit, by_steps: bool) -> Iterator[str]:
    yield (f'{len(fit.samples.phones)} samples of {len(fit.samples.names)} phones; residuals: '
           f'{np.degrees(fit.residual_rad):.1f} degrees (robust standard deviation)')
    yield ('how phones were held: from the steps' if by_steps else
           'how phones were held: not known from the steps, so ahead in the mean of phones')
    yield (f'the error is {np.degrees(fit.error_rad):.1f} degrees for compasses in the mean of '
           f'the walked floor, {np.degrees(fit.field_error_rad):.1f} for the undisturbed field')
    yield from _yaw_limits(fit)


def _yaw_limits(fit: YawFit) -> Iterator[str]:
    """Yield what the walks cannot tell within GOOD_YAW_ERROR_RAD, and what to do."""
    degrees = f'{np.degrees(GOOD_YAW_ERROR_RAD):.0f} degrees'
    if fit.error_rad > GOOD_YAW_ERROR_RAD:
        yield (f'these walks cannot tell the yaw within {degrees}: walk with more phones, held '
               'straight ahead, in all directions')
    elif fit.field_error_rad > GOOD_YAW_ERROR_RAD:
        yield (f'they cannot tell within {degrees} how the room lies in the undisturbed field: '
               'iron turns compasses where people walked; the twin needs the yaw of that floor')


def _phone_table(fit: YawFit) -> Iterator[str]:
    """Yield a row per phone: samples, angle to the course, residuals."""
    yield '  phone             samples  held to the left [deg]  90 % within [deg]'
    for number, name in enumerate(fit.samples.names):
        own = fit.samples.phones == number
        if own.any():
            rest = np.abs(fit.deviations_rad[own])
            yield (f'  {name:16s}  {int(own.sum()):7d}  '
                   f'{np.degrees(fit.carried_rad[number]):+22.1f}  '
                   f'{np.degrees(np.quantile(rest, 0.9)):17.1f}')
