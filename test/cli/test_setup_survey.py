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

import json
import re
from collections.abc import Callable, Iterator
from math import cos, radians, sin
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from utt_ros.cli import setup_survey
from utt_ros.cli.area_draft import AreaDraft
from utt_ros.cli.dialogue import Dialogue
from utt_ros.cli.setup_survey import ask_geometry
from utt_ros.settings import AreaSettings
from utt_ros.types import Session

HEIGHT_M, PITCH_RAD = 3.0, 0.3
NO_PICTURE = Path('none.jpg')
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
    ask_geometry(answering('numbers', '2.8', '15', '90', '1 2 2.2')[0], area, NO_PICTURE)
    assert area.values['camera_height'] == 2.8
    assert area.values['camera_pitch'] == pytest.approx(radians(15), abs=1e-4)
    assert area.values['magnetic_yaw'] == 0.0
    assert area.values['ap_position'] == [1.0, 2.0, 2.2]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    (tmp_path / 'area.jpg').write_bytes(b'JPEG')
    return tmp_path / 'area.jpg'


def test_points_on_the_floor_give_height_and_pitch_once_they_are_enough(picture: Path) -> None:
    area = draft('camera')
    asking, told = answering(
        '2', row(4.0, 0.0), 'a b', '', '2', *(row(*place) for place in PLACES), '')
    ask_geometry(asking, area, picture)
    assert any('1 points: at least' in text for text in told)
    assert area.values['camera_height'] == pytest.approx(HEIGHT_M, abs=0.01)
    assert area.values['camera_pitch'] == pytest.approx(PITCH_RAD, abs=0.002)


def test_points_clicked_on_the_page_count_as_typed_ones(picture: Path) -> None:
    area, told = draft('camera'), []
    rows = [[float(word) for word in row(*place).split()] for place in PLACES]

    def click(_: str) -> str:
        address = re.search(r'http://\S+', ' '.join(told))
        assert address
        body = json.dumps(rows[:4]).encode()
        request = Request(f'{address[0]}points', body, {'Content-Type': 'application/json'})
        with urlopen(request, timeout=60.0) as page:
            assert 'camera_height 3.00' in json.loads(page.read())['text']
        return ''

    answers = iter([lambda _: 'points on the floor', lambda _: row(*PLACES[4]), click])
    ask_geometry(Dialogue(lambda question: next(answers)(question), told.append), area, picture)
    assert area.values['camera_height'] == pytest.approx(HEIGHT_M, abs=0.01)


def test_a_walk_gives_the_yaw_of_its_floor(
        monkeypatch: pytest.MonkeyPatch,
        walked: Callable[..., tuple[AreaSettings, list[Session]]]) -> None:
    settings, (session, *_) = walked(0)
    monkeypatch.setattr(setup_survey, '_read_all', lambda *_: [])
    monkeypatch.setattr(setup_survey, 'session_of_samples', lambda *_: session)
    area = draft('camera', 'imu')
    area.values |= {name: getattr(settings, name) for name in (
        'image_width', 'image_height', 'fx', 'fy', 'cx', 'cy')}
    asking, told = answering('a walk', '20')
    ask_geometry(asking, area, NO_PICTURE)
    assert area.values['magnetic_yaw'] == pytest.approx(settings.magnetic_yaw, abs=0.2)
    assert re.fullmatch(
        r'magnetic_yaw -?\d+ ± \d degrees, on the floor that was walked', told[-1])


def test_sensors_that_the_area_has_not_are_not_asked_for() -> None:
    area = draft()
    ask_geometry(answering()[0], area, NO_PICTURE)
    assert 'camera_height' not in area.values
