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

"""Detections of other packages, in messages that went over the wire."""

from typing import Any

import numpy as np
import pytest
from rosbags.interfaces import Nodetype
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from utt_ros.drivers.camera.detection_messages import FORMATS, BoxProjection, MessageDetection
from utt_ros.sessions.detection_types import (
    VISION,
    VISION_FOXY,
    VISION_GALACTIC,
    register_detections,
)
from utt_ros.settings import AreaSettings

AREA = AreaSettings(image_width=1280, image_height=720, fx=500.0, fy=500.0, cx=640.0, cy=360.0)
RELEASES = {'foxy': VISION_FOXY, 'galactic': VISION_GALACTIC, 'humble': VISION}
TURNED = {'z': np.sqrt(0.5), 'w': np.sqrt(0.5)}  # by 90 degrees about z
FLAT, SOLID = 'vision_msgs/msg/Detection2DArray', 'vision_msgs/msg/Detection3DArray'
YOLO = 'yolo_msgs/msg/DetectionArray'
ZED = ('zed_msgs/msg/ObjectsStamped', 'zed_interfaces/msg/ObjectsStamped')


def build(store: Typestore, kind: str, values: dict[str, Any]) -> Any:
    """Message with these values, and zeros elsewhere."""
    fields = {name: part(store, node, values.get(name)) for name, node in store.fielddefs[kind][1]}
    assert set(values) <= set(fields)
    return store.types[kind](**fields)


def part(store: Typestore, node: Any, value: Any) -> Any:
    kind, detail = node
    if kind is Nodetype.NAME:
        return build(store, detail, value or {})
    if kind is Nodetype.BASE:
        return value if value is not None else '' if detail[0] == 'string' else 0
    inner, count = detail
    items = value if value is not None else [None] * (count if kind is Nodetype.ARRAY else 0)
    built = [part(store, inner, item) for item in items]
    return np.array(built, inner[1][0]) if inner[0] is Nodetype.BASE else built


def read(
    kind: str, items: list[dict[str, Any]], release: str = 'humble', axes: str = 'optical',
    size: tuple[int, int] = (0, 0), frame: str = 'camera_optical',
) -> list[MessageDetection]:
    store = get_typestore(Stores.ROS2_JAZZY)
    register_detections(store, RELEASES[release])
    name = 'objects' if kind in ZED else 'detections'
    message = build(store, kind, {'header': {'frame_id': frame}, name: items})
    sent = store.deserialize_cdr(store.serialize_cdr(message, kind), kind)
    return list(FORMATS[kind](sent, BoxProjection(AREA, axes, *size)))


def hypotheses(release: str, **classes: float) -> list[dict[str, Any]]:
    if release == 'foxy':
        return [{'id': name, 'score': score} for name, score in classes.items()]
    return [{'hypothesis': {'class_id': name, 'score': score}} for name, score in classes.items()]


def identified(release: str, name: str) -> dict[str, Any]:
    return {'tracking_id': name, 'is_tracking': True} if release == 'foxy' else {'id': name}


def flat(release: str, u: float, v: float, theta: float = 0.0) -> dict[str, Any]:
    center = ({'position': {'x': u, 'y': v}, 'theta': theta} if release == 'humble'
              else {'x': u, 'y': v, 'theta': theta})
    return {'center': center, 'size_x': 100.0, 'size_y': 200.0}


def solid(*center: float, turned: dict[str, float] | None = None) -> dict[str, Any]:
    return {'center': {'position': dict(zip('xyz', center, strict=True)),
                       'orientation': turned or {}},
            'size': {'x': 0.5, 'y': 1.75, 'z': 0.25}}


@pytest.mark.parametrize('release', RELEASES)
def test_flat_boxes_are_read_in_each_release(release: str) -> None:
    (got,) = read(FLAT, [{
        'bbox': flat(release, 300.0, 400.0), **identified(release, '7'),
        'results': hypotheses(release, car=0.2, person=0.75)}], release)
    assert got.box == pytest.approx((300, 400, np.nan, 100, 200), nan_ok=True)
    assert (got.confidence, got.label, got.track_id) == (0.75, 'person', '7')


@pytest.mark.parametrize('release', RELEASES)
def test_solid_boxes_are_projected_in_each_release(release: str) -> None:
    (got,) = read(SOLID, [{
        'bbox': solid(1.0, -0.5, 5.0), **identified(release, 'a-b'),
        'results': hypotheses(release, person=0.5)}], release)
    assert got.box == pytest.approx((740, 310, 5, 50, 175))
    assert (got.confidence, got.label, got.track_id) == (0.5, 'person', 'a-b')


@pytest.mark.parametrize('release', RELEASES)
def test_detections_without_class_and_id_are_read(release: str) -> None:
    (got,) = read(FLAT, [{'bbox': flat(release, 1.0, 2.0)}], release)
    assert (got.confidence, got.label, got.track_id) == (1.0, '', '')


def test_id_of_foxy_that_is_not_tracked_is_none() -> None:
    (got,) = read(FLAT, [{'bbox': flat('foxy', 1.0, 2.0), 'tracking_id': '7'}], 'foxy')
    assert got.track_id == ''


@pytest.mark.parametrize(('theta', 'size'), [
    (0.0, (100, 200)), (np.pi / 2, (200, 100)), (np.pi, (100, 200)), (-np.pi / 2, (200, 100)),
    (np.pi / 4, (212.132, 212.132))])
def test_a_rotated_box_becomes_the_upright_one_around_it(
    theta: float, size: tuple[float, float],
) -> None:
    (got,) = read(FLAT, [{'bbox': flat('humble', 50.0, 60.0, theta)}])
    assert got.box[3:] == pytest.approx(size, rel=1e-4)


