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

"""Floor plans become pictures with a place."""

import numpy as np
import pytest

from utt_ros.errors import MeasurementError
from utt_ros.view import floor_image as module
from utt_ros.view.floor_image import FREE_SHADE, UNKNOWN_SHADE, WALL_SHADE, floor_image
from utt_ros.view.scene_messages import read_scene_message


def read(data):
    return floor_image(read_scene_message(data, 'nav_msgs/msg/OccupancyGrid'))


def test_first_row_of_cells_is_the_last_one_of_the_picture(say):
    plan = read(say.floor(2, 3, [0, 100, -1, 0, 0, 0]))
    assert plan.image[..., 0].tolist() == [
        [FREE_SHADE] * 3, [FREE_SHADE, WALL_SHADE, UNKNOWN_SHADE]]
    assert (plan.width_m, plan.height_m) == (1.5, 1.0)
    assert plan.center == (-2.0 + 0.75, -3.0 + 0.5)


def test_large_plans_are_drawn_small(say, monkeypatch):
    monkeypatch.setattr(module, 'MAX_FLOOR_SIDE_PX', 4)
    plan = read(say.floor(4, 16))
    assert plan.image.shape == (1, 4, 3)
    assert plan.width_m == 8.0


def test_cells_must_fit_the_size(say):
    with pytest.raises(MeasurementError, match='3 x 2 cells with 5 values'):
        read(say.floor(2, 3, [0] * 5))


def test_numbers_are_finite(say):
    message = read_scene_message(say.floor(1, 1), 'nav_msgs/msg/OccupancyGrid')
    object.__setattr__(message.info, 'resolution', np.inf)
    with pytest.raises(MeasurementError, match='cells of inf m'):
        floor_image(message)
