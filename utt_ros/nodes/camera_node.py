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

"""The camera of an area: images and tracks of people."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from utt_ros.bridge.compat import cv_bridge
from utt_ros.bridge.messages.sensors import to_time, tracks_to_message
from utt_ros.bridge.node.camera_topics import TopicSource, TopicsSettings
from utt_ros.bridge.node.detection_topics import DetectionTopicSource
from utt_ros.bridge.node.driver import Driver
from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import IMAGES, SENSOR
from utt_ros.bridge.node.sensor_topics import create_sensor_publisher
from utt_ros.drivers.camera import DEFAULT, NODE_SOURCES, SOURCES
from utt_ros.drivers.camera.camera_calibration import pinhole_calibration, read_lens_calibration
from utt_ros.drivers.camera.detection import DetectionSettings, check_detector
from utt_ros.drivers.camera.detection_stream import DetectionTopicSettings
from utt_ros.drivers.camera.pipeline import DetectionPipeline
from utt_ros.drivers.camera.tracking import TrackingSettings
from utt_ros.drivers.reader import ReaderSettings
from utt_ros.drivers.source import Source, SourceEntry
from utt_ros.drivers.types import CameraFrame
from utt_ros.errors import SettingsError
from utt_ros.msg import Tracks
from utt_ros.settings import setting


@dataclass(frozen=True, slots=True)
class CameraReaderSettings(ReaderSettings):
    """Reader settings with a short queue, since images are large."""

    queue: int = setting(8, 'images that wait for publication; the oldest are dropped',
                         low=1, high=1000)


class CameraNode(Driver):
    """Publishes images while they have subscribers, and tracks always."""

    reader_settings = CameraReaderSettings

    def __init__(self) -> None:
        topics = SourceEntry(
            'camera topics of another driver', TopicsSettings,
            partial(TopicSource, self), lambda: '')
        detections = SourceEntry(
            "another package's detections of people", DetectionTopicSettings,
            partial(DetectionTopicSource, self), lambda: '', detects_people=True)
        super().__init__('camera', SOURCES.extended(
            {'detections': detections, 'topics': topics}), DEFAULT)

    def wrap(self, source: Source[Any]) -> Source[Any]:
        """Add detection and tracking to the source."""
        detection = declare_settings(self, DetectionSettings, 'detection.')
        if self.chosen == 'detections':  # which has no images
            detection = replace(detection, detector='source')
        check_detector(detection, self.chosen, self.entry)
        tracking = declare_settings(self, TrackingSettings, 'tracking.')
        return DetectionPipeline(source, self.area, detection, tracking)

    def prepare(self) -> None:
        """Read the calibration and create the publishers."""
        path = self.declare_parameter('calibration', '').value
        path = path.removeprefix('file://')  # of camera_info_url
        calibration = (read_lens_calibration(Path(path).expanduser()) if path
                       else pinhole_calibration(self.area))
        self._info = cv_bridge.camera_info_message(calibration)
        self._check_size()
        self._bridge = cv_bridge.load_cv_bridge()
        self._frame = f'{self.area.area}/camera_optical'
        self._tracks = create_sensor_publisher(self, Tracks, 'camera/tracks', SENSOR)
        self._pictures: dict[str, Publisher] = {}
        if self.chosen not in NODE_SOURCES:  # whose images have a publisher already
            kinds = {'image_raw': Image, 'depth/image_raw': Image, 'camera_info': CameraInfo}
            self._pictures = {
                name: create_sensor_publisher(self, kind, f'camera/{name}', IMAGES)
                for name, kind in kinds.items()}

    def publish(self, samples: Sequence[CameraFrame]) -> None:
        """Publish images and tracks, oldest first.

        Tracks come last: a large image evicts earlier messages from shared memory.
        """
        for sample in samples:
            header = Header(stamp=to_time(sample.stamp_ns), frame_id=self._frame)
            self._publish_picture(header, sample)
            if sample.people is not None:
                self._tracks.publish(tracks_to_message(header, sample.people))

    def _publish_picture(self, header: Header, sample: CameraFrame) -> None:
        makers: dict[str, Callable[[], Any]] = {
            'image_raw': lambda: cv_bridge.image_message(self._bridge, sample.image),
            'depth/image_raw': lambda: cv_bridge.image_message(self._bridge, sample.depth),
            'camera_info': lambda: self._info}
        for name, publisher in self._pictures.items():
            if publisher.get_subscription_count() and (message := makers[name]()) is not None:
                message.header = header
                publisher.publish(message)

    def _check_size(self) -> None:
        area, info = self.area, self._info
        if (info.width, info.height) != (area.image_width, area.image_height):
            raise SettingsError(
                f'calibration is for {info.width} x {info.height} px, the area is '
                f'{area.image_width} x {area.image_height}')
        cv_bridge.check_focal_lengths(info, area)


def main(args: Sequence[str] | None = None) -> int:
    """Run the driver until SIGINT or SIGTERM."""
    return run_node(CameraNode, args)


if __name__ == '__main__':
    sys.exit(main())
