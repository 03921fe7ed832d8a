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

"""The synchronizer of an area: measurements in, `synced` out.

Phones are found by the names of their topics and may come and go. All messages arrive as bytes: a
malformed one is counted, and IMU messages are read without deserialization. Boxes without labels
are associated with phones when `association` says so; docs/association.md.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import monotonic

from rclpy.clock import Clock, ClockType
from rclpy.event_handler import PublisherEventCallbacks, QoSOfferedIncompatibleQoSInfo
from rclpy.subscription import Subscription

from utt_ros.bridge.messages.sensors import deserialize, samples_to_message, tracks_from_message
from utt_ros.bridge.node.diagnostics import CounterAlarm
from utt_ros.bridge.node.managed_node import ManagedNode
from utt_ros.bridge.node.parameters import declare_settings
from utt_ros.bridge.node.phone_topics import (
    PHONE_SENSORS,
    PhoneTopic,
    Read,
    describe_silence,
    find_phone_topics,
)
from utt_ros.bridge.node.process import run_node
from utt_ros.bridge.node.qos import RELIABLE, SENSOR
from utt_ros.bridge.node.sensor_topics import create_sensor_subscription
from utt_ros.bridge.node.trouble_log import TroubleLog
from utt_ros.errors import MeasurementError, SettingsError
from utt_ros.msg import SyncedSamples, Tracks
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.settings import SyncSettings
from utt_ros.sync.synchronizer import Synchronizer

AddMessage = Callable[..., None]  # a method of the synchronizer
PHONE_DISCOVERY_SEC = 0.2
MAX_SILENCE_SEC = 10.0  # from the start to the first message, without a warning
UNLABELLED = 'boxes_without_subject'
HARMLESS = {'messages', 'ticks', 'duplicate', 'reordered', 'surplus_frames', UNLABELLED,
            'boxes_without_depth'}


class SyncNode(ManagedNode):
    """Feeds the synchronizer and publishes complete ticks; each activation begins an epoch."""

    def __init__(self) -> None:
        super().__init__('sync')
        self._area = declare_settings(self, AreaSettings)
        window = declare_settings(self, WindowSettings)
        settings = declare_settings(self, SyncSettings)
        self._max_topics = len(PHONE_SENSORS) * settings.max_subjects
        self._model = None
        if settings.association != 'labels':
            # It loads scipy and ONNX Runtime, which an area with labels does not need.
            from utt_ros.bridge.node.association_model import AssociationModel  # noqa: PLC0415
            self._model = AssociationModel(self, settings, self._area, window)
        self._synchronizer = Synchronizer(
            settings, window, self._area.modalities,
            self._model.associator if self._model else None, access_points=self._area.ap_addresses)
        self._synchronizer.counters['messages'] = 0
        self._alarm = CounterAlarm(HARMLESS)
        self._troubles = TroubleLog(self.get_logger().warning)
        self._begun_s = monotonic()
        events = PublisherEventCallbacks(incompatible_qos=self._on_incompatible_qos)
        self._synced = self.create_publisher(
            SyncedSamples, 'synced', RELIABLE, event_callbacks=events)
        self._cameras: list[Subscription] = []  # one at most
        self._phones: dict[str, Subscription] = {}  # by topic
        self.create_timer(
            PHONE_DISCOVERY_SEC, self._discover, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self.start()

    def begin_work(self) -> None:
        """Subscribe to the camera; phones are found by the timer."""
        self._begun_s = monotonic()
        if 'camera' in self._area.modalities:
            self._cameras.append(self._subscribe(
                Tracks, 'camera/tracks', self._synchronizer.add_tracks,
                lambda data: tracks_from_message(deserialize(Tracks, data))))

    def end_work(self) -> None:
        """Unsubscribe. What waits for a tick is dropped: it will be old."""
        for subscription in (*self._cameras, *self._phones.values()):
            self.destroy_subscription(subscription)
        self._cameras, self._phones = [], {}
        self._synchronizer.restart()

    def destroy_node(self) -> None:
        """Wait for a graph that is being opened."""
        if self._model is not None:
            self._model.close()
        super().destroy_node()

    def _discover(self) -> None:
        """Subscribe to phones that appeared, drop topics without publishers."""
        if not self.is_active:
            return
        found = find_phone_topics(
            self.get_namespace(), self._area.modalities, self.get_topic_names_and_types())
        published = {name for name in found if self.count_publishers(name)}
        for name in self._phones.keys() - published:
            self.destroy_subscription(self._phones.pop(name))
        for name in sorted(published - self._phones.keys()):
            self._add_phone(found[name])

    def _add_phone(self, topic: PhoneTopic) -> None:
        try:
            topic.check_type()
        except MeasurementError as err:
            self._synchronizer.count('wrong_type', str(err))
            return
        if len(self._phones) == self._max_topics:
            self._synchronizer.count('too_many_subjects', f'{topic.name} is not subscribed')
            return
        add = partial(topic.sensor.add, self._synchronizer, topic.phone)
        try:
            self._phones[topic.name] = self._subscribe(
                topic.sensor.type, topic.name, add, topic.sensor.read)
        except SettingsError as err:
            self._synchronizer.count('wrong_qos', str(err))

    def _subscribe(self, kind: type, topic: str, add: AddMessage, read: Read) -> Subscription:
        return create_sensor_subscription(
            self, kind, topic, partial(self._on_message, topic, add, read), SENSOR, raw=True)

    def _on_message(self, topic: str, add: AddMessage, read: Read, data: bytes) -> None:
        self._synchronizer.counters['messages'] += 1
        try:
            add(*read(data))
        except MeasurementError as err:
            self._synchronizer.count('malformed', f'{topic}: {err}')
        for batch in self._synchronizer.poll():
            self._synced.publish(samples_to_message(batch, self._area.area))

    def _on_incompatible_qos(self, info: QoSOfferedIncompatibleQoSInfo) -> None:
        remark = f'synced: a subscriber requests a QoS not offered, policy {info.last_policy_kind}'
        self._synchronizer.count('incompatible_qos', remark)
        self.get_logger().warning(remark)

    def _silence(self) -> str:
        """Return why nothing was received since the start; empty when something was.

        Simulated time has a start of its own: a replay may wait for a model first.
        """
        clock = self.get_clock()
        if clock.ros_time_is_active and not clock.now().nanoseconds:
            self._begun_s = monotonic()
            return ''
        if (not self.is_active or self._synchronizer.counters['messages']
                or monotonic() - self._begun_s < MAX_SILENCE_SEC):
            return ''
        published = [topic for topic in self.get_topic_names_and_types()
                     if self.count_publishers(topic[0])]
        return describe_silence(self.get_namespace(), self._area.modalities, published)

    def _values(self) -> Mapping[str, object]:
        counters = dict(self._synchronizer.counters)
        grown, harmful = self._alarm.update(counters)
        remarks = [self._synchronizer.remarks.get(name, name) for name in harmful]
        silence = self._silence()
        self._troubles.report('silence', silence, monotonic())
        remarks += [silence] * bool(silence)
        self._troubles.report('unknown_ap', self._synchronizer.remarks.get('unknown_ap', ''),
                              monotonic(), counters['unknown_ap'])
        if UNLABELLED in grown and self._model is None:
            remarks.append('boxes without labels are left out: association: fused matches them')
        return {
            'level': 'warn' if harmful or silence else 'ok',
            'message': '; '.join(remarks),
            'phones': ' '.join(self._synchronizer.phones),
            'epoch': self._synchronizer.epoch,
            **counters,
            **(self._model.values() if self._model else {}),
        }


def main(args: Sequence[str] | None = None) -> int:
    """Run the synchronizer until SIGINT or SIGTERM."""
    return run_node(SyncNode, args)


if __name__ == '__main__':
    sys.exit(main())
