"""A network that finds drawn people: what a person detector is to real ones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper, numpy_helper, save

from utt_ros.geometry.camera import DEPTH_LIMITS_M, CameraModel
from utt_ros.sessions.simulator.drawing import COLOUR, draw
from utt_ros.settings import AreaSettings

REDNESS = np.array([1.0, -0.5, -0.5])  # of RGB; grey has none
SIDE = 320  # of the square that the network sees [px]
CELLS = (1, 2, 4)  # of that square [px]: taller people are looked at more coarsely,
TALL = 28  # as soon as they have so many cells
MARGIN = 0.15  # about a figure, in heights, that must not be red
MIN_STD = 0.1  # of redness in a window; with less there is nobody
MIN_DISTANCE_M = 1.5
PHASES = np.linspace(0.0, 2 * np.pi, 8, endpoint=False)


class _Graph:
    """Nodes and constants of a network."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def add(self, operator: str, *inputs: str | npt.ArrayLike, **attributes: Any) -> str:
        """Add an operator; the name of what comes out."""
        names = [each if isinstance(each, str) else self._constant(each) for each in inputs]
        name = f'{operator}{len(self._nodes)}'
        self._nodes.append(helper.make_node(operator, names, [name], **attributes))
        return name

    def save(self, path: Path, found: str, shape: list[int]) -> None:
        """Write it."""
        float_ = TensorProto.FLOAT
        images = helper.make_tensor_value_info('images', float_, [1, 3, SIDE, SIDE])
        output = helper.make_tensor_value_info(found, float_, shape)
        graph = helper.make_graph(self._nodes, 'figures', [images], [output], self._constants)
        opset = [helper.make_opsetid('', 13)]
        save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)

    def _constant(self, value: npt.ArrayLike) -> str:
        array = np.asarray(value)
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        name = f'constant{len(self._constants)}'
        self._constants.append(numpy_helper.from_array(array, name))
        return name


def write_network(area: AreaSettings, path: Path) -> None:
    """Write a detector in YOLO's layout `columns`, for pictures of this area, input SIDE x SIDE.

    How tall somebody appears follows from where the feet are, so each row of the floor has one
    filter: the correlation of redness with the mean figure of that size. Nobody's identity is in
    it.
    """
    scale = SIDE / area.image_width
    above = (SIDE - scale * area.image_height) / 2  # of the picture in its square
    graph = _Graph()
    red = _planes(graph)
    filtered, boxes = [], []
    for foot, height, width, cell in _rows(area, scale):
        filters = _filters(height / cell)
        bottom = round((foot + above + MARGIN * height) / cell)
        rows = graph.add('Slice', red[cell], [bottom - filters.shape[2]], [bottom], [2])
        aside = filters.shape[3] // 2
        filtered.append(graph.add('Conv', rows, filters, pads=[0, aside, 0, aside]))
        columns = (np.arange(SIDE // cell) + 0.5) * cell
        middle, ones = foot - height / 2 + above, np.ones(len(columns))
        boxes.append(np.stack([columns, middle * ones, width * ones, height * ones]))
    whole = np.concatenate(boxes, axis=1)[None]
    score = graph.add('Reshape', _correlation(graph, filtered), [1, 1, whole.shape[2]])
    graph.save(path, graph.add('Concat', whole, score, axis=1), [1, 5, whole.shape[2]])


def _planes(graph: _Graph) -> dict[int, str]:
    """Redness 0..1 of the picture, by size of its cells."""
    blue, green, red = (value / 255 for value in COLOUR)
    weights = REDNESS / (REDNESS @ [red, green, blue])  # a figure's colour gives 1
    redness = graph.add('Conv', 'images', weights[None, :, None, None])
    plane = graph.add('Clip', redness, np.float32(0), np.float32(1))
    return {CELLS[0]: plane, **{
        cell: graph.add('AveragePool', plane, kernel_shape=[cell, cell], strides=[cell, cell])
        for cell in CELLS[1:]}}


def _correlation(graph: _Graph, filtered: list[str]) -> str:
    """What the filters gave, divided by the standard deviation of redness."""
    everything = graph.add('Concat', *filtered, axis=3)
    product = graph.add('Slice', everything, [0], [1], [1])
    mean = graph.add('Slice', everything, [1], [2], [1])
    variance = graph.add('Sub', mean, graph.add('Mul', mean, mean))  # of what is 0 or 1
    std = graph.add('Sqrt', graph.add('Max', variance, np.float32(MIN_STD**2)))
    return graph.add('Clip', graph.add('Div', product, std), np.float32(0), np.float32(1))


def _rows(area: AreaSettings, scale: float) -> Iterator[tuple[float, float, float, int]]:
    """Rows of feet in the picture; heights and widths of people there, and of their cells.

    All in pixels of the network.
    """
    ahead = np.linspace(MIN_DISTANCE_M, DEPTH_LIMITS_M[1], 2000)[::-1]  # feet move down
    boxes = scale * CameraModel(area).project(np.stack([ahead, 0 * ahead], axis=1))
    feet = boxes[:, 1] + boxes[:, 4] / 2
    foot = float(feet[0])
    while True:
        height, width = (float(np.interp(foot, feet, boxes[:, column])) for column in (4, 3))
        if foot + MARGIN * height > scale * area.image_height:
            return
        cell = next((cell for cell in CELLS if height < TALL * cell), CELLS[-1])
        yield foot, height, width, cell
        foot += cell


def _filters(height: float) -> npt.NDArray[np.float32]:
    """Filters (2, 1, h, w): correlation with figures of a height [cells], and the mean.

    The correlation is still to be divided by the standard deviation of what is in the window. Feet
    stand MARGIN above its last row.
    """
    fine = 8  # drawn larger, since lines have whole widths
    rows, aside = round((1 + 2 * MARGIN) * height), round((0.2 + MARGIN) * height)
    shape = (rows * fine, (2 * aside + 1) * fine)
    box = np.array([shape[1] / 2, shape[0] - (0.5 + MARGIN) * height * fine, 1.0, 0.0,
                    height * fine])
    mean = np.zeros(shape)
    for phase in PHASES:
        canvas = np.zeros((*shape, 3), np.uint8)
        draw(canvas, box, phase, (255, 255, 255))
        mean += canvas[..., 0] / 255 / len(PHASES)
    figure = mean.reshape(rows, fine, -1, fine).mean(axis=(1, 3))
    centred = figure - figure.mean()
    centred /= np.linalg.norm(centred) * centred.size**0.5
    both = np.stack([centred, np.full_like(figure, 1 / figure.size)])
    return np.asarray(both[:, None], np.float32)
