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

"""Questions of `utt setup` about where camera and access point are, answered by surveys."""

import webbrowser
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from math import degrees, radians
from pathlib import Path
from typing import Any

import numpy as np

from utt_ros.cli.area_draft import AreaDraft
from utt_ros.cli.check import check_source, read_sources
from utt_ros.cli.dialogue import Dialogue
from utt_ros.cli.floor_points_page import MAX_NUMBER, FloorPoint, FloorPointsPage
from utt_ros.cli.survey_check import session_of_samples
from utt_ros.cli.view_command import has_display
from utt_ros.errors import MeasurementError
from utt_ros.geometry.camera_survey import (
    CameraFit,
    fit_camera_to_points,
    fit_camera_to_walkers,
)
from utt_ros.sessions.survey_data import survey_yaw, walker_boxes
from utt_ros.types import Session

WALK, POINTS, NUMBERS = 'a walk', 'points on the floor', 'numbers'
MAX_PLACE_M = 1000.0
WALK_S = 120.0


def ask_geometry(asking: Dialogue, draft: AreaDraft, picture: Path) -> None:
    """Ask for heights, angles and places of the sensors that the area has.

    `picture`: a JPEG of its camera, in which points on the floor are clicked.
    """
    drivers = draft.values.get('drivers', [])
    session: Session | None = None
    if 'camera' in drivers:
        ways: dict[str, Callable[[], Session | None]] = {
            WALK: lambda: _walk(asking, draft), POINTS: lambda: _points(asking, draft, picture),
            NUMBERS: lambda: _numbers(asking, draft)}
        while True:
            way = asking.choice('height and pitch of the camera, from', list(ways), NUMBERS)
            try:
                session = ways[way]()
                break
            except MeasurementError as err:
                asking.tell(f'  {err}')
    if 'imu' in drivers:
        _yaw(asking, draft, session)
    if 'ftm' in drivers:
        draft.values['ap_position'] = list(asking.numbers(
            'access point in the area: ahead of the place below the camera, to its left, above '
            'the floor [m]', (0.0, 0.0, 2.5), MAX_PLACE_M))


def _numbers(asking: Dialogue, draft: AreaDraft) -> None:
    draft.values['camera_height'] = asking.number(
        'height of the camera above the floor [m]', 2.5, 0.1, 100.0)
    pitch_deg = asking.number('angle at which it looks below the horizon [degrees]', 12.0,
                              -90.0, 90.0)
    draft.values['camera_pitch'] = round(radians(pitch_deg), 4)


def _points(asking: Dialogue, draft: AreaDraft, picture: Path) -> None:
    def fit(rows: Sequence[FloorPoint]) -> CameraFit:
        points = np.array(rows).reshape(-1, 4)
        return fit_camera_to_points(points[:, :2], points[:, 2:], draft.settings)

    def describe(rows: Sequence[FloorPoint]) -> str:
        try:
            return _fit_text(fit(rows))
        except MeasurementError as err:
            return str(err)

    rows: list[FloorPoint] = []
    with FloorPointsPage(picture.read_bytes(), describe) as page:
        asking.tell(f'four or more points on the floor: click them at {page.address}\nor type '
                    'each here, column and row in the picture [px], and where it is: ahead of '
                    'the\nplace below the camera and to its left [m]; an empty line ends')
        if has_display():
            webbrowser.open(page.address)
        while (row := asking.value(f'point {len(rows) + 1}', '', _read_point)) is not None:
            rows.append(row)
        rows += page.points
    _keep(asking, draft, fit(rows))


def _read_point(answer: str) -> FloorPoint | None:
    if not answer:
        return None
    numbers = tuple(float(word) for word in answer.replace(',', ' ').split())
    if len(numbers) != 4 or not all(abs(number) <= MAX_NUMBER for number in numbers):
        raise ValueError(f'{answer!r}: it must be column, row, ahead, left')
    return numbers


def _walk(asking: Dialogue, draft: AreaDraft) -> Session:
    """Read all sensors while somebody walks. Raises MeasurementError."""
    seconds = asking.number('let somebody walk all over the picture, near and far, with a phone '
                            'held ahead; seconds', WALK_S, 5.0, 3600.0)
    session = session_of_samples(str(draft.values['area']), _read_all(draft, seconds))
    _keep(asking, draft, fit_camera_to_walkers(walker_boxes([session]), draft.settings))
    return session


def _read_all(draft: AreaDraft, seconds: float) -> Sequence[Any]:
    with draft.plan() as area, ExitStack() as stack:
        checks = [check_source(area, kind) for kind in area.drivers]
        for check in checks:
            if check.reader is not None:
                stack.callback(check.reader.stop)
        read_sources(checks, seconds)
    return [sample for check in checks for sample in check.samples]


def _keep(asking: Dialogue, draft: AreaDraft, fit: CameraFit) -> None:
    asking.tell(_fit_text(fit))
    draft.values |= {'camera_height': round(fit.height_m, 3),
                     'camera_pitch': round(fit.pitch_rad, 4)}


def _fit_text(fit: CameraFit) -> str:
    return (f'camera_height {fit.height_m:.2f} ± {fit.height_error_m:.2f} m, camera_pitch '
            f'{degrees(fit.pitch_rad):.1f} ± {degrees(fit.pitch_error_rad):.1f} degrees')


def _yaw(asking: Dialogue, draft: AreaDraft, session: Session | None) -> None:
    if session is not None:
        try:
            fit, _ = survey_yaw([session], draft.settings)
            asking.tell(f'magnetic_yaw {degrees(fit.yaw_rad):.0f} ± {degrees(fit.error_rad):.0f} '
                        'degrees, on the floor that was walked')
            draft.values['magnetic_yaw'] = round(fit.yaw_rad, 4)
            return
        except MeasurementError as err:
            asking.tell(f'  the walk does not tell the direction: {err}')
    bearing = asking.number('compass bearing in which the camera looks, or x points: 0 north, '
                            '90 east [degrees]', 0.0, -180.0, 360.0)
    draft.values['magnetic_yaw'] = round(radians(90.0 - bearing), 4)
