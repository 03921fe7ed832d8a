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

"""The topics of another driver as a source, without the network."""

import re
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from utt_ros.bridge.messages.sensors import to_time
from utt_ros.bridge.node.camera_topics import TopicSource, TopicsSettings
from utt_ros.bridge.node.qos import IMAGES
from utt_ros.errors import SourceError
from utt_ros.settings import AreaSettings


@pytest.mark.parametrize(('sec', 'nanosec', 'taken'), [
    (1_790_000_000, 5, [1_790_000_000_000_000_005]),
    (0, 0, []), (-5, 0, []), (2**31 - 1, 4_000_000_000, [])])
def test_images_without_a_valid_stamp_are_refused(
        ros: int, sec: int, nanosec: int, taken: list[int]) -> None:
    node = Node('listener')
    source = TopicSource(node, TopicsSettings(), AreaSettings())
    with source:
        source._filters.signalMessage(Image(
            header=Header(stamp=Time(sec=sec, nanosec=nanosec)), height=1, width=2,
            encoding='mono8', step=2, data=array('B', b'ab')))
        assert [picture.stamp_ns for picture in source.read(0.0)] == taken
        assert source.counters['implausible'] == (not taken)
    node.destroy_node()


@pytest.fixture
def other(ros: int) -> Iterator[Node]:
    """Node of another process: one process cannot use a topic with two types."""
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=ros)
    made = Node('driver', namespace='hall', context=context)
    yield made
    made.destroy_node()
    rclpy.shutdown(context=context)


STAMPED = Header(stamp=Time(sec=1_790_000_000))
JPEG = array('B', cv2.imencode('.jpg', np.zeros((4, 6, 3), np.uint8))[1].tobytes())


@pytest.mark.parametrize(('image', 'published'), [
    ('camera/image_raw', '/hall/camera/image_raw/compressed'),
    ('camera/image_raw/compressed', '/hall/camera/image_raw/compressed'),
    ('camera/jpeg', '/hall/camera/jpeg'), ('/front/image', '/front/image/compressed')])
def test_compressed_images_are_found_by_both_conventions_of_names(
    node: Node, wait_until: Callable[..., None], image: str, published: str,
) -> None:
    publisher = node.create_publisher(CompressedImage, published, IMAGES)
    taken: list[Any] = []
    with TopicSource(node, TopicsSettings(image=image, compressed=True), AreaSettings()) as source:
        def send() -> None:
            publisher.publish(CompressedImage(header=STAMPED, format='jpeg', data=JPEG))
            rclpy.spin_once(node, timeout_sec=0.05)
            taken.extend(source.read(0.0))

        wait_until(lambda: taken, spin=send)
        assert taken[0].image.shape == (4, 6, 3)
        assert source.status()['trouble'] == ''


@pytest.mark.parametrize(('depth', 'published'), [
    ('camera/depth', '/hall/camera/depth/compressedDepth'),
    ('camera/depth/compressedDepth', '/hall/camera/depth/compressedDepth'),
    ('camera/packed', '/hall/camera/packed')])
def test_compressed_depth_is_found_by_both_conventions_of_names(
    node: Node, wait_until: Callable[..., None], depth: str, published: str,
) -> None:
    images = node.create_publisher(Image, 'camera/image_raw', IMAGES)
    depths = node.create_publisher(CompressedImage, published, IMAGES)
    png = cv2.imencode('.png', np.full((4, 6), 1500, np.uint16))[1].tobytes()
    packed = CompressedImage(header=STAMPED, format='16UC1; compressedDepth png',
                             data=array('B', bytes(12) + png))
    image = Image(header=STAMPED, height=4, width=6, encoding='mono8', step=6,
                  data=array('B', bytes(24)))
    taken: list[Any] = []
    with TopicSource(node, TopicsSettings(depth=depth, compressed_depth=True),
                     AreaSettings()) as source:
        def send() -> None:
            images.publish(image)
            depths.publish(packed)
            rclpy.spin_once(node, timeout_sec=0.05)
            taken.extend(source.read(0.0))

        wait_until(lambda: taken, spin=send)
        assert taken[0].depth == pytest.approx(np.full((4, 6), 1.5))
        assert source.status()['trouble'] == ''


@pytest.mark.parametrize(('late_ns', 'is_paired'), [
    (0, True), (40_000_000, True), (-40_000_000, True), (60_000_000, False), (-3 * 10**9, False)])
def test_images_without_partners_are_counted_and_named(
    node: Node, late_ns: int, is_paired: bool,
) -> None:
    for kind, topic in ((Image, 'camera/image_raw'), (Image, 'camera/depth')):
        node.create_publisher(kind, topic, IMAGES)
    with TopicSource(node, TopicsSettings(depth='camera/depth'), AreaSettings()) as source:
        receive = {each.topic_name: each.callback for each in node.subscriptions}
        for step in range(15):
            for name, late in (('image_raw', 0), ('depth', late_ns)):
                stamp_ns = 1_790_000_000_000_000_000 + step * 10 * 10**9 + late
                receive[f'/hall/camera/{name}'](Image(header=Header(stamp=to_time(stamp_ns))))
        assert (source.counters['unpaired'] == 0) is is_paired
        assert ('images without camera/depth within topics.slop' in str(
            source.status()['trouble'])) is not is_paired


@pytest.mark.parametrize('encoding', ['64FC1', '32FC1', '16UC1', '8SC3', 'jpeg', ''])
def test_refused_encoding_is_named_in_the_status(node: Node, encoding: str) -> None:
    node.create_publisher(Image, 'camera/image_raw', IMAGES)
    with TopicSource(node, TopicsSettings(), AreaSettings()) as source:
        source._filters.signalMessage(Image(
            header=STAMPED, height=2, width=2, encoding=encoding, step=16,
            data=array('B', bytes(32))))
        assert source.read(0.0) == []
        assert source.counters['undecodable'] == 1
        assert encoding in str(source.status()['trouble'])


@pytest.mark.parametrize(('values', 'published', 'kind', 'says'), [
    ({}, 'camera/image_raw', CompressedImage, 'set topics.compressed to true'),
    ({'compressed': True}, 'camera/image_raw', Image, 'set topics.compressed to false'),
    ({}, 'camera/image', Image, r'nobody publishes /hall/camera/image_raw \(Image\)'),
    ({'compressed': True}, 'image', Image, 'image_raw or /hall/camera/image_raw/compressed'),
    ({'depth': 'camera/depth'}, 'camera/depth', CompressedImage,
     'set topics.compressed_depth to true'),
    ({'depth': 'camera/depth', 'compressed_depth': True}, 'camera/depth', Image,
     'set topics.compressed_depth to false'),
    ({'camera_info': 'camera/info'}, 'camera/info', Image,
     '/hall/camera/info is sensor_msgs/msg/Image, not CameraInfo$')])
def test_topics_that_nobody_publishes_and_other_types_are_named_in_the_status(
    node: Node, other: Node, wait_until: Callable[..., None], values: dict[str, Any],
    published: str, kind: type, says: str,
) -> None:
    other.create_publisher(kind, published, IMAGES)
    source = TopicSource(node, TopicsSettings(**values), AreaSettings())
    wait_until(lambda: re.search(says, str(source.status()['trouble'])))
    assert '/hall/camera/image_raw' in str(source.status()['topics'])


def test_uncalibrated_camera_is_called_so(node: Node) -> None:
    source = TopicSource(node, TopicsSettings(camera_info='camera/info'), AreaSettings())
    with source, pytest.raises(SourceError, match=r'camera/info: .* the camera is not calibrated'):
        source._compare(CameraInfo(width=1280, height=720))
