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

"""Drawing of figures of people in pictures of a room."""

import cv2
import numpy as np
from numpy.random import Generator

from utt_ros.settings import AreaSettings
from utt_ros.types import Array, Image

WALL_GREY, MAX_NOISE = 165, 12  # level of the room, and noise of the camera
FIGURE_COLOUR = (20, 20, 150)  # of all figures, BGR; nothing else is red


def draw_figure(
    image: Image, box: Array, phase: float, colour: tuple[int, ...] = FIGURE_COLOUR,
) -> None:
    """Draw a walking person into a box (5,) [CAMERA_CHANNELS]; `phase` of the stride [rad]."""
    centre, foot, unit = float(box[0]), float(box[1] + box[4] / 2), float(box[4]) / 8

    def at(x: float, y: float) -> tuple[int, int]:
        return round(centre + x * unit), round(foot - y * unit)

    def thick(width: float) -> int:
        return max(1, round(width * unit))

    cv2.ellipse(image, at(0, 7.3), (thick(0.5), thick(0.65)), 0, 0, 360, colour, -1, cv2.LINE_AA)
    trunk = np.array([at(-0.95, 6.4), at(0.95, 6.4), at(0.7, 3.8), at(-0.7, 3.8)])
    cv2.fillPoly(image, [trunk], colour, cv2.LINE_AA)
    for side in (-1, 1):
        swing = side * 0.5 * np.sin(phase)
        cv2.line(image, at(0.35 * side, 3.9), at(0.35 * side + swing, 0.2), colour, thick(0.6),
                 cv2.LINE_AA)
        cv2.line(image, at(side, 6.2), at(1.15 * side - 0.7 * swing, 3.5), colour, thick(0.4),
                 cv2.LINE_AA)


def draw_picture(area: AreaSettings, boxes: Array, phases: Array, rng: Generator) -> Image:
    """Draw the room with people in boxes (N, 5), nearer ones in front of others."""
    shape = (area.image_height, area.image_width, 3)
    image = np.full(shape, WALL_GREY, np.uint8)
    image += rng.integers(0, MAX_NOISE, shape, dtype=np.uint8)
    for row in np.argsort(-boxes[:, 2]):
        draw_figure(image, boxes[row], phases[row])
    return image
