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

"""People that were drawn, in pictures and in a video file, and a network that knows them."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from utt_ros.settings import AreaSettings

Image = npt.NDArray[np.uint8]
WIDTH, HEIGHT, RATE = 640, 360, 10.0
TALL = 160.0  # of a person [px]
COLOURS = ((20, 20, 150), (40, 0, 130))  # red, which nothing else is
INPUT = 320  # what the network sees: half of the width
STRIDE = 8


def draw(image: Image, centre: float, foot: float, phase: float, colour: tuple[int, ...]) -> None:
    """Draw a walking person: head, trunk, two arms, two legs."""
    unit = TALL / 8

    def at(x: float, y: float) -> tuple[int, int]:
        return round(centre + x * unit), round(foot - y * unit)

    cv2.ellipse(image, at(0, 7.3), (round(0.5 * unit), round(0.65 * unit)), 0, 0, 360, colour, -1)
    trunk = np.array([at(-0.95, 6.4), at(0.95, 6.4), at(0.7, 3.8), at(-0.7, 3.8)])
    cv2.fillPoly(image, [trunk], colour, cv2.LINE_AA)
    for side in (-1, 1):
        swing = side * 0.5 * np.sin(phase)
        cv2.line(image, at(0.35 * side, 3.9), at(0.35 * side + swing, 0), colour,
                 round(0.6 * unit), cv2.LINE_AA)
        cv2.line(image, at(side, 6.2), at(1.15 * side - 0.7 * swing, 3.5), colour,
                 round(0.4 * unit), cv2.LINE_AA)


def places(index: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where the feet of the two people are in a picture: they meet and pass."""
    return (120 + 9.0 * index, 345.0), (540 - 9.0 * index, 300.0)


def scene(index: int) -> Image:
    """Picture of a video of two people."""
    image = np.full((HEIGHT, WIDTH, 3), 170, np.uint8)
    image += np.random.default_rng(index).integers(0, 12, image.shape, dtype=np.uint8)
    order = reversed(tuple(zip(places(index), COLOURS, strict=True)))  # the nearer one last
    for (centre, foot), colour in order:
        draw(image, centre, foot, 0.6 * index, colour)
    return image


@pytest.fixture(scope='session')
def picture_of() -> Callable[[int], Image]:
    return scene


@pytest.fixture(scope='session')
def feet() -> Callable[[int], tuple[tuple[float, float], tuple[float, float]]]:
    return places


@pytest.fixture
def area() -> AreaSettings:
    return AreaSettings(
        image_width=WIDTH, image_height=HEIGHT, fx=264.0, fy=264.0, cx=320.0, cy=180.0,
        camera_height=2.5, camera_pitch=0.2)


@pytest.fixture(scope='session')
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 s of two people, 10 pictures in a second."""
    path = tmp_path_factory.mktemp('video') / 'walk.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), RATE, (WIDTH, HEIGHT))
    assert writer.isOpened()
    for index in range(40):
        writer.write(scene(index))
    writer.release()
    return path


@pytest.fixture(scope='session')
def make_network(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make an ONNX detector of red areas: redness averaged over the size of a person.

    Its layout is one of `yolo.LAYOUTS`; it sees 320 x 320 px and knows people of 40 x 80 px.
    """
    from onnx import TensorProto, helper, numpy_helper, save

    folder = tmp_path_factory.mktemp('networks')
    size = (80, 40)  # height, width

    def make(layout: str = 'columns') -> Path:
        rows, columns = ((INPUT - side) // STRIDE + 1 for side in size)
        count = rows * columns
        y, x = np.mgrid[:rows, :columns] * STRIDE
        boxes = np.stack([x + size[1] / 2, y + size[0] / 2, 0 * x + size[1], 0 * x + size[0]])
        boxes = boxes.reshape(1, 4, count).astype(np.float32)
        if layout == 'corners':
            half = boxes[:, 2:] / 2
            boxes = np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)
        ones = np.ones((1, 1, count), np.float32)
        middle = np.zeros((1, 1, *size), np.float32)
        middle[:, :, 4:76, 12:28] = 1 / (72 * 16)
        constants = {
            'red': np.float32([1, -0.5, -0.5]).reshape(1, 3, 1, 1), 'person': middle,
            'gain': np.float32([2.5]), 'boxes': boxes,
            'ones': ones, 'zeros': 0 * ones, 'shape': np.array([1, 1, count]),
            'low': np.float32(0), 'high': np.float32(1)}
        parts = {'columns': ['boxes', 'score', 'zeros'],
                 'rows': ['boxes', 'ones', 'score', 'zeros'],
                 'corners': ['boxes', 'score', 'zeros']}[layout]
        nodes = [
            helper.make_node('Conv', ['images', 'red'], ['redness']),
            helper.make_node('Conv', ['redness', 'person'], ['mean'], strides=[STRIDE, STRIDE]),
            helper.make_node('Mul', ['mean', 'gain'], ['scaled']),
            helper.make_node('Clip', ['scaled', 'low', 'high'], ['clipped']),
            helper.make_node('Reshape', ['clipped', 'shape'], ['score']),
            helper.make_node('Concat', parts, ['joined'], axis=1)]
        channels = 4 + len(parts) - 1
        final, shape = 'joined', [1, channels, count]
        if layout != 'columns':
            nodes.append(helper.make_node('Transpose', ['joined'], ['turned'], perm=[0, 2, 1]))
            final, shape = 'turned', [1, count, channels]
        graph = helper.make_graph(
            nodes, 'red', [helper.make_tensor_value_info('images', TensorProto.FLOAT,
                                                          [1, 3, INPUT, INPUT])],
            [helper.make_tensor_value_info(final, TensorProto.FLOAT, shape)],
            [numpy_helper.from_array(value, name) for name, value in constants.items()])
        path = folder / f'{layout}.onnx'
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 13)],
                               ir_version=8), path)
        return path

    return make
