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

"""ONNX detector of drawn figures, in place of a person detector for real pictures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper, save

from utt_ros.geometry.camera import DEPTH_LIMITS_M, CameraModel
from utt_ros.sessions.simulator.drawing import FIGURE_COLOUR, draw_figure
from utt_ros.settings import AreaSettings

REDNESS = np.array([1.0, -0.5, -0.5])  # weights of RGB; 0 for grey
NETWORK_SIDE_PX = 320  # of the square input of the network
CELLS_PX = (1, 2, 4)  # sizes of cells: taller people are matched in coarser ones,
MAX_HEIGHT_CELLS = 28  # from this height on
MARGIN = 0.15  # about a figure, in heights, that must not be red
MIN_REDNESS_STD = 0.1  # in a window that holds a figure
MIN_FIGURE_DISTANCE_M = 1.5
PHASES = np.linspace(0.0, 2 * np.pi, 8, endpoint=False)


class _GraphBuilder:
    """Nodes and constants of an ONNX graph."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def add(self, operator: str, *inputs: str | npt.ArrayLike, **attributes: Any) -> str:
        """Add an operator; return the name of its output."""
        names = [item if isinstance(item, str) else self._constant(item) for item in inputs]
        name = f'{operator}{len(self._nodes)}'
        self._nodes.append(helper.make_node(operator, names, [name], **attributes))
        return name

    def save(self, path: Path, output_name: str, shape: list[int]) -> None:
        float_, side = TensorProto.FLOAT, NETWORK_SIDE_PX
        images = helper.make_tensor_value_info('images', float_, [1, 3, side, side])
        output = helper.make_tensor_value_info(output_name, float_, shape)
        graph = helper.make_graph(self._nodes, 'figures', [images], [output], self._constants)
        opset = [helper.make_opsetid('', 13)]
        save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)

    def _constant(self, value: npt.ArrayLike) -> str:
        array = np.asarray(value)
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        name = f'constant{len(self._constants)}'
        self._constants.append(numpy_helper.from_array(array, name))
        return name


def write_figure_detector(area: AreaSettings, path: Path) -> None:
    """Write a detector in YOLO's layout `columns` for pictures of this area, NETWORK_SIDE_PX wide.

    The height of a figure follows from the row of its feet, so each row of the floor has one
    filter: the correlation of redness with the mean figure of that size. It does not identify
    anybody.
    """
    scale = NETWORK_SIDE_PX / area.image_width
    above = (NETWORK_SIDE_PX - scale * area.image_height) / 2  # padding above the picture
    graph = _GraphBuilder()
    red = _planes(graph)
    filtered, boxes = [], []
    for foot, height, width, cell in _rows(area, scale):
        filters = _filters(height / cell)
        bottom = round((foot + above + MARGIN * height) / cell)
        rows = graph.add('Slice', red[cell], [bottom - filters.shape[2]], [bottom], [2])
        half_width = filters.shape[3] // 2
        filtered.append(graph.add('Conv', rows, filters, pads=[0, half_width, 0, half_width]))
        columns = (np.arange(NETWORK_SIDE_PX // cell) + 0.5) * cell
        middle, ones = foot - height / 2 + above, np.ones(len(columns))
        boxes.append(np.stack([columns, middle * ones, width * ones, height * ones]))
    all_boxes = np.concatenate(boxes, axis=1)[None]
    score = graph.add('Reshape', _correlation(graph, filtered), [1, 1, all_boxes.shape[2]])
    graph.save(path, graph.add('Concat', all_boxes, score, axis=1), [1, 5, all_boxes.shape[2]])


def _planes(graph: _GraphBuilder) -> dict[int, str]:
    """Redness 0..1 of the picture, by size of cells."""
    blue, green, red = (value / 255 for value in FIGURE_COLOUR)
    weights = REDNESS / (REDNESS @ [red, green, blue])  # a figure's colour gives 1
    redness = graph.add('Conv', 'images', weights[None, :, None, None])
    plane = graph.add('Clip', redness, np.float32(0), np.float32(1))
    return {CELLS_PX[0]: plane, **{
        cell: graph.add('AveragePool', plane, kernel_shape=[cell, cell], strides=[cell, cell])
        for cell in CELLS_PX[1:]}}


def _correlation(graph: _GraphBuilder, filtered: list[str]) -> str:
    """Output of the filters divided by the standard deviation of redness."""
    outputs = graph.add('Concat', *filtered, axis=3)
    product = graph.add('Slice', outputs, [0], [1], [1])
    mean = graph.add('Slice', outputs, [1], [2], [1])
    variance = graph.add('Sub', mean, graph.add('Mul', mean, mean))  # of values that are 0 or 1
    std = graph.add('Sqrt', graph.add('Max', variance, np.float32(MIN_REDNESS_STD**2)))
    return graph.add('Clip', graph.add('Div', product, std), np.float32(0), np.float32(1))


def _rows(area: AreaSettings, scale: float) -> Iterator[tuple[float, float, float, int]]:
    """Yield the row of the feet, height and width of a person there, and size of cells [px].

    Pixels are those of the network's input.
    """
    distances = np.linspace(MIN_FIGURE_DISTANCE_M, DEPTH_LIMITS_M[1], 2000)[::-1]  # feet move down
    boxes = scale * CameraModel(area).project(np.stack([distances, 0 * distances], axis=1))
    feet = boxes[:, 1] + boxes[:, 4] / 2
    foot = float(feet[0])
    while True:
        height, width = (float(np.interp(foot, feet, boxes[:, column])) for column in (4, 3))
        if foot + MARGIN * height > scale * area.image_height:
            return
        cell = next((cell for cell in CELLS_PX if height < MAX_HEIGHT_CELLS * cell), CELLS_PX[-1])
        yield foot, height, width, cell
        foot += cell


def _filters(height: float) -> npt.NDArray[np.float32]:
    """Filters (2, 1, h, w): correlation with figures of a height [cells], and the mean.

    The correlation must still be divided by the standard deviation of the window. The feet are
    MARGIN above the last row.
    """
    fine = 8  # drawn larger, since lines have integer widths
    rows, half_width = round((1 + 2 * MARGIN) * height), round((0.2 + MARGIN) * height)
    shape = (rows * fine, (2 * half_width + 1) * fine)
    box = np.array([shape[1] / 2, shape[0] - (0.5 + MARGIN) * height * fine, 1.0, 0.0,
                    height * fine])
    mean = np.zeros(shape)
    for phase in PHASES:
        canvas = np.zeros((*shape, 3), np.uint8)
        draw_figure(canvas, box, phase, (255, 255, 255))
        mean += canvas[..., 0] / 255 / len(PHASES)
    figure = mean.reshape(rows, fine, -1, fine).mean(axis=(1, 3))
    centred = figure - figure.mean()
    centred /= np.linalg.norm(centred) * centred.size**0.5
    filters = np.stack([centred, np.full_like(figure, 1 / figure.size)])
    return np.asarray(filters[:, None], np.float32)
