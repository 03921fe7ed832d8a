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

"""Detections in messages of other packages: boxes, classes and ids (docs/sources/camera.md).

Messages are any objects with the fields of their type, also those that rosbags deserializes:

vision_msgs/Detection2DArray, /Detection3DArray   releases 2 (Foxy) to 4
zed_msgs/ObjectsStamped, zed_interfaces/ObjectsStamped   ZED wrapper
yolo_msgs/DetectionArray                                  yolo_ros
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from utt_ros.settings import AreaSettings
from utt_ros.types import Array

NAN = float('nan')
ZED_CONFIDENCE = 0.01  # of 1
ZED_BODY = 'Body_'  # label of a body, which has no class, with its id
ZED_OFF, ZED_OK = 0, 1  # tracking_state
MIN_DEPTH_M = 0.1  # of a 3D box in front of the camera
BODY_TO_OPTICAL = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])  # REP-103
AXES: Mapping[str, Array] = {'optical': np.eye(3), 'body': BODY_TO_OPTICAL}


class MessageDetection(NamedTuple):
    """Detection of any class."""

    box: tuple[float, ...]  # CAMERA_CHANNELS; depth NaN when unknown
    confidence: float
    label: str  # name or id of the most likely class; empty when it has none
    track_id: str  # empty when it has none
    is_detected: bool = True  # false: a track that was only predicted


class BoxProjection:
    """Boxes of messages in the image of the area, which has no distortion.

    Flat boxes are of an image of `width` x `height` px, 3D boxes [m] in `axes` of the camera.
    """

    def __init__(self, area: AreaSettings, axes: str, width: int = 0, height: int = 0) -> None:
        self._area, self._to_optical = area, AXES[axes]
        self._scale = (area.image_width / (width or area.image_width),
                       area.image_height / (height or area.image_height))

    def flat(
        self, x: float, y: float, width: float, height: float, depth: float = NAN,
    ) -> tuple[float, ...]:
        """Return a box from its center and size in the image of the message."""
        across, down = self._scale
        return x * across, y * down, depth, width * across, height * down

    def solid(self, center: Array, size: Array, rotation: Array) -> tuple[float, ...]:
        """Project the cross-section of a box (3,), (3,), (3, 3) at the depth of its center.

        NaN for a center that is not in front of the camera.
        """
        area, turned = self._area, self._to_optical @ rotation
        x, y, depth = (self._to_optical @ center).tolist()
        if not depth >= MIN_DEPTH_M:
            return (NAN,) * 5
        width, height, _ = (np.abs(turned) @ np.abs(size)).tolist()
        return (area.cx + area.fx * x / depth, area.cy + area.fy * y / depth, depth,
                area.fx * width / depth, area.fy * height / depth)


def _vision_2d(message: Any, projection: BoxProjection) -> Iterator[MessageDetection]:
    for item in message.detections:
        box = projection.flat(*_upright(item.bbox.center, item.bbox.size_x, item.bbox.size_y))
        yield MessageDetection(box, *_best(item.results), _track_id(item))


def _vision_3d(message: Any, projection: BoxProjection) -> Iterator[MessageDetection]:
    for item in message.detections:
        yield MessageDetection(
            _solid_box(item.bbox, projection), *_best(item.results), _track_id(item))


def _yolo(message: Any, projection: BoxProjection) -> Iterator[MessageDetection]:
    """Read flat boxes, and depths of those whose 3D box is in the frame of the image."""
    frame = message.header.frame_id
    for item in message.detections:
        size, depth = item.bbox.size, NAN
        if frame and item.bbox3d.frame_id == frame:
            depth = _solid_box(item.bbox3d, projection)[2]
        yield MessageDetection(
            projection.flat(*_upright(item.bbox.center, size.x, size.y), depth),
            float(item.score), item.class_name or str(item.class_id), item.id)


def _zed(message: Any, projection: BoxProjection) -> Iterator[MessageDetection]:
    """Read flat boxes; the position is in body axes of the left camera."""
    for item in message.objects:
        state = item.tracking_state
        has_tracking = getattr(item, 'tracking_available', state != ZED_OFF)
        corners = np.array([corner.kp for corner in item.bounding_box_2d.corners], np.float64)
        low, high = corners.min(axis=0), corners.max(axis=0)
        forward = float(item.position[0])
        (u, v), (width, height) = ((low + high) / 2).tolist(), (high - low).tolist()
        box = projection.flat(u, v, width, height, forward if forward > 0 else NAN)
        label = 'person' if item.label.startswith(ZED_BODY) else item.label
        yield MessageDetection(
            box, float(item.confidence) * ZED_CONFIDENCE, label,
            str(item.label_id) if has_tracking and item.label_id >= 0 else '',
            not has_tracking or state == ZED_OK)


FORMATS: Mapping[str, Callable[[Any, BoxProjection], Iterator[MessageDetection]]] = {
    'vision_msgs/msg/Detection2DArray': _vision_2d,
    'vision_msgs/msg/Detection3DArray': _vision_3d,
    'zed_msgs/msg/ObjectsStamped': _zed,
    'zed_interfaces/msg/ObjectsStamped': _zed,
    'yolo_msgs/msg/DetectionArray': _yolo,
}


def _upright(center: Any, width: float, height: float) -> tuple[float, float, float, float]:
    """Return the upright box around a rotated one; its position is nested since release 4."""
    position = getattr(center, 'position', center)
    cos, sin = abs(np.cos(center.theta)), abs(np.sin(center.theta))
    return (position.x, position.y, float(width * cos + height * sin),
            float(width * sin + height * cos))


def _solid_box(box: Any, projection: BoxProjection) -> tuple[float, ...]:
    return projection.solid(
        _vector(box.center.position), _vector(box.size), _rotation(box.center.orientation))


def _best(results: Any) -> tuple[float, str]:
    """Return score and class of the most likely hypothesis, which releases nest differently."""
    hypotheses = [getattr(result, 'hypothesis', result) for result in results]
    if not hypotheses:
        return 1.0, ''
    best = max(hypotheses, key=lambda hypothesis: hypothesis.score)
    return float(best.score), str(best.class_id if hasattr(best, 'class_id') else best.id)


def _track_id(item: Any) -> str:
    if hasattr(item, 'tracking_id'):  # release 2
        return str(item.tracking_id) if item.is_tracking else ''
    return str(item.id)


def _vector(value: Any) -> Array:
    return np.array([value.x, value.y, value.z], np.float64)


def _rotation(quaternion: Any) -> Array:
    """Return the matrix of a quaternion; identity for one of zeros, which was not set."""
    x, y, z, w = values = np.array(
        [quaternion.x, quaternion.y, quaternion.z, quaternion.w], np.float64)
    norm = float(values @ values)
    if norm == 0.0:
        return np.eye(3)
    s = 2.0 / norm
    return np.array([
        [1 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w)],
        [s * (x * y + z * w), 1 - s * (x * x + z * z), s * (y * z - x * w)],
        [s * (x * z - y * w), s * (y * z + x * w), 1 - s * (x * x + y * y)]])
