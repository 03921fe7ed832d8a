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

"""Drawings in a browser, by viser: one node per layer, changed and never piled up.

viser draws each segment and each letter as an instance, which takes WebGL in software tens of
microseconds, whatever its size; dots are of one piece. So a layer of many segments is drawn as
dots at their beginnings.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from utt_ros.types import Array
from utt_ros.view.floor_image import FloorImage
from utt_ros.view.scene_drawing import Dots, Drawing, Label, Lines

LINE_WIDTHS_PX = {'trails': 2.5, 'access_points': 3.0}  # others: THIN_PX
THIN_PX = 1.5
LABEL_SCALE = 0.8
DOT_SIZES_M = {'bodies': 0.45, 'truths': 0.2}  # others: DOTTED_LINE_M
DOTTED_LINE_M = 0.12
MAX_LINE_SEGMENTS = 500  # of a layer: more are dotted
FLOOR_Z_M = -0.01


class BrowserScene:
    """Layers and labels of a viser scene."""

    def __init__(self, scene: Any) -> None:
        self._scene = scene
        self._layers: dict[str, tuple[Any, Lines | Dots]] = {}  # by name of the node
        self._labels: dict[str, tuple[Any, Label]] = {}

    def show(self, drawing: Drawing, group: str) -> None:
        """Show a drawing in place of the former one of this group."""
        for name, lines in drawing.lines.items():
            self._show_lines(name, lines)
        for name, dots in drawing.dots.items():
            self._show_dots(name, dots)
        labels = {f'/labels/{group}/{number}': label
                  for number, label in enumerate(drawing.labels)}
        for name in [name for name in self._labels
                     if name.startswith(f'/labels/{group}/') and name not in labels]:
            self._labels.pop(name)[0].remove()
        for name, label in labels.items():
            self._show_label(name, label)

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
        is_dotted = len(lines.points) > MAX_LINE_SEGMENTS
        starts = Dots(lines.points[:, 0], lines.colors[:, 0])
        nothing = Lines(lines.points[:0], lines.colors[:0])
        self._show_layer(f'/lines/{name}', nothing if is_dotted else lines, self._add_lines)
        self._show_dots(name, starts if is_dotted else Dots(starts.points[:0], starts.colors[:0]))

    def _show_dots(self, name: str, dots: Dots) -> None:
        self._show_layer(f'/dots/{name}', dots, self._add_dots)

    def _show_layer(
        self, node_name: str, layer: Lines | Dots, add: Callable[[str, Any], Any],
    ) -> None:
        node, shown = self._layers.get(node_name, (None, None))
        if shown is not None and np.array_equal(shown.points, layer.points) and np.array_equal(
                shown.colors, layer.colors):
            return
        if node is None and len(layer.points):
            self._layers[node_name] = add(node_name, layer), layer
        elif node is not None and len(layer.points):
            node.points, node.colors = layer.points, layer.colors
            self._layers[node_name] = node, layer
        elif node is not None:
            node.remove()
            del self._layers[node_name]

    def _add_lines(self, node_name: str, lines: Lines) -> Any:
        return self._scene.add_line_segments(
            node_name, points=lines.points, colors=lines.colors, thickness_units='screen',
            thickness=LINE_WIDTHS_PX.get(node_name.rpartition('/')[2], THIN_PX))

    def _add_dots(self, node_name: str, dots: Dots) -> Any:
        name = node_name.rpartition('/')[2]
        return self._scene.add_point_cloud(
            node_name, points=dots.points, colors=dots.colors, precision='float32',
            point_size=DOT_SIZES_M.get(name, DOTTED_LINE_M),
            point_shape='circle' if name in DOT_SIZES_M else 'square')

    def _show_label(self, node_name: str, label: Label) -> None:
        node, shown = self._labels.get(node_name, (None, None))
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
        self._labels[node_name] = node, label


def _product(first: Array, second: Array) -> Array:
    """Return the product of quaternions (w, x, y, z)."""
    w, v, other_w, other_v = first[0], first[1:], second[0], second[1:]
    return np.concatenate([[w * other_w - v @ other_v],
                           w * other_v + other_w * v + np.cross(v, other_v)])