@pytest.mark.parametrize(('kind', 'item'), [
    (FLAT, {'bbox': flat('humble', 320.0, 180.0)}),
    (YOLO, {'bbox': {'center': {'position': {'x': 320.0, 'y': 180.0}},
                     'size': {'x': 100.0, 'y': 200.0}}}),
    *((kind, {'bounding_box_2d': {'corners': [
        {'kp': corner} for corner in ((270, 80), (370, 80), (370, 280), (270, 280))]}})
      for kind in ZED)])
def test_boxes_of_a_smaller_image_are_scaled(kind: str, item: dict[str, Any]) -> None:
    (got,) = read(kind, [item], size=(640, 360))
    assert (*got.box[:2], *got.box[3:]) == pytest.approx((640, 360, 200, 400))


@pytest.mark.parametrize(('axes', 'center', 'turned', 'box'), [
    ('optical', (0.0, 0.0, 2.0), None, (640, 360, 2, 125, 437.5)),
    ('optical', (0.0, 0.0, 2.0), TURNED, (640, 360, 2, 437.5, 125)),
    ('optical', (-2.0, 1.0, 10.0), None, (540, 410, 10, 25, 87.5)),
    ('body', (10.0, 2.0, -1.0), None, (540, 410, 10, 87.5, 12.5)),
    ('body', (10.0, 2.0, -1.0), TURNED, (540, 410, 10, 25, 12.5))])
def test_solid_boxes_follow_the_axes_and_their_orientation(
    axes: str, center: tuple[float, ...], turned: dict[str, float] | None,
    box: tuple[float, ...],
) -> None:
    (got,) = read(SOLID, [{'bbox': solid(*center, turned=turned)}], axes=axes)
    assert got.box == pytest.approx(box)


@pytest.mark.parametrize(('axes', 'center'), [
    ('optical', (5.0, 0.0, -1.0)), ('optical', (0.0, 0.0, 0.0)), ('body', (-1.0, 0.0, 5.0)),
    ('optical', (np.nan, 0.0, 5.0)), ('optical', (0.0, 0.0, np.nan))])
def test_solid_boxes_that_are_not_ahead_have_no_box(
    axes: str, center: tuple[float, ...],
) -> None:
    (got,) = read(SOLID, [{'bbox': solid(*center)}], axes=axes)
    assert np.isnan(got.box).any()


def zed_object(**values: Any) -> dict[str, Any]:
    corners = ((540, 160), (740, 160), (740, 560), (540, 560))
    return {'label': 'Person', 'label_id': 3, 'confidence': 75.0, 'position': [4.0, 0.5, -0.5],
            'tracking_available': True, 'tracking_state': 1,
            'bounding_box_2d': {'corners': [{'kp': corner} for corner in corners]}, **values}


@pytest.mark.parametrize('kind', ZED)
def test_objects_of_a_zed_have_depth_class_and_id(kind: str) -> None:
    (got,) = read(kind, [zed_object()], frame='zed_left_camera_frame')
    assert got == MessageDetection((640, 360, 4, 200, 400), 0.75, 'Person', '3', True)


@pytest.mark.parametrize(('values', 'track_id', 'is_detected'), [
    ({'tracking_state': 2}, '3', False), ({'tracking_state': 3}, '3', False),
    ({'tracking_state': 0}, '3', False), ({'label_id': -1}, '', True),
    ({'tracking_available': False, 'tracking_state': 0}, '', True)])
def test_tracks_that_a_zed_only_predicts_are_marked(
    values: dict[str, Any], track_id: str, is_detected: bool,
) -> None:
    (got,) = read(ZED[0], [zed_object(**values)])
    assert (got.track_id, got.is_detected) == (track_id, is_detected)


@pytest.mark.parametrize(('label', 'read_as'), [
    ('Body_7', 'person'), ('Person', 'Person'), ('Vehicle', 'Vehicle'), ('', '')])
def test_bodies_of_a_zed_are_people(label: str, read_as: str) -> None:
    (got,) = read(ZED[0], [zed_object(label=label)])
    assert got.label == read_as


@pytest.mark.parametrize('forward', [0.0, -1.0, np.nan])
def test_a_zed_object_without_position_has_no_depth(forward: float) -> None:
    (got,) = read(ZED[0], [zed_object(position=[forward, 0.0, 0.0])])
    assert np.isnan(got.box[2])


@pytest.mark.parametrize(('frame', 'depth'), [
    ('camera_optical', 5.0), ('base_link', np.nan), ('', np.nan)])
def test_yolo_ros_has_depth_where_its_solid_box_is_in_the_frame_of_the_image(
    frame: str, depth: float,
) -> None:
    (got,) = read(YOLO, [{
        'class_id': 0, 'class_name': 'person', 'score': 0.5, 'id': '12',
        'bbox': {'center': {'position': {'x': 640.0, 'y': 360.0}},
                 'size': {'x': 100.0, 'y': 200.0}},
        'bbox3d': {**solid(0.0, 0.0, 5.0), 'frame_id': frame}}])
    assert got.box == pytest.approx((640, 360, depth, 100, 200), nan_ok=True)
    assert (got.confidence, got.label, got.track_id) == (0.5, 'person', '12')


def test_a_class_of_yolo_ros_without_a_name_is_its_number() -> None:
    (got,) = read(YOLO, [{'class_id': 0, 'bbox3d': {}}])
    assert got.label == '0'


@pytest.mark.parametrize('kind', FORMATS)
def test_a_message_without_detections_is_empty(kind: str) -> None:
    assert read(kind, []) == []
