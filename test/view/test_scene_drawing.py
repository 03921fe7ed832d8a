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

"""Scenes as shapes: every shape stands where it should, however many people there are."""

import numpy as np
import pytest

from utt_ros.types import CHI2_90_2D
from utt_ros.view.scene_drawing import (
    CHOSEN,
    ELLIPSE_POINTS,
    MAX_FUTURE_SEGMENTS,
    SEEN,
    UNSEEN,
    draw_areas,
    draw_people,
    drawn_bounds,
    ellipse_segments,
    nearest_people,
    range_rings,
)


@pytest.fixture
def walked(scene, tell, say):
    people = {'ann': 'camera+ftm', 'bob': 'imu'}
    for tick in range(6):
        scene.now_ns += 200_000_000
        tell('/hall/twin_status', 'status', say.status(tick / 5, people))
        for name, side in (('ann', 1.0), ('bob', -2.0)):
            tell(f'/hall/twins/{name}/position', 'position',
                 say.position(tick / 5, 3.0 + 0.1 * tick, side))
            tell(f'/hall/twins/{name}/trajectory', 'future',
                 say.future(tick / 5, [(4.0 + step, side) for step in range(30)]))
        shown = scene.people()
    tell('/hall/markers', 'outline', say.outline(0.0))
    return scene, shown


def test_everybody_has_a_body_a_trail_an_ellipse_a_future_and_a_name(walked):
    scene, people = walked
    drawing = draw_people(scene, people)
    assert drawing.dots['bodies'].points[:, :2] == pytest.approx(np.array([[3.5, 1], [3.5, -2]]))
    assert drawing.dots['bodies'].colors.tolist() == [list(SEEN), list(UNSEEN)]
    assert len(drawing.lines['trails'].points) == 2 * 5
    assert len(drawing.lines['ellipses'].points) == 2 * ELLIPSE_POINTS
    assert 2 <= len(drawing.lines['futures'].points) <= 2 * MAX_FUTURE_SEGMENTS
    assert [label.text for label in drawing.labels] == ['ann  camera+ftm', 'bob  imu']
    for lines in drawing.lines.values():
        assert lines.points.shape == lines.colors.shape


def test_chosen_person_has_a_colour_of_its_own(walked):
    drawing = draw_people(*walked, chosen='bob')
    assert drawing.dots['bodies'].colors.tolist() == [list(SEEN), list(CHOSEN)]


def test_names_are_of_the_nearest_people_and_of_the_chosen_one(walked):
    scene, people = walked
    ann, bob = people
    near_ann = ann.position[:2]
    assert nearest_people(people, near_ann, count=1) == [ann]
    assert nearest_people(people, near_ann, 'bob', count=1) == [bob]
    assert nearest_people(people, bob.position[:2]) == people
    drawing = draw_people(scene, people, named=[bob])
    assert [label.text for label in drawing.labels] == ['bob  imu']
    assert drawing.labels[0].place[:2] == (3.5, -2.0)
    assert len(drawing.dots['bodies'].points) == 2


def test_nobody_is_an_empty_drawing(scene):
    drawing = draw_people(scene, [])
    assert all(len(lines.points) == 0 for lines in drawing.lines.values())
    assert len(drawing.dots['bodies'].points) == 0


def test_fields_of_view_and_access_points_stand_in_the_area(walked):
    drawing = draw_areas(walked[0])
    assert len(drawing.lines['views'].points) == 4
    masts = drawing.lines['access_points'].points
    assert masts[0].tolist() == [[1.0, 2.0, 0.0], [1.0, 2.0, 2.5]]
    assert [label.text for label in drawing.labels] == ['hall']


@pytest.mark.parametrize('angle', [0.0, 0.7, 2.0])
def test_ellipse_holds_ninety_percent_along_its_axes(angle):
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    covariance = turn @ np.diag([4.0, 0.25]) @ turn.T
    ring = ellipse_segments(np.array([[1.0, 2.0, 0.0]]), covariance[None])[:, 0, :2] - (1.0, 2.0)
    distance = np.einsum('ni,ij,nj->n', ring, np.linalg.inv(covariance), ring)
    assert distance == pytest.approx(CHI2_90_2D, rel=1e-4)
    assert np.abs(ring @ turn[:, 0]).max() == pytest.approx(2 * CHI2_90_2D**0.5, rel=0.01)


def test_ranges_are_rings_around_the_access_point(walked):
    rings = range_rings(walked[0], '/hall', {SEEN: 2.0, UNSEEN: 3.0})
    radii = np.hypot(*(rings.points[:, 0, :2] - (1.0, 2.0)).T)
    assert sorted(set(radii.round(3).tolist())) == [2.0, 3.0]
    assert len(range_rings(walked[0], '/yard', {SEEN: 2.0}).points) == 0


def test_bounds_hold_all_that_is_drawn(walked):
    low, high = drawn_bounds(*walked)
    assert (low <= [0.0, -9.0]).all()
    assert (high >= [12.0, 9.0]).all()
