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

"""Pictures from above, and films of them."""

import numpy as np
import pytest
from PIL import Image

from utt_ros.errors import SessionError
from utt_ros.view import scene_film as module
from utt_ros.view.scene_drawing import SEEN, Drawing, Lines
from utt_ros.view.scene_film import ScenePainter, paint_scene, scene_painter, write_film


@pytest.fixture
def hall(scene, tell, say):
    tell('/hall/twin_status', 'status', say.status(0.0, {'ann': 'camera'}))
    tell('/hall/markers', 'outline', say.outline(0.0))
    return scene


def body(picture):
    """Return the mean place of the pixels of the person's colour."""
    rows, columns = np.nonzero(np.abs(picture.astype(int) - SEEN).sum(axis=2) < 30)
    return float(columns.mean()), float(rows.mean())


@pytest.fixture
def walk(hall, tell, say):
    """`walk([(x, y), ...])` paints the person at positions [m]; return those in the pictures."""
    def paint(positions):
        painter, places = None, []
        for x, y in positions:
            hall.forget_motion()
            tell('/hall/twin_status', 'status', say.status(0.0, {'ann': 'camera'}))
            tell('/hall/twins/ann/position', 'position', say.position(0.0, x, y, 1e-4))
            people = hall.people()
            painter = painter or scene_painter(hall, people)
            places.append(body(paint_scene(painter, hall, people)))
        return places
    return paint


def test_a_step_ahead_moves_the_body_to_the_right_and_a_step_left_moves_it_up(tell, say, walk):
    tell('/map', 'floor', say.floor(30, 80))  # it is wider than high
    (x0, y0), (x1, y1), (x2, y2) = walk([(4.0, 0.0), (6.0, 0.0), (6.0, 2.0)])
    assert x1 - x0 > 20.0
    assert y1 - y2 == pytest.approx(x1 - x0, abs=4.0)
    assert (y0 - y1, x1 - x2) == (pytest.approx(0.0, abs=4.0), pytest.approx(0.0, abs=4.0))


def test_floor_plan_lies_below_at_its_place(hall, tell, say):
    tell('/map', 'floor', say.floor(4, 4, [100] * 16))
    picture = paint_scene(scene_painter(hall, []), hall, [])
    walls = (picture == module.np.uint8(90)).all(axis=2)
    assert 0.001 < walls.mean() < 0.2


def test_a_tall_building_is_turned_so_that_a_step_ahead_moves_the_body_down(walk):
    (x0, y0), (x1, y1), (x2, y2) = walk([(2.0, 4.0), (4.0, 4.0), (4.0, 6.0)])
    assert y1 - y0 > 20.0
    assert x2 - x1 == pytest.approx(y1 - y0, abs=4.0)
    assert (x1 - x0, y2 - y1) == (pytest.approx(0.0, abs=4.0), pytest.approx(0.0, abs=4.0))


def test_closed_outlines_are_filled_and_paths_are_not(hall):
    around = [[0, 0, 0], [4, 0, 0], [4, 4, 0], [0, 4, 0]]
    for ends, is_filled in ((around[1:] + around[:1], True), ([*around[1:], [2, 2, 0]], False)):
        lines = Lines(np.array([around, ends], np.float32).transpose(1, 0, 2),
                      np.full((4, 2, 3), 10, np.uint8))
        picture = ScenePainter((np.zeros(2), np.full(2, 4.0))).paint(
            [Drawing({'outline': lines}, {}, ())])
        corner = picture[picture.shape[0] // 4, picture.shape[1] // 2]
        assert (corner < 250).all() == is_filled


def test_the_film_keeps_the_colour_of_a_single_person(tmp_path):
    rows = np.arange(100)[:, None, None] + np.arange(100)[None, :, None]
    picture = np.broadcast_to(rows, (100, 100, 3)).astype(np.uint8)  # many shades of grey
    picture = picture.copy()
    picture[40:46, 40:46] = SEEN
    write_film(tmp_path / 'film.gif', [picture] * 3)
    with Image.open(tmp_path / 'film.gif') as film:
        shown = np.array(film.convert('RGB')).astype(int)
    assert np.abs(shown[42, 42] - SEEN).max() < 20


def test_film_is_a_gif_that_repeats(tmp_path):
    pictures = [np.full((10, 12, 3), shade, np.uint8) for shade in (0, 120, 240)]
    path = tmp_path / 'new' / 'film.gif'
    assert write_film(path, pictures) == 3
    with Image.open(path) as film:
        assert (film.n_frames, film.size, film.info['loop']) == (3, (12, 10), 0)


def test_film_of_nothing_is_refused_and_a_long_one_is_cut(tmp_path, monkeypatch):
    with pytest.raises(SessionError, match='nothing to film'):
        write_film(tmp_path / 'film.gif', [])
    monkeypatch.setattr(module, 'MAX_FILM_FRAMES', 2)
    shades = (np.full((4, 4, 3), shade, np.uint8) for shade in (0, 90, 180))
    assert write_film(tmp_path / 'film.gif', shades) == 2
