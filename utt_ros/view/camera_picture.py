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

"""Picture of a camera with the boxes that were measured and those that a twin synthesized."""

from collections.abc import Sequence

import cv2
import numpy as np

from utt_ros.drivers.camera.pixel_formats import RawImage
from utt_ros.types import Image, Indices, stamp_to_ns
from utt_ros.view.scene_messages import Boxes, read_boxes, read_scene_message
from utt_ros.view.shown_topics import PICTURE, ShownTopic

MAX_PICTURE_WIDTH_PX = 640
DEFAULT_SIZE_PX = (1280, 720)  # until a camera_info or a picture tells
MAX_SIDE_PX = 16384
MAX_BOX_AGE_NS = 500_000_000
MAX_IMAGE_AGE_NS = 2_000_000_000
GROUND = 45  # shade behind boxes without a picture
MEASURED_RGB, SYNTHESIZED_RGB = (240, 140, 30), (60, 160, 255)


class CameraPicture:
    """Newest picture and boxes of one camera, named by the namespace of its area."""

    def __init__(self) -> None:
        self.root = self.twin = ''
        self._choose_nothing()

    def _choose_nothing(self) -> None:
        self._image: tuple[int, Image] | None = None  # stamp and RGB
        self._size = DEFAULT_SIZE_PX
        self._measured: Boxes | None = None
        self._synthesized: Boxes | None = None

    def choose(self, root: str, twin: str) -> bool:
        """Set the area, '' for none, and the task twin whose boxes are shown.

        Return whether the picture of another choice is to be read.
        """
        if (root, twin) == (self.root, self.twin):
            return False
        self.root, self.twin = root, twin
        self._choose_nothing()
        return bool(root)

    def wants(self, topic: ShownTopic) -> bool:
        """Return whether a topic tells about this picture."""
        if not self.root or topic.root != self.root:
            return False
        return topic.kind in PICTURE or (topic.kind == 'virtual_camera'
                                         and topic.twin == self.twin)

    def receive(self, topic: ShownTopic, messages: Sequence[bytes]) -> bool:
        """Take the newest message of a topic; return whether it is one of pictures."""
        if topic.kind not in PICTURE and topic.kind != 'virtual_camera':
            return False
        if messages and self.wants(topic):
            if topic.kind == 'boxes':
                self._measured = read_boxes(messages[-1])
            elif topic.kind == 'virtual_camera':
                self._synthesized = read_boxes(messages[-1])
            else:
                self._take_image(topic, messages[-1])
        return True

    def draw(self) -> Image | None:
        """Return colours (H, W, 3), at most MAX_PICTURE_WIDTH_PX wide; None without a camera."""
        if not self.root or (self._image is None and self._measured is None
                             and self._synthesized is None):
            return None
        newest_ns = max(item.stamp_ns for item in (self._measured, self._synthesized) if item) \
            if self._measured or self._synthesized else 0
        width, height = self._size
        scale = min(1.0, MAX_PICTURE_WIDTH_PX / width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture: Image = np.full((size[1], size[0], 3), GROUND, np.uint8)
        if self._image is not None and newest_ns - self._image[0] <= MAX_IMAGE_AGE_NS:
            picture = np.asarray(
                cv2.resize(self._image[1], size, interpolation=cv2.INTER_AREA), np.uint8)
        for boxes, color in ((self._measured, MEASURED_RGB), (self._synthesized, SYNTHESIZED_RGB)):
            if boxes is not None and newest_ns - boxes.stamp_ns <= MAX_BOX_AGE_NS:
                _draw_boxes(picture, boxes, scale, color)
        return picture

    def _take_image(self, topic: ShownTopic, data: bytes) -> None:
        message = read_scene_message(data, topic.type)
        width, height = int(message.width), int(message.height)
        if topic.kind == 'image':
            raw = RawImage(message.encoding, height, width, int(message.step), message.data,
                           bool(message.is_bigendian))
            self._image = (stamp_to_ns(message.header.stamp),
                           np.asarray(cv2.cvtColor(raw.bgr(), cv2.COLOR_BGR2RGB), np.uint8))
        if 1 <= width <= MAX_SIDE_PX and 1 <= height <= MAX_SIDE_PX:
            self._size = width, height


def _draw_boxes(
    picture: Image, boxes: Boxes, scale: float, color: tuple[int, int, int],
) -> None:
    u, v, _, width, height = np.moveaxis(boxes.boxes.astype(np.float64) * scale, -1, 0)
    corners = np.stack([u - width / 2, v - height / 2, u + width / 2, v + height / 2], axis=-1)
    usable: Indices = np.flatnonzero(np.isfinite(corners).all(axis=1))
    for row in usable.tolist():
        left, top, right, bottom = np.clip(corners[row], -1e4, 1e4).round().astype(int).tolist()
        cv2.rectangle(picture, (left, top), (right, bottom), color, 2, cv2.LINE_AA)
        cv2.putText(picture, boxes.names[row][:24], (left, max(12, top - 4)),
                    cv2.FONT_HERSHEY_SIMPLEX, 0.45, color, 1, cv2.LINE_AA)
