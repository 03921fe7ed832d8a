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

"""Source of images from the topics of another camera driver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Condition
from typing import Any, NamedTuple

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from utt_ros.bridge.compat import cv_bridge, message_filters
from utt_ros.bridge.messages.sensors import to_ns
from utt_ros.bridge.node.qos import IMAGES
from utt_ros.bridge.node.sensor_topics import overridable, refused_qos
from utt_ros.drivers.source import Source
from utt_ros.drivers.types import CameraFrame
from utt_ros.errors import MeasurementError, SettingsError, SourceError
from utt_ros.sensor_limits import is_ros_stamp
from utt_ros.settings import AreaSettings, check, setting

QUEUE = 10


@dataclass(frozen=True, slots=True)
class TopicsSettings:
    """Topic names, relative to the area's namespace unless they begin with /."""

    image: str = setting('camera/image_raw', 'topic of the images')
    compressed: bool = setting(
        False, 'images are CompressedImage (JPEG, PNG), on this topic or /compressed below it')
    depth: str = setting('', 'topic of depth, registered to the images; empty: none')
    compressed_depth: bool = setting(
        False, 'depth is CompressedImage (PNG), on this topic or /compressedDepth below it')
    camera_info: str = setting('', 'topic of the calibration; empty: none')
    slop: float = setting(0.05, 'maximum difference of stamps of one frame [s]',
                          low=0.001, high=1.0)

    def __post_init__(self) -> None:
        check(self)
        if not self.image:
            raise SettingsError('image is empty: it must be the topic of the images')


class TopicInput(NamedTuple):
    """Input of a frame."""

    kind: type
    topics: list[str]  # on any of which it is published
    switch: str = ''  # setting that chooses its type


class TopicSource(Source[CameraFrame]):
    """Source of the newest image, with depth and calibration where topics are set.

    Callbacks store messages; the reading thread converts them.
    """

    def __init__(self, node: Node, settings: TopicsSettings, area: AreaSettings) -> None:
        super().__init__()
        self._node, self._settings, self._area = node, settings, area
        self._bridge = cv_bridge.load_cv_bridge()
        self._newest: tuple[Any, ...] | None = None
        self._is_open = False
        self._changed = Condition()
        self._inputs = _topics(settings)
        self._waiting = 0  # images since the last complete frame
        self._filters = _join(node, self._inputs, settings.slop, self._keep, self._wait)
        self._trouble = ''

    def open(self) -> None:
        self._is_open = True

    def read(self, timeout_s: float) -> Sequence[CameraFrame]:
        """Return the newest image. Raises SourceError when its lens differs from the area's."""
        with self._changed:
            self._changed.wait_for(lambda: self._newest, timeout_s)
            newest, self._newest = self._newest, None
        try:
            return [] if newest is None else self._pictures(newest)
        except MeasurementError as err:
            self.counters['undecodable'] += 1
            self._trouble = str(err)
            return []

    def close(self) -> None:
        with self._changed:
            self._is_open, self._newest = False, None

    def status(self) -> Mapping[str, object]:
        """Return the topics and what is wrong with their publishers."""
        inputs = [each._replace(topics=[self._node.resolve_topic_name(topic)
                                        for topic in each.topics]) for each in self._inputs]
        missing = '; '.join(filter(None, map(self._missing, inputs)))
        return {'topics': ', '.join(' or '.join(each.topics) for each in inputs),
                'trouble': missing or self._unpaired() or self._trouble}

    def _unpaired(self) -> str:
        """Return that images have no partners; empty when they have."""
        if self._waiting <= QUEUE:
            return ''
        others = ' and '.join(' or '.join(each.topics) for each in self._inputs[1:])
        return (f'{self._waiting} images without {others} within topics.slop, '
                f'{self._settings.slop:g} s: compare their stamps')

    def _missing(self, wanted: TopicInput) -> str:
        """Return why no message of an input can come; empty when one can."""
        kind, topics, switch = wanted
        types = {info.topic_type: topic for topic in topics
                 for info in self._node.get_publishers_info_by_topic(topic)}
        expected = f'sensor_msgs/msg/{kind.__name__}'
        if expected in types:
            return ''
        if not types:
            return f'nobody publishes {" or ".join(topics)} ({kind.__name__})'
        other, topic = next(iter(types.items()))
        value = {'sensor_msgs/msg/CompressedImage': 'true',
                 'sensor_msgs/msg/Image': 'false'}.get(other, '')
        advice = f': set topics.{switch} to {value}' if switch and value else ''
        return f'{topic} is {other}, not {kind.__name__}{advice}'

    def _wait(self, _image: Any) -> None:
        """Count an image that displaces one from the queue of those without partners."""
        with self._changed:
            self._waiting += 1
            self.counters['unpaired'] += self._waiting > QUEUE

    def _keep(self, *messages: Any) -> None:
        with self._changed:
            self._waiting = 0
            if self._is_open:
                self.counters['superseded'] += self._newest is not None
                self._newest = messages
                self._changed.notify()

    def _pictures(self, messages: tuple[Any, ...]) -> list[CameraFrame]:
        stamp_ns = to_ns(messages[0].header.stamp)
        if not is_ros_stamp(stamp_ns):
            self.counters['implausible'] += 1
            return []
        depth = None
        for message in messages[1:]:
            if isinstance(message, CameraInfo):
                self._compare(message)
            else:
                depth = cv_bridge.depth_from_message(self._bridge, message)
        image = cv_bridge.image_from_message(self._bridge, messages[0])
        if depth is not None and depth.shape != image.shape[:2]:
            raise MeasurementError(
                f'depth of {depth.shape} for an image of {image.shape[:2]}: register it first')
        return [CameraFrame(stamp_ns, image, depth)]

    def _compare(self, info: CameraInfo) -> None:
        try:
            cv_bridge.check_focal_lengths(info, self._area)
        except SettingsError as err:
            raise SourceError(f'{self._settings.camera_info}: {err}') from err


def _topics(settings: TopicsSettings) -> list[TopicInput]:
    """Return the inputs of a frame.

    Compressed images are published below the topic of the images by image_transport, and on a
    topic of any name by other drivers.
    """
    inputs = [
        _images(settings.image, settings.compressed, 'compressed', 'compressed'),
        _images(settings.depth, settings.compressed_depth, 'compressedDepth', 'compressed_depth'),
        TopicInput(CameraInfo, [settings.camera_info])]
    return [each for each in inputs if each.topics[0]]


def _images(topic: str, is_compressed: bool, suffix: str, switch: str) -> TopicInput:
    topics = [topic]
    if is_compressed and not topic.endswith(f'/{suffix}'):
        topics.append(f'{topic}/{suffix}')
    return TopicInput(CompressedImage if is_compressed else Image, topics, switch)


def _join(node: Node, inputs: list[TopicInput], slop: float, keep: Any, wait: Any) -> Any:
    """Call `keep(image, *others)` for messages of one frame, and before `wait(image)`."""
    filters = message_filters.load_message_filters()
    merged = []
    for kind, topics, _ in inputs:
        merged.append(filters.SimpleFilter())
        for topic in topics:
            with refused_qos(topic):
                subscriber = filters.Subscriber(node, kind, topic, **overridable(IMAGES))
            subscriber.registerCallback(merged[-1].signalMessage)
    merged[0].registerCallback(wait)
    joined = (filters.ApproximateTimeSynchronizer(merged, QUEUE, slop)
              if len(merged) > 1 else merged[0])
    joined.registerCallback(keep)
    return joined
