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

"""Detections of another package as a source, without the network."""

import re
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String

from utt_ros.bridge.node.detection_topics import MAX_PENDING_MESSAGES, DetectionTopicSource
from utt_ros.bridge.node.qos import SENSOR
from utt_ros.drivers.camera.detection import DetectionSettings
from utt_ros.drivers.camera.detection_messages import FORMATS
from utt_ros.drivers.camera.detection_stream import DetectionTopicSettings
from utt_ros.drivers.camera.pipeline import DetectionPipeline
from utt_ros.drivers.camera.tracking import TrackingSettings
from utt_ros.errors import SettingsError
from utt_ros.settings import AreaSettings

START_S = 1_790_000_000


@pytest.fixture
def source(node: Node, monkeypatch: pytest.MonkeyPatch) -> DetectionTopicSource:
    """Source with a type that is installed in the place of one that may not be."""
    monkeypatch.setattr(
        'utt_ros.bridge.node.detection_topics.load_message_type', lambda _name: String)
    return DetectionTopicSource(node, DetectionTopicSettings(), AreaSettings())


def message(step: int, *columns: float, track_id: str = '') -> SimpleNamespace:
    """Detections of people at these columns, with ids where they have a name."""
    hypothesis = SimpleNamespace(class_id='person', score=0.9)
    return SimpleNamespace(
        header=Header(stamp=Time(sec=START_S + step // 10, nanosec=step % 10 * 100_000_000)),
        detections=[SimpleNamespace(
            bbox=SimpleNamespace(size_x=60.0, size_y=180.0, center=SimpleNamespace(
                position=SimpleNamespace(x=column, y=400.0), theta=0.0)),
            id=track_id and f'{track_id}{number}',
            results=[SimpleNamespace(hypothesis=hypothesis)])
            for number, column in enumerate(columns)])


def test_messages_become_frames_of_people_without_images(source: DetectionTopicSource) -> None:
    with source:
        source.keep(message(0, 300.0, 500.0, track_id='p'))
        source.keep(message(1))
        first, second = source.read(0.0)
    assert first.stamp_ns == START_S * 10**9
    assert first.image is None
    assert first.people.boxes[:, 0].tolist() == [300, 500]
    assert second.people.boxes.shape == (0, 5)


@pytest.mark.parametrize('track_id', ['', 'p'])
def test_people_are_tracked_by_the_sender_or_here(
    source: DetectionTopicSource, track_id: str,
) -> None:
    pipeline = DetectionPipeline(
        source, AreaSettings(), DetectionSettings(detector='source'), TrackingSettings())
    with pipeline:
        for step in range(8):
            source.keep(message(step, 300.0 + step, 900.0 - step, track_id=track_id))
        frames = pipeline.read(0.0)
    names = [frame.people.track_ids for frame in frames]
    assert len({frozenset(ids) for ids in names[3:]}) == 1
    assert len(names[-1]) == 2
    assert np.isfinite(frames[-1].people.boxes[:, [0, 1, 3, 4]]).all()


def test_messages_that_nobody_reads_are_bounded_and_counted(source: DetectionTopicSource) -> None:
    source.keep(message(0, 300.0))  # before it is open
    with source:
        for step in range(MAX_PENDING_MESSAGES + 3):
            source.keep(message(step, 300.0))
        assert len(source.read(0.0)) == MAX_PENDING_MESSAGES
    assert source.counters['superseded'] == 3


def test_topic_without_a_publisher_and_other_types_are_named(
    node: Node, source: DetectionTopicSource, wait_until: Callable[..., None],
) -> None:
    assert source.status()['trouble'] == (
        'nobody publishes /hall/camera/detections (vision_msgs/msg/Detection2DArray)')
    node.create_publisher(String, 'camera/detections', SENSOR)
    wait_until(lambda: re.search(
        'detections is std_msgs/msg/String, not vision_msgs', str(source.status()['trouble'])))
    assert source.status()['topics'] == '/hall/camera/detections'


@pytest.mark.parametrize('kind', FORMATS)
def test_type_that_is_not_installed_is_refused_with_its_package(node: Node, kind: str) -> None:
    package = kind.partition('/')[0]
    try:
        import_module(f'{package}.msg')
    except ImportError:
        with pytest.raises(SettingsError, match=f'install {package}, as ros-<distro>-'):
            DetectionTopicSource(node, DetectionTopicSettings(type=kind), AreaSettings())
    else:
        made = DetectionTopicSource(node, DetectionTopicSettings(type=kind), AreaSettings())
        assert made.status()['topics'] == '/hall/camera/detections'


def test_image_is_no_detection() -> None:
    with pytest.raises(SettingsError, match='must be one of'):
        DetectionTopicSettings(type=f'{Image.__module__.partition(".")[0]}/msg/Image')


def test_empty_stream_says_nothing(source: DetectionTopicSource) -> None:
    with source:
        assert list(source.read(0.0)) == []
    values: dict[str, Any] = dict(source.status())
    assert values['classes'] == ''
