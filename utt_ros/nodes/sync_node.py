"""The synchronizer of an area: measurements in, `synced` out.

Phones are found by the names of their topics and may come and go. All messages are taken as bytes:
a broken one is counted, and IMU messages are read without being deserialized. Where boxes have no
labels they are matched to phones, if so set; docs/association.md.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from rclpy.clock import Clock, ClockType
from rclpy.event_handler import PublisherEventCallbacks, QoSOfferedIncompatibleQoSInfo
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import Imu, MagneticField

from utt_ros.bridge.messages.sensors import (
    deserialize,
    ftm_from_message,
    samples_to_message,
    tracks_from_message,
)
from utt_ros.bridge.node.diagnostics import Diagnostics
from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import RELIABLE, SENSOR
from utt_ros.bridge.node.topic_types import message_type_name
from utt_ros.cdr import read_imu, read_magnetic
from utt_ros.errors import MeasurementError
from utt_ros.msg import FtmRange, SyncedSamples, Tracks
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.settings import SyncSettings
from utt_ros.sync.synchronizer import Synchronizer

DISCOVERY_SEC = 0.5
UNNAMED = 'boxes_without_subject'
HARMLESS = {'messages', 'ticks', 'duplicated', 'reordered', 'surplus_frames', UNNAMED,
            'boxes_without_depth'}
Read = Callable[[bytes], tuple[Any, ...]]


class Sensor(NamedTuple):
    """A topic of a phone."""

    modality: str
    type: type
    read: Read
    add: Callable[..., None]  # method of the synchronizer


SENSORS = {
    'ftm': Sensor('ftm', FtmRange, lambda data: ftm_from_message(deserialize(FtmRange, data)),
                  Synchronizer.add_ftm),
    'imu/data_raw': Sensor('imu', Imu, read_imu, Synchronizer.add_inertial),
    'imu/mag': Sensor('imu', MagneticField, read_magnetic, Synchronizer.add_magnetic),
}


class SyncNode(Node):
    """Subscribes, feeds the synchronizer, publishes what is complete."""

    def __init__(self) -> None:
        super().__init__('sync')
        self._area = declare_settings(self, AreaSettings)
        windows = declare_settings(self, WindowSettings)
        settings = declare_settings(self, SyncSettings)
        self._most = len(SENSORS) * settings.max_subjects
        self._matching = None
        if settings.association != 'labels':
            # It loads scipy and ONNX Runtime, which an area with labels has no use for.
            from utt_ros.bridge.node.association_model import AssociationModel  # noqa: PLC0415
            self._matching = AssociationModel(self, settings, self._area, windows)
        self._synchronizer = Synchronizer(
            settings, windows, self._area.modalities,
            self._matching.associator if self._matching else None)
        self._synchronizer.counters['messages'] = 0
        self._reported: dict[str, int] = {}
        events = PublisherEventCallbacks(incompatible_qos=self._on_incompatible_qos)
        self._synced = self.create_publisher(
            SyncedSamples, 'synced', RELIABLE, event_callbacks=events)
        root = re.escape(self.get_namespace().rstrip('/'))
        self._phone_topic = re.compile(rf'{root}/phones/(\w+)/({"|".join(SENSORS)})')
        self._phones: dict[str, Subscription] = {}  # by topic
        if 'camera' in self._area.modalities:
            self._listen(Tracks, 'camera/tracks', self._synchronizer.add_tracks,
                         lambda data: tracks_from_message(deserialize(Tracks, data)))
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(DISCOVERY_SEC, self._discover, clock=steady)
        self._diagnostics = Diagnostics(self, 'sync', self._values)

    def destroy_node(self) -> None:
        """Wait until no graph is being opened any more."""
        if self._matching is not None:
            self._matching.close()
        super().destroy_node()

    def _discover(self) -> None:
        """Subscribe to phones that appeared, drop those that nobody publishes any more."""
        published = {}
        for topic, types in self.get_topic_names_and_types():
            match = self._phone_topic.fullmatch(topic)
            if match and self.count_publishers(topic):
                published[topic] = match[1], SENSORS[match[2]], types
        for topic in self._phones.keys() - published.keys():
            self.destroy_subscription(self._phones.pop(topic))
        for topic in sorted(published.keys() - self._phones.keys()):
            self._meet(topic, *published[topic])

    def _meet(self, topic: str, phone: str, sensor: Sensor, types: Sequence[str]) -> None:
        if sensor.modality not in self._area.modalities:
            return
        if message_type_name(sensor.type) not in types:
            self._synchronizer.count('wrong_type', f'{topic} is a {types[0]}')
        elif len(self._phones) == self._most:
            self._synchronizer.count('too_many_subjects', f'{topic} is not subscribed')
        else:
            add = partial(sensor.add, self._synchronizer, phone)
            self._phones[topic] = self._listen(sensor.type, topic, add, sensor.read)

    def _listen(
        self, kind: type, topic: str, add: Callable[..., None], read: Read
    ) -> Subscription:
        return self.create_subscription(
            kind, topic, partial(self._on_message, topic, add, read), SENSOR, raw=True)

    def _on_message(
        self, topic: str, add: Callable[..., None], read: Read, data: bytes
    ) -> None:
        self._synchronizer.counters['messages'] += 1
        try:
            add(*read(data))
        except MeasurementError as err:
            self._synchronizer.count('malformed', f'{topic}: {err}')
        for batch in self._synchronizer.poll():
            self._synced.publish(samples_to_message(batch, self._area.area))

    def _on_incompatible_qos(self, info: QoSOfferedIncompatibleQoSInfo) -> None:
        remark = f'synced: somebody wants what is not offered, policy {info.last_policy_kind}'
        self._synchronizer.count('incompatible_qos', remark)
        self.get_logger().warning(remark)

    def _values(self) -> Mapping[str, object]:
        counters = dict(self._synchronizer.counters)
        trouble = [name for name, number in counters.items()
                   if name not in HARMLESS and number > self._reported.get(name, 0)]
        remarks = [self._synchronizer.remarks.get(name, name) for name in trouble]
        unnamed = counters.get(UNNAMED, 0) > self._reported.get(UNNAMED, 0)
        if unnamed and self._matching is None:
            remarks.append('boxes without labels are left out: association: fused matches them')
        self._reported = counters
        return {
            'level': 'warn' if trouble else 'ok',
            'message': '; '.join(remarks),
            'phones': ' '.join(self._synchronizer.phones),
            'epoch': self._synchronizer.epoch,
            **counters,
            **(self._matching.values() if self._matching else {}),
        }


def main(args: Sequence[str] | None = None) -> int:
    """Run the synchronizer until it is told to stop."""
    return run_node(SyncNode, args)


if __name__ == '__main__':
    sys.exit(main())
