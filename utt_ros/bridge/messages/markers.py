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

"""RViz markers of an area: camera, access point and the twin's estimates."""

from collections.abc import Iterable
from functools import partial

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from rclpy.node import Node
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from utt_ros.bridge.messages.sensors import to_time
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.view_outline import view_outline
from utt_ros.settings import AreaSettings
from utt_ros.twin.tick_types import TickPredictions
from utt_ros.types import CHI2_90_2D, Array, FloatArray

BODY, ELLIPSE, PATH, LABEL = range(4)  # ids within the namespace of a subject
VIEW, ACCESS_POINT = range(2)  # ids within the area's namespace; further access points follow
INTERVAL_S = 0.2
SUBJECT_LIFETIME = Duration(sec=2)  # of a subject's markers that are not deleted
HEIGHT_M = 1.0  # of spheres above the floor
MAX_AXIS_M = 50.0  # limit of the axes of a drawn ellipse
ORANGE, BLUE, GREY = (1.0, 0.55, 0.1), (0.2, 0.6, 1.0), (0.7, 0.7, 0.7)


class TwinMarkers:
    """Publisher of markers at a limited rate, while they have subscribers."""

    def __init__(self, node: Node, area: AreaSettings) -> None:
        self._area, self._floor = area.area, area_markers(area)
        self._publisher = node.create_publisher(MarkerArray, 'markers', RELIABLE)
        self._shown: tuple[str, ...] = ()
        self._drawn_s = 0.0

    def draw(self, predictions: TickPredictions, now_s: float) -> None:
        """Publish the subjects; `now_s` is any steady time."""
        if now_s - self._drawn_s < INTERVAL_S:
            return
        self._drawn_s = now_s
        if self._publisher.get_subscription_count():
            vanished = sorted(set(self._shown) - set(predictions.subjects))
            self._publisher.publish(subject_markers(self._area, predictions, vanished))
            self._shown = predictions.subjects

    def draw_floor(self) -> None:
        """Publish the static markers again, for late subscribers."""
        if self._publisher.get_subscription_count():
            self._publisher.publish(self._floor)


def subject_markers(
    area: str, predictions: TickPredictions, vanished: Iterable[str] = (),
) -> MarkerArray:
    """Create position, 90 % ellipse, path and label per subject; DELETE for vanished ones.

    The namespace is twin/<subject>, and ids are fixed, so a marker replaces its predecessor.
    """
    header = Header(stamp=to_time(predictions.stamp_ns), frame_id=area)
    markers = []
    for row, subject in enumerate(predictions.subjects):
        make = partial(colored_marker, header, f'twin/{subject}', lifetime=SUBJECT_LIFETIME)
        x, y = predictions.position[row].tolist()
        seen = ORANGE if 'camera' in predictions.sources[row] else BLUE
        points = [Point(x=x, y=y)] + [
            Point(x=a, y=b) for a, b in predictions.trajectory[row].tolist()]
        markers += [
            make(BODY, Marker.SPHERE, seen, pose=_pose(x, y, HEIGHT_M), scale=_cube(0.3)),
            ellipse_marker(make, (x, y, 0.0), predictions.covariance[row], seen),
            make(PATH, Marker.LINE_STRIP, seen, points=points, scale=Vector3(x=0.06)),
            make(LABEL, Marker.TEXT_VIEW_FACING, GREY, pose=_pose(x, y, HEIGHT_M + 1.0),
                 scale=Vector3(z=0.4), text=f'{subject}\n{predictions.sources[row]}')]
    for subject in vanished:
        markers += [Marker(header=header, ns=f'twin/{subject}', id=number, action=Marker.DELETE)
                    for number in (BODY, ELLIPSE, PATH, LABEL)]
    return MarkerArray(markers=markers)


def area_markers(area: AreaSettings) -> MarkerArray:
    """Create the access points and, with a camera, the outline of its field of view."""
    make = partial(colored_marker, Header(frame_id=area.area), 'area')
    markers = [make(ACCESS_POINT + number, Marker.CUBE, BLUE, pose=_pose(x, y, z),
                    scale=_cube(0.25)) for number, (x, y, z) in enumerate(area.ap_positions)]
    if 'camera' in area.modalities:
        points = [Point(x=a, y=b) for a, b in view_outline(CameraModel(area)).tolist()]
        markers.append(make(VIEW, Marker.LINE_STRIP, GREY, points=points, scale=Vector3(x=0.05)))
    return MarkerArray(markers=markers)


def ellipse_marker(
    make: 'partial[Marker]', position_m: tuple[float, float, float],
    covariance: Array | FloatArray, color: tuple[float, float, float],
) -> Marker:
    """Create the 90 % ellipse of a position on the floor at z, covariance (2, 2) [m^2]."""
    variances, axes = np.linalg.eigh(covariance.astype(np.float64))
    length = 2 * np.sqrt(CHI2_90_2D * np.clip(variances, 1e-6, None))
    angle = float(np.arctan2(axes[1, 1], axes[0, 1]))  # of the longer axis
    x, y, z = position_m
    pose = _pose(x, y, z + 0.02)
    pose.orientation = Quaternion(z=np.sin(angle / 2), w=np.cos(angle / 2))
    short, long = np.minimum(length, MAX_AXIS_M).tolist()
    return make(ELLIPSE, Marker.CYLINDER, color, alpha=0.25, pose=pose,
                scale=Vector3(x=long, y=short, z=0.02))


def colored_marker(
    header: Header, namespace: str, number: int, kind: int, color: tuple[float, float, float],
    *, alpha: float = 0.9, **fields: object,
) -> Marker:
    """Create a marker that adds a shape."""
    marker = Marker(header=header, ns=namespace, id=number, type=kind, action=Marker.ADD, **fields)
    marker.color = ColorRGBA(r=color[0], g=color[1], b=color[2], a=alpha)
    return marker


def _pose(x: float, y: float, z: float) -> Pose:
    return Pose(position=Point(x=x, y=y, z=z))


def _cube(size: float) -> Vector3:
    return Vector3(x=size, y=size, z=size)
