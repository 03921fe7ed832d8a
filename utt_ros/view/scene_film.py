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

"""Pictures and films of a scene, without a browser: from above, by Pillow."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from utt_ros.errors import SessionError
from utt_ros.types import Array, FloatArray
from utt_ros.types import Image as ImageArray
from utt_ros.view.floor_image import FloorImage
from utt_ros.view.scene import Scene, ScenePerson
from utt_ros.view.scene_drawing import Colors, Drawing, draw_areas, draw_people, drawn_bounds

WIDTH_PX, MAX_HEIGHT_PX = 900, 700
FINE = 2  # lines are drawn so many times larger, and averaged
BODY_RADIUS_PX, TRUTH_RADIUS_PX, LINE_PX = 6, 2, 2.0
FILL_ALPHA = 40  # of closed outlines, of 255
TEXT_PX, HALO_PX = 13, 2
FRAME_MS = 150
MAX_FILM_FRAMES = 400
FILM_COLORS = 96
BACKGROUND, TEXT_RGB = (255, 255, 255), (70, 70, 70)


class ScenePainter:
    """Paints drawings of one building from above, always with the same borders.

    A tall building is turned clockwise: x points down then, and y to the right.
    """

    def __init__(self, corners: tuple[Array, Array], width_px: int = WIDTH_PX) -> None:
        """`corners`: lower and upper one (2,) [m] of what is painted."""
        self._low, high = corners
        span_m = np.maximum(high - self._low, 1.0)
        self._is_turned = bool(span_m[1] > span_m[0])
        span_m = span_m[::-1] if self._is_turned else span_m
        self._scale = min(width_px / span_m[0], MAX_HEIGHT_PX / span_m[1])  # [px/m]
        self._size = tuple(max(2, int(side * self._scale)) // 2 * 2 for side in span_m)
        self._font = ImageFont.load_default(TEXT_PX * FINE)

    def paint(
        self, drawings: Sequence[Drawing], floor: FloorImage | None = None, title: str = '',
    ) -> ImageArray:
        """Return colours (H, W, 3)."""
        width, height = self._size
        picture = Pictures.new('RGB', (width * FINE, height * FINE), BACKGROUND)
        if floor is not None:
            self._paint_floor(picture, floor)
        brush = ImageDraw.Draw(picture, 'RGBA')
        for drawing in drawings:
            self._paint(brush, drawing)
        self._write(brush, (6 * FINE, 4 * FINE), title)
        return np.asarray(picture.resize((width, height), Pictures.Resampling.BOX))

    def _paint(self, brush: ImageDraw.ImageDraw, drawing: Drawing) -> None:
        thickness = max(1, round(LINE_PX * FINE))
        for lines in drawing.lines.values():
            ends = self._pixels(lines.points.reshape(-1, 3)).reshape(-1, 4)
            self._fill(brush, ends, lines.colors)
            for segment, color in zip(ends.tolist(), lines.colors[:, 1].tolist(), strict=True):
                brush.line(segment, fill=tuple(color), width=thickness)
        for name, dots in drawing.dots.items():
            radius = FINE * (BODY_RADIUS_PX if name == 'bodies' else TRUTH_RADIUS_PX)
            places = self._pixels(dots.points)
            corners = np.concatenate([places - radius, places + radius], axis=1)
            for corner, color in zip(corners.tolist(), dots.colors.tolist(), strict=True):
                brush.ellipse(corner, fill=tuple(color))
        for label in drawing.labels:
            x, y = self._pixels(np.array([label.place]))[0].tolist()
            self._write(brush, (x + 9 * FINE, y - 8 * FINE), label.text)

    def _write(self, brush: ImageDraw.ImageDraw, place: tuple[float, float], text: str) -> None:
        """Write a text with a halo, not beyond the right border."""
        room = self._size[0] * FINE - brush.textlength(text, self._font) - HALO_PX * FINE
        brush.text((max(0.0, min(place[0], room)), place[1]), text, TEXT_RGB, font=self._font,
                   stroke_width=HALO_PX * FINE, stroke_fill=(*BACKGROUND, 200))

    def _fill(self, brush: ImageDraw.ImageDraw, ends: Array, colors: Colors) -> None:
        """Fill the closed outlines among segments (M, 4) [px]."""
        breaks = np.flatnonzero(np.any(ends[1:, :2] != ends[:-1, 2:], axis=1)) + 1
        for outline, color in zip(np.split(ends, breaks), np.split(colors, breaks), strict=True):
            if len(outline) > 2 and np.allclose(outline[-1, 2:], outline[0, :2], atol=FINE):
                brush.polygon(outline[:, :2].ravel().tolist(),
                              fill=(*color[0, 0].tolist(), FILL_ALPHA))

    def _paint_floor(self, picture: Pictures.Image, floor: FloorImage) -> None:
        size = (max(1, round(floor.width_m * self._scale * FINE)),
                max(1, round(floor.height_m * self._scale * FINE)))
        turned = Pictures.fromarray(floor.image).resize(size).rotate(
            np.degrees(floor.origin.yaw) - 90.0 * self._is_turned, expand=True,
            fillcolor=BACKGROUND)
        x, y = self._pixels(np.array([floor.center]))[0]
        picture.paste(turned, (round(x - turned.width / 2), round(y - turned.height / 2)))

    def _pixels(self, points: Array | FloatArray) -> Array:
        """Return places (N, 2) [px] in the fine picture, from its upper left corner."""
        x, y = ((points[:, :2] - self._low) * (self._scale * FINE)).T
        columns = [y, x] if self._is_turned else [x, self._size[1] * FINE - y]
        return np.stack(columns, axis=1)


def paint_scene(
    painter: ScenePainter, scene: Scene, people: Sequence[ScenePerson], title: str = '',
) -> ImageArray:
    """Return a picture (H, W, 3) of a scene."""
    return painter.paint([draw_areas(scene), draw_people(scene, people)], scene.floor, title)


def scene_painter(scene: Scene, people: Sequence[ScenePerson]) -> ScenePainter:
    """Return a painter for all that a scene shows now."""
    return ScenePainter(drawn_bounds(scene, people))


def write_film(path: Path, pictures: Iterable[ImageArray], frame_ms: int = FRAME_MS) -> int:
    """Write an animated GIF that repeats; return the number of frames. Raises SessionError."""
    shown = list(islice(pictures, MAX_FILM_FRAMES))
    if not shown:
        raise SessionError(f'{path}: there is nothing to film')
    sample = np.concatenate(shown[::max(1, len(shown) // 4)])
    palette = Pictures.fromarray(sample).quantize(  # with rare colours, which people have
        FILM_COLORS, Pictures.Quantize.MAXCOVERAGE, kmeans=1)
    frames = [Pictures.fromarray(picture).quantize(
        palette=palette, dither=Pictures.Dither.NONE) for picture in shown]
    path.parent.mkdir(parents=True, exist_ok=True)
    frames[0].save(path, format='GIF', save_all=True, append_images=frames[1:],
                   duration=frame_ms, loop=0, optimize=True)
    return len(frames)
