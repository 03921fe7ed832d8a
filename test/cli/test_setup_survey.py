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

"""Height and pitch from numbers and from points on the floor; yaw from a bearing."""

from collections.abc import Iterator
from math import cos, radians, sin

import pytest

from utt_ros.cli.area_draft import AreaDraft
from utt_ros.cli.dialogue import Dialogue
from utt_ros.cli.setup_survey import ask_geometry

HEIGHT_M, PITCH_RAD = 3.0, 0.3
PLACES = [(4.0, 0.0), (5.0, 2.0), (6.0, -2.0), (8.0, 1.0), (10.0, -3.0)]


def draft(*drivers: str) -> AreaDraft:
    made = AreaDraft({'area': 'hall', 'image_width': 1280, 'image_height': 720, 'fx': 900.0,
                      'fy': 900.0, 'cx': 640.0, 'cy': 360.0})
    for name in drivers:
        made.set_driver(name, {})
    return made


def answering(*answers: str) -> tuple[Dialogue, list[str]]:
    told: list[str] = []
    left: Iterator[str] = iter(answers)
    return Dialogue(lambda _: next(left), told.append), told


def row(ahead: float, to_left: float) -> str:
    """Return column, row, ahead and left of a point on the floor, by the pinhole camera."""
    forward = ahead * cos(PITCH_RAD) + HEIGHT_M * sin(PITCH_RAD)
    down = HEIGHT_M * cos(PITCH_RAD) - ahead * sin(PITCH_RAD)
    column, line = 640 - 900 * to_left / forward, 360 + 900 * down / forward
    return f'{column:.2f} {line:.2f} {ahead} {to_left}'


def test_numbers_are_taken_in_degrees_and_bearings_from_north() -> None:
    area = draft('camera', 'imu', 'ftm')
    ask_geometry(answering('numbers', '2.8', '15', '90', '1 2 2.2')[0], area)
    assert area.values['camera_height'] == 2.8
    assert area.values['camera_pitch'] == pytest.approx(radians(15), abs=1e-4)
    assert area.values['magnetic_yaw'] == 0.0
    assert area.values['ap_position'] == [1.0, 2.0, 2.2]


def test_points_on_the_floor_give_height_and_pitch_once_they_are_enough() -> None:
    area = draft('camera')
    asking, told = answering(
        '2', row(4.0, 0.0), 'a b', '', '2', *(row(*place) for place in PLACES), '')
    ask_geometry(asking, area)
    assert any('1 points: at least' in text for text in told)
    assert area.values['camera_height'] == pytest.approx(HEIGHT_M, abs=0.01)
    assert area.values['camera_pitch'] == pytest.approx(PITCH_RAD, abs=0.002)


def test_sensors_that_the_area_has_not_are_not_asked_for() -> None:
    area = draft()
    ask_geometry(answering()[0], area)
    assert 'camera_height' not in area.values
