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

"""Serialized messages -> the records of a scene, without ROS: live bytes and those of bags."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from utt_ros import cdr
from utt_ros.errors import MeasurementError, SessionError
from utt_ros.map_pose import MapPose
from utt_ros.sensor_limits import MAX_FRAME_BOXES
from utt_ros.sessions.message_types import read_message
from utt_ros.types import BOX_FIELDS, Array, FloatArray, Stamps, stamp_to_ns

MAX_OUTLINE_POINTS = 512
MAX_AREA_SHAPES = 64
MAX_FUTURE_POINTS = 512
PLANE = (0, 1, 6, 7)  # x and y in a 6 x 6 covariance
AREA_SHAPES = 'area'  # namespace of an area's own markers
CUBE, LINE_STRIP = 1, 4  # types of markers: an access point, the outline of a field of view


@dataclass(frozen=True, slots=True)
class AreaOutline:
    """Field of view (K, 2) and access points (A, 3) of an area, in its frame [m]."""

    view: Array
    access_points: Array


@dataclass(frozen=True, slots=True)
class Boxes:
    """Boxes (N, 5) [CAMERA_CHANNELS] of a frame with the names of their people."""

    stamp_ns: int
    boxes: FloatArray
    names: tuple[str, ...]


def read_scene_message(data: bytes, type_name: str) -> Any:
    """Deserialize. Raises MeasurementError for bytes that are not of that type."""
    try:
        return read_message(data, type_name)
    except Exception as err:  # the parser raises errors of many types on broken bytes
        raise MeasurementError(f'{len(data)} bytes are not a {type_name}: {err}') from err


def read_position(data: bytes) -> tuple[int, Array, Array]:
    """Return stamp [ns], position (2,) [m] and covariance (2, 2) [m^2]."""
    stamps_ns, numbers = _numbers(cdr.POSE, [data])
    covariance = numbers['covariance'][0][list(PLANE)].reshape(2, 2)
    return int(stamps_ns[0]), np.array(numbers['position'][0][:2]), covariance


def read_truth(data: bytes) -> tuple[int, Array]:
    """Return stamp [ns] and position (2,) [m]."""
    stamps_ns, numbers = _numbers(cdr.ODOMETRY, [data])
    return int(stamps_ns[0]), np.array(numbers['position'][0][:2])


def read_future(data: bytes) -> Array:
    """Return the points (H, 2) [m] of a Path."""
    try:
        points = cdr.read_path_points(data, MAX_FUTURE_POINTS)
    except SessionError as err:
        raise MeasurementError(f'bytes that are not a nav_msgs/msg/Path: {err}') from err
    return _finite(np.array(points, np.float64).reshape(-1, 2), 'a trajectory')


def read_area_pose(message: Any) -> MapPose:
    """Return the pose of the area of a TwinStatus. Raises MeasurementError."""
    return MapPose(*_finite(np.array(message.map_pose, np.float64), 'map_pose').tolist())


def read_outline(data: bytes) -> AreaOutline | None:
    """Return the shapes of an area in a MarkerArray; None when it has none of them."""
    message = read_scene_message(data, 'visualization_msgs/msg/MarkerArray')
    shapes = [item for item in message.markers if item.ns == AREA_SHAPES][:MAX_AREA_SHAPES]
    if not shapes:
        return None
    places = [(item.pose.position.x, item.pose.position.y, item.pose.position.z)
              for item in shapes if item.type == CUBE]
    view = [(point.x, point.y) for item in shapes if item.type == LINE_STRIP
            for point in item.points[:MAX_OUTLINE_POINTS]]
    return AreaOutline(
        _finite(np.array(view, np.float64).reshape(-1, 2), 'a field of view'),
        _finite(np.array(places, np.float64).reshape(-1, 3), 'an access point'))


def read_boxes(data: bytes) -> Boxes:
    """Return the boxes of a Tracks message."""
    message = read_scene_message(data, 'utt_ros/msg/Tracks')
    tracks = message.tracks[:MAX_FRAME_BOXES]
    boxes = [[getattr(track, name) for name in BOX_FIELDS] for track in tracks]
    return Boxes(stamp_to_ns(message.header.stamp),
                 np.array(boxes, np.float32).reshape(-1, len(BOX_FIELDS)),
                 tuple(track.subject or track.track_id for track in tracks))


def read_inertial(messages: Sequence[bytes]) -> tuple[Stamps, Array]:
    """Return stamps [ns] and accelerations, then angular velocities (N, 6)."""
    stamps_ns, numbers = _numbers(cdr.IMU, messages)
    return stamps_ns, np.concatenate([numbers['accel'], numbers['gyro']], axis=1)


def read_magnetic_fields(messages: Sequence[bytes]) -> tuple[Stamps, Array]:
    """Return stamps [ns] and fields (N, 3) [T]."""
    stamps_ns, numbers = _numbers(cdr.MAGNETIC_FIELD, messages)
    return stamps_ns, np.array(numbers['field'])


def read_ranges(messages: Sequence[bytes]) -> tuple[Stamps, Array]:
    """Return stamps [ns], ranges and their standard deviations (N, 2) [m]."""
    stamps_ns, numbers = _numbers(cdr.FTM_RANGE, messages)
    return stamps_ns, np.stack([numbers['range'], numbers['range_std']], axis=1).astype(np.float64)


def _numbers(layout: cdr.MessageLayout, messages: Sequence[bytes]) -> tuple[Stamps, cdr.Numbers]:
    try:
        return cdr.read_messages(layout, messages)
    except Exception as err:  # as of `read_scene_message`
        raise MeasurementError(f'bytes that are not a {layout.type}: {err}') from err


def _finite(values: Array, text: str) -> Array:
    if not np.isfinite(values).all():
        raise MeasurementError(f'{text} has a number that is not finite')
    return values
