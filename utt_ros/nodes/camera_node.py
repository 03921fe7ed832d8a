"""The camera of an area: its pictures and the people in them."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from utt_ros.bridge.compat import cv_bridge
from utt_ros.bridge.messages.sensors import to_time
from utt_ros.bridge.node.camera_topics import TopicSource, TopicsSettings
from utt_ros.bridge.node.driver import Driver
from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import IMAGES, SENSOR
from utt_ros.drivers.camera import DEFAULT, SOURCES
from utt_ros.drivers.camera.camera_calibration import pinhole_calibration, read_lens_calibration
from utt_ros.drivers.camera.detection import DetectionSettings, check_detector
from utt_ros.drivers.camera.pipeline import DetectionPipeline
from utt_ros.drivers.camera.tracking import TrackingSettings
from utt_ros.drivers.reader import ReaderSettings
from utt_ros.drivers.source import SourceEntry, Source
from utt_ros.drivers.types import Detections, CameraFrame
from utt_ros.errors import SettingsError
from utt_ros.msg import Track, Tracks
from utt_ros.settings import setting


@dataclass(frozen=True, slots=True)
class CameraReaderSettings(ReaderSettings):
    """Pictures are large, so few of them wait."""

    queue: int = setting(8, 'pictures that wait to be published; the oldest are dropped',
                         low=1, high=1000)


class CameraNode(Driver):
    """Publishes pictures while somebody subscribes, and people always."""

    reader_settings = CameraReaderSettings

    def __init__(self) -> None:
        topics = SourceEntry('camera topics of another driver', TopicsSettings, self._topics, lambda: '')
        super().__init__('camera', {**SOURCES, 'topics': topics}, DEFAULT)

    def wrap(self, source: Source[Any]) -> Source[Any]:
        """Let somebody watch what the camera sees."""
        detection = declare_settings(self, DetectionSettings, 'detection.')
        check_detector(detection, self.chosen)
        return DetectionPipeline(source, self.area, detection,
                       declare_settings(self, TrackingSettings, 'tracking.'))

    def prepare(self) -> None:
        """Read the calibration and make the publishers."""
        path = self.declare_parameter('calibration', '').value
        self._info = cv_bridge.camera_info_message(
            read_lens_calibration(Path(path).expanduser()) if path else pinhole_calibration(self.area))
        self._check_size()
        self._bridge = cv_bridge.load()
        self._frame = f'{self.area.area}/camera_optical'
        self._tracks = self.create_publisher(Tracks, 'camera/tracks', SENSOR)
        self._pictures: dict[str, Publisher] = {}
        if self.chosen != 'topics':  # there the pictures have a publisher already
            kinds = {'image_raw': Image, 'depth/image_raw': Image, 'camera_info': CameraInfo}
            self._pictures = {
                name: self.create_publisher(kind, f'camera/{name}', IMAGES)
                for name, kind in kinds.items()}

    def publish(self, samples: Sequence[CameraFrame]) -> None:
        """Publish pictures and people, oldest first.

        People come last: a large picture pushes what was sent before it out of shared memory.
        """
        for sample in samples:
            header = Header(stamp=to_time(sample.stamp_ns), frame_id=self._frame)
            self._publish_picture(header, sample)
            if sample.people is not None:
                self._tracks.publish(tracks_message(header, sample.people))

    def _publish_picture(self, header: Header, sample: CameraFrame) -> None:
        makers: dict[str, Callable[[], Any]] = {
            'image_raw': lambda: cv_bridge.image_message(self._bridge, sample.image),
            'depth/image_raw': lambda: cv_bridge.image_message(self._bridge, sample.depth),
            'camera_info': lambda: self._info}
        for name, publisher in self._pictures.items():
            if publisher.get_subscription_count() and (message := makers[name]()) is not None:
                message.header = header
                publisher.publish(message)

    def _topics(self, settings: Any, area: Any) -> TopicSource:
        return TopicSource(self, settings, area)

    def _check_size(self) -> None:
        area, info = self.area, self._info
        if (info.width, info.height) != (area.image_width, area.image_height):
            raise SettingsError(
                f'calibration is for {info.width} x {info.height} px, the area says '
                f'{area.image_width} x {area.image_height}')
        cv_bridge.check_focal_lengths(info, area)


def tracks_message(header: Header, people: Detections) -> Tracks:
    """Everybody in one picture; people without a name are left out."""
    names = people.track_ids or ('',) * len(people.boxes)
    rows = zip(names, people.boxes.tolist(), people.confidence.tolist(), strict=True)
    return Tracks(header=header, tracks=[
        Track(track_id=name, center_x=box[0], center_y=box[1], depth=box[2], width=box[3],
              height=box[4], confidence=confidence)
        for name, box, confidence in rows if name])


def main(args: Sequence[str] | None = None) -> int:
    """Run until told to stop."""
    return run_node(CameraNode, args)


if __name__ == '__main__':
    sys.exit(main())
