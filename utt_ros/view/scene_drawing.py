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

"""Scene -> shapes to draw, for a browser and for pictures alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from utt_ros.types import CHI2_90_2D, Array, FloatArray
from utt_ros.view.scene import Scene, ScenePerson

Colors = npt.NDArray[np.uint8]
Color = tuple[int, int, int]

SEEN, UNSEEN = (230, 120, 20), (30, 120, 220)  # by whether a camera sees the person
TRUTH, VIEW, ACCESS_POINT, INK = (120, 120, 120), (190, 170, 60), (20, 110, 60), (60, 60, 60)
CHOSEN = (200, 30, 110)
PAPER = np.array((255, 255, 255))  # what trails fade to
ELLIPSE_POINTS = 24
MAX_FUTURE_SEGMENTS = 10
MAX_NAMES = 20  # written at once beside people
MAX_AXIS_M = 25.0  # half an axis of a drawn ellipse
FLOOR_M, PATH_M, BODY_M, LABEL_M = 0.03, 0.06, 1.0, 1.9  # heights above the floor
MAST_M = 0.35  # half a side of the mark of an access point


@dataclass(frozen=True, slots=True)
class Lines:
    """Line segments (M, 2, 3) [m] with the colours (M, 2, 3) of their ends."""

    points: FloatArray
    colors: Colors


@dataclass(frozen=True, slots=True)
class Dots:
    """Dots (N, 3) [m] with their colours (N, 3)."""

    points: FloatArray
    colors: Colors


@dataclass(frozen=True, slots=True)
class Label:
    """Text at a place (3,) [m]."""

    text: str
    place: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Layers of lines and dots by name, and labels."""

    lines: Mapping[str, Lines]
    dots: Mapping[str, Dots]
    labels: tuple[Label, ...]


def draw_areas(scene: Scene) -> Drawing:
    """Draw what stands still: fields of view, access points, names of areas."""
    views, masts, labels = [], [], []
    for root, area in sorted(scene.areas.items()):
        pose = scene.place(root).pose
        outline = area.outline
        x, y = pose.to_map(np.zeros((1, 2)))[0].tolist()
        labels.append(Label(area.name, (x, y, pose.z + FLOOR_M)))
        if outline is None:
            continue
        if len(outline.view) > 1:
            views.append(_path(_lift(pose.to_map(outline.view), pose.z + FLOOR_M)))
        for place in outline.access_points:
            center = np.array([*pose.to_map(place[None, :2])[0], pose.z + place[2]])
            masts.append(_mast(center, pose.z))
    return Drawing({'views': _lines(views, VIEW), 'access_points': _lines(masts, ACCESS_POINT)},
                   {}, tuple(labels))


