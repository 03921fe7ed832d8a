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

"""Points on the floor, clicked in Chromium and posted; and what the page refuses."""

import io
import json
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from typing import Any

import pytest
from PIL import Image

from utt_ros.cli.floor_points_page import MAX_BODY_BYTES, MAX_POINTS, FloorPointsPage

JSON_HEAD = {'Content_Type': 'application/json'}


@pytest.fixture
def page() -> Iterator[FloorPointsPage]:
    drawn = io.BytesIO()
    Image.new('RGB', (640, 480), (90, 120, 90)).save(drawn, 'JPEG')
    with FloorPointsPage(drawn.getvalue(), lambda points: f'{len(points)} points') as served:
        yield served


def ask(page: FloorPointsPage, method: str, path: str, body: bytes = b'', **head: str) -> Any:
    connection = HTTPConnection(page.address.split('/')[2], timeout=60.0)
    connection.request(method, path, body, {
        name.replace('_', '-'): value for name, value in head.items()})
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_page_and_picture_are_served_and_nothing_else(page: FloorPointsPage) -> None:
    assert b'Click a place on the floor' in ask(page, 'GET', '/')[1]
    assert ask(page, 'GET', '/picture.jpg')[1].startswith(b'\xff\xd8')
    assert ask(page, 'GET', '/../etc/passwd')[0] == 404


def test_posted_points_are_kept_and_described(page: FloorPointsPage) -> None:
    code, text = ask(page, 'POST', '/points', b'[[1, 2, 3.5, -4]]', **JSON_HEAD)
    assert (code, json.loads(text)) == (200, {'text': '1 points'})
    assert page.points == ((1.0, 2.0, 3.5, -4.0),)


@pytest.mark.parametrize('body', [
    b'{}', b'[[1, 2, 3]]', b'[[1, 2, 3, "4"]]', b'[[1, 2, 3, NaN]]', b'[[1, 2, 3, 1e9]]',
    b'[[1, 2, 3, %b]]' % (b'9' * 400), b'[[1, 2, 3, true]]', b'nonsense', b'\xff', b'[' * 60_000,
    json.dumps([[1, 2, 3, 4]] * (MAX_POINTS + 1)).encode()])
def test_what_is_no_list_of_points_is_refused(page: FloorPointsPage, body: bytes) -> None:
    assert ask(page, 'POST', '/points', body, **JSON_HEAD)[0] == 400
    assert page.points == ()


def test_other_sites_names_and_long_bodies_are_refused(page: FloorPointsPage) -> None:
    point = b'[[1, 2, 3, 4]]'
    assert ask(page, 'POST', '/points', point, Content_Type='text/plain')[0] == 403
    assert ask(page, 'POST', '/points', point, Host='evil.example', **JSON_HEAD)[0] == 403
    assert ask(page, 'GET', '/picture.jpg', Host='evil.example')[0] == 403
    assert ask(page, 'POST', '/other', point, **JSON_HEAD)[0] == 403
    assert ask(page, 'POST', '/points', b' ' * (MAX_BODY_BYTES + 1), **JSON_HEAD)[0] == 413
    assert page.points == ()


@pytest.mark.slow
def test_clicks_in_a_browser_become_points(
    page: FloorPointsPage, chromium: Any, wait_until: Callable[..., None],
) -> None:
    tab = chromium.new_page(viewport={'width': 1000, 'height': 900})
    tab.set_default_timeout(60_000)
    tab.goto(page.address)
    picture = tab.get_by_alt_text('picture of the camera')
    width = picture.bounding_box()['width']
    for number, (column, row) in enumerate([(320, 240), (100, 400)], 1):
        picture.click(position={'x': column * width / 640, 'y': row * width / 640})
        tab.get_by_label(f'ahead {number}').fill('4')
        tab.get_by_label(f'left {number}').fill('-1.5')
    wait_until(lambda: len(page.points) == 2, 60.0)
    assert page.points[0] == pytest.approx((320, 240, 4.0, -1.5), abs=1.0)
    assert page.points[1] == pytest.approx((100, 400, 4.0, -1.5), abs=1.0)
    tab.get_by_text('2 points').wait_for()
    tab.get_by_role('button', name='remove').first.click()
    wait_until(lambda: len(page.points) == 1, 60.0)
    tab.close()
