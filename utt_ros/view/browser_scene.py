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

"""Drawings in a browser, by viser: one node per layer, changed and never piled up."""

from typing import Any

import numpy as np

from utt_ros.types import Array
from utt_ros.view.floor_image import FloorImage
from utt_ros.view.scene_drawing import Dots, Drawing, Label, Lines

LINE_WIDTHS_PX = {'trails': 2.5, 'access_points': 3.0}  # others: THIN_PX
THIN_PX = 1.5
LABEL_SCALE = 0.8
DOT_SIZES_M = {'bodies': 0.45, 'truths': 0.2}
FLOOR_Z_M = -0.01


class BrowserScene:
    """Layers and labels of a viser scene."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._lines: dict[str, tuple[Any, Lines]] = {}
        self._dots: dict[str, tuple[Any, Dots]] = {}
        self._labels: dict[str, tuple[Any, Label]] = {}

    def show(self, drawing: Drawing, group: str) -> None:
        """Show a drawing in place of the former one of this group."""
        for name, lines in drawing.lines.items():
            self._show_lines(name, lines)
        for name, dots in drawing.dots.items():
            self._show_dots(name, dots)
        labels = {f'{group}/{label.key}': label for label in drawing.labels}
        for key in [key for key in self._labels
                    if key.startswith(f'{group}/') and key not in labels]:
            self._labels.pop(key)[0].remove()
        for number, (key, label) in enumerate(labels.items()):
            self._show_label(f'/labels/{group}/{number}/{len(self._labels)}', key, label)

    def show_lines(self, name: str, lines: Lines) -> None:
        """Show one layer of lines in place of the former one."""
        self._show_lines(name, lines)

    def show_floor(self, floor: FloorImage) -> None:
        """Show the floor plan below everything."""
        half = floor.origin.yaw / 2
        turn = _product(np.array([np.cos(half), 0.0, 0.0, np.sin(half)]), np.array([0, 1.0, 0, 0]))
        self._scene.add_image(
            '/floor', floor.image, floor.width_m, floor.height_m, format='png',
            wxyz=turn, position=(*floor.center, floor.origin.z + FLOOR_Z_M))

    def _show_lines(self, name: str, lines: Lines) -> None:
        node, shown = self._lines.get(name, (None, None))
        if shown is not None and np.array_equal(shown.points, lines.points) and np.array_equal(
                shown.colors, lines.colors):
            return
        if node is not None and not len(lines.points):
            node.remove()
            del self._lines[name]
        elif node is None and len(lines.points):
            self._lines[name] = self._scene.add_line_segments(
                f'/lines/{name}', points=lines.points, colors=lines.colors,
                thickness=LINE_WIDTHS_PX.get(name, THIN_PX), thickness_units='screen'), lines
        elif node is not None:
            node.points, node.colors = lines.points, lines.colors
            self._lines[name] = node, lines

    def _show_dots(self, name: str, dots: Dots) -> None:
        node, _ = self._dots.get(name, (None, None))
        if node is not None and not len(dots.points):
            node.remove()
            del self._dots[name]
        elif node is None and len(dots.points):
            self._dots[name] = self._scene.add_point_cloud(
                f'/dots/{name}', points=dots.points, colors=dots.colors,
                point_size=DOT_SIZES_M[name], point_shape='circle', precision='float32'), dots
        elif node is not None:
            node.points, node.colors = dots.points, dots.colors

    def _show_label(self, node_name: str, key: str, label: Label) -> None:
        node, shown = self._labels.get(key, (None, None))
        if shown == label:
            return
        if node is None or shown is None:
            node = self._scene.add_label(
                node_name, label.text, position=label.place, anchor='bottom-center',
                font_screen_scale=LABEL_SCALE)
        else:
            if shown.text != label.text:
                node.text = label.text
            node.position = label.place
        self._labels[key] = node, label


def _product(first: Array, second: Array) -> Array:
    """Return the product of quaternions (w, x, y, z)."""
    w, v, other_w, other_v = first[0], first[1:], second[0], second[1:]
    return np.concatenate([[w * other_w - v @ other_v],
                           w * other_v + other_w * v + np.cross(v, other_v)])