def draw_people(
    scene: Scene, people: Sequence[ScenePerson], chosen: str = '',
    named: Sequence[ScenePerson] | None = None,
) -> Drawing:
    """Draw what moves: bodies, trails, 90 % ellipses, futures, names with sources, truths.

    `named`: people whose names and sources are written; everybody by default.
    """
    colors = np.array([CHOSEN if person.title == chosen else SEEN if person.is_seen else UNSEEN
                       for person in people], np.uint8).reshape(-1, 3)
    places = np.array([person.position for person in people]).reshape(-1, 3)
    trails, futures, trail_colors, future_colors = [], [], [], []
    for person, color in zip(people, colors, strict=True):
        height = person.position[2] + PATH_M
        if len(person.trail) > 1:
            segments = _path(_lift(person.trail, height))
            trails.append(segments)
            trail_colors.append(_faded(tuple(color.tolist()), len(segments)))
        if len(person.future):
            path = np.concatenate([person.position[None, :2], person.future])
            step = max(1, -(-len(path) // MAX_FUTURE_SEGMENTS))
            futures.append(_path(_lift(path[::step], height)))
            future_colors.append(np.broadcast_to(color, (len(futures[-1]), 2, 3)))
    ellipses = ellipse_segments(places, np.array(
        [person.covariance for person in people]).reshape(-1, 2, 2))
    truths = scene.truths() + np.array((0.0, 0.0, PATH_M))
    labels = tuple(
        Label(person_text(person), (float(x), float(y), float(z) + LABEL_M))
        for person in (people if named is None else named) for x, y, z in [person.position])
    return Drawing(
        {'trails': _colored(trails, trail_colors), 'futures': _colored(futures, future_colors),
         'ellipses': Lines(ellipses, np.repeat(colors, ELLIPSE_POINTS, axis=0)[:, None].repeat(
             2, axis=1))},
        {'bodies': Dots((places + np.array((0.0, 0.0, BODY_M))).astype(np.float32), colors),
         'truths': Dots(truths.astype(np.float32),
                        np.broadcast_to(np.array(TRUTH, np.uint8), truths.shape))},
        labels)


def nearest_people(
    people: Sequence[ScenePerson], place: Array, chosen: str = '', count: int = MAX_NAMES,
) -> list[ScenePerson]:
    """Return the people nearest to a place (2,) [m], the chosen one among them, in their order."""
    far_m = [-1.0 if person.title == chosen else float(np.hypot(*(person.position[:2] - place)))
             for person in people]
    return [people[row] for row in sorted(np.argsort(far_m, kind='stable')[:count].tolist())]


def person_text(person: ScenePerson) -> str:
    """Return name and sources of a person."""
    return f'{person.name}  {person.sources}'.rstrip()


def range_rings(scene: Scene, root: str, ranges_m: Mapping[Color, float]) -> Lines:
    """Draw ranges as rings around the first access point of an area, by colour."""
    area = scene.areas.get(root)
    if area is None or area.outline is None or not len(area.outline.access_points):
        return _lines([], INK)
    pose = scene.place(root).pose
    center = pose.to_map(area.outline.access_points[:1, :2])[0]
    angle = np.linspace(0.0, 2 * np.pi, 4 * ELLIPSE_POINTS + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rings = [_path(_lift(center + radius * circle, pose.z + FLOOR_M))
             for radius in ranges_m.values()]
    colors = [np.broadcast_to(np.array(color, np.uint8), (len(ring), 2, 3))
              for color, ring in zip(ranges_m, rings, strict=True)]
    return _colored(rings, colors)


def ellipse_segments(places: Array, covariances: Array) -> FloatArray:
    """Return the 90 % ellipses as segments (N ELLIPSE_POINTS, 2, 3) of places (N, 3) [m]."""
    angle = np.linspace(0.0, 2 * np.pi, ELLIPSE_POINTS + 1)
    circle = np.stack([np.cos(angle), np.sin(angle)])  # (2, K)
    variances, axes = np.linalg.eigh(covariances)
    half = np.sqrt(CHI2_90_2D * np.clip(variances, 1e-6, None)).clip(max=MAX_AXIS_M)
    rings = np.einsum('nij,nj,jk->nki', axes, half, circle) + places[:, None, :2]  # (N, K, 2)
    lifted = np.concatenate(
        [rings, np.broadcast_to(places[:, None, 2:] + FLOOR_M, (*rings.shape[:2], 1))], axis=2)
    segments = np.stack([lifted[:, :-1], lifted[:, 1:]], axis=2)
    return segments.reshape(-1, 2, 3).astype(np.float32)


def drawn_bounds(scene: Scene, people: Sequence[ScenePerson]) -> tuple[Array, Array]:
    """Return the lower and the upper corner (2,) [m] of all that is drawn on the floor.

    Fields of view are not counted where there is a floor plan: walls end them.
    """
    points: list[Array] = [person.position[:2] for person in people]
    for root, area in scene.areas.items():
        pose = scene.place(root).pose
        shapes: list[Array] = [np.zeros((1, 2))]
        if area.outline is not None:
            shapes += [area.outline.access_points[:, :2]]
            shapes += [area.outline.view] if scene.floor is None else []
        points += list(pose.to_map(np.concatenate(shapes)))
    if scene.floor is not None:
        center = np.array(scene.floor.center)
        half = np.array([scene.floor.width_m, scene.floor.height_m]) / 2
        size = np.abs(scene.floor.origin.rotation()) @ half
        points += [center - size, center + size]
    corners = np.array(points) if points else np.array([(-5.0, -5.0), (5.0, 5.0)])
    return corners.min(axis=0) - 1.0, corners.max(axis=0) + 1.0


def _lift(points: Array, z: float) -> Array:
    return np.concatenate([points, np.full((len(points), 1), z)], axis=1)


def _path(points: Array) -> Array:
    """Return the segments (N - 1, 2, 3) of a path (N, 3)."""
    return np.stack([points[:-1], points[1:]], axis=1)


def _mast(top: Array, floor_m: float) -> Array:
    """Draw an access point: a line up from the floor and a cross at its place."""
    foot = np.array([top[0], top[1], floor_m])
    side, ahead = np.array([MAST_M, 0.0, 0.0]), np.array([0.0, MAST_M, 0.0])
    return np.array([[foot, top], [top - side, top + side], [top - ahead, top + ahead],
                     [foot - side, foot + side], [foot - ahead, foot + ahead]])


@lru_cache(maxsize=256)
def _faded(color: Color, count: int) -> Colors:
    """Return colours (N, 2, 3) from nearly paper to the colour."""
    share = np.linspace(0.15, 1.0, count + 1)[:, None]
    steps = (PAPER * (1 - share) + np.array(color) * share).astype(np.uint8)
    return np.stack([steps[:-1], steps[1:]], axis=1)


def _lines(parts: Sequence[Array], color: Color) -> Lines:
    return _colored(parts, [np.broadcast_to(np.array(color, np.uint8), (len(part), 2, 3))
                            for part in parts])


def _colored(parts: Sequence[Array], colors: Sequence[Colors]) -> Lines:
    if not parts:
        return Lines(np.empty((0, 2, 3), np.float32), np.empty((0, 2, 3), np.uint8))
    return Lines(np.concatenate(parts).astype(np.float32), np.concatenate(colors))
