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

import numpy as np

from utt_ros.sessions.simulator.drawing import FIGURE_COLOUR, draw_figure, draw_picture
from utt_ros.settings import AreaSettings
from utt_ros.types import Array, Image

AREA = AreaSettings(area='hall', image_width=640, image_height=360)


def red(image: Image) -> Array:
    return image[..., 2].astype(float) - image[..., 0]


def test_a_figure_fills_the_height_of_its_box_and_stays_within() -> None:
    box = np.array([320.0, 180.0, 5.0, 80.0, 240.0])
    image = np.zeros((360, 640, 3), np.uint8)
    draw_figure(image, box, 1.0)
    rows, columns = np.nonzero(red(image) > 50)
    assert abs(rows.min() - 60) < 10
    assert abs(rows.max() - 300) < 10
    assert columns.min() > 280 - 10
    assert columns.max() < 360 + 10


def test_nearer_figures_cover_others_and_the_empty_room_is_grey(rng: np.random.Generator) -> None:
    empty = draw_picture(AREA, np.zeros((0, 5)), np.zeros(0), rng)
    assert np.abs(red(empty)).max() < 20
    near, far = [320.0, 200.0, 3.0, 100.0, 300.0], [320.0, 150.0, 9.0, 30.0, 100.0]
    alone, both = (draw_picture(AREA, np.array(boxes), np.zeros(len(boxes)),
                                np.random.default_rng(1)) for boxes in ([near], [near, far]))
    assert both[160, 320].tolist() == alone[160, 320].tolist() == list(FIGURE_COLOUR)
