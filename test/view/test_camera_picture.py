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

"""Pictures with measured and synthesized boxes."""

import numpy as np
import pytest

from utt_ros.sessions.message_types import typestore
from utt_ros.view.camera_picture import (
    GROUND,
    MAX_PICTURE_WIDTH_PX,
    MEASURED_RGB,
    SYNTHESIZED_RGB,
    CameraPicture,
)
from utt_ros.view.shown_topics import PATTERNS, match_topic

TYPES = {kind: type_ for kind, type_, _ in PATTERNS}
BOXES = match_topic('/hall/camera/tracks', (TYPES['boxes'],))
VIRTUAL = match_topic('/hall/twins/hall_trajectory_2/camera/tracks', (TYPES['virtual_camera'],))
IMAGE = match_topic('/hall/camera/image_raw', (TYPES['image'],))
T0 = 1_700_000_000_000_000_000


def image_message(rows, columns, shade, seconds=1.0):
    store = typestore()
    types = store.types
    stamp = types['builtin_interfaces/msg/Time'](*divmod(T0 + round(seconds * 1e9), 10**9))
    message = types['sensor_msgs/msg/Image'](
        types['std_msgs/msg/Header'](stamp, ''), rows, columns, 'rgb8', 0, 3 * columns,
        np.tile(np.array(shade, np.uint8), rows * columns))
    return bytes(store.serialize_cdr(message, TYPES['image']))


@pytest.fixture
def picture():
    chosen = CameraPicture()
    chosen.choose('/hall', 'hall_trajectory_2')
    return chosen


def has_color(image, color):
    return bool((np.abs(image.astype(int) - color).sum(axis=2) < 12).any())


def test_boxes_are_drawn_on_the_picture_in_two_colours(picture, say):
    picture.receive(IMAGE, [image_message(720, 1280, (10, 200, 30))])
    picture.receive(BOXES, [say.boxes('boxes', 1.0, ('ann', 'bob'), 6.0)])
    picture.receive(VIRTUAL, [say.boxes('virtual_camera', 1.0, ('ann',), 6.0)])
    drawn = picture.draw()
    assert drawn.shape == (360, MAX_PICTURE_WIDTH_PX, 3)
    assert drawn[-1, -1].tolist() == [10, 200, 30]
    assert has_color(drawn, MEASURED_RGB)
    assert has_color(drawn, SYNTHESIZED_RGB)


def test_boxes_without_a_picture_are_drawn_on_a_plain_ground(picture, say):
    picture.receive(BOXES, [say.boxes('boxes', 1.0, ('ann',), 6.0)])
    drawn = picture.draw()
    assert drawn[-1, -1].tolist() == [GROUND] * 3
    assert has_color(drawn, MEASURED_RGB)


def test_old_boxes_are_not_drawn(picture, say):
    picture.receive(VIRTUAL, [say.boxes('virtual_camera', 1.0, ('ann',), 6.0)])
    picture.receive(BOXES, [say.boxes('boxes', 5.0, ('ann',), 6.0)])
    assert not has_color(picture.draw(), SYNTHESIZED_RGB)


def test_only_the_chosen_camera_is_wanted(picture):
    assert picture.wants(BOXES)
    assert picture.wants(VIRTUAL)
    picture.choose('/yard', '')
    assert not picture.wants(BOXES)
    assert picture.draw() is None
    assert not CameraPicture().wants(IMAGE)
