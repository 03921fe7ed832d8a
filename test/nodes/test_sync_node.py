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

"""The synchronizer over DDS: phones that come and go, and messages that nobody should send."""

import random
from itertools import count

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Vector3
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Imu, MagneticField
from std_msgs.msg import String
from utt_ros.msg import FtmRange, SyncedSamples, Track, Tracks

from utt_ros.bridge.messages.sensors import samples_from_message, to_time
from utt_ros.bridge.node.qos import RELIABLE, SENSOR, STATE

MS = 1_000_000
T0 = 1_700_000_000_000_000_000


class Area:
    """Publishes what sensors would and keeps what the synchronizer says."""

    def __init__(self, listener, wait_until):
        self._listener = listener
        self._wait_until = wait_until
        self.synced = listener.hear(SyncedSamples, '/hall/synced', RELIABLE)
        self._reports = listener.hear(DiagnosticArray, '/diagnostics', RELIABLE)
        self.camera = self.publisher(Tracks, 'camera/tracks')

    def publisher(self, kind, topic, qos=SENSOR):
        return self._listener.node.create_publisher(kind, f'/hall/{topic}', qos)

    def phone(self, name):
        found = {'ftm': FtmRange, 'imu/data_raw': Imu, 'imu/mag': MagneticField}
        return [self.publisher(kind, f'phones/{name}/{topic}') for topic, kind in found.items()]

    def wait(self, condition):
        self._wait_until(condition, 30.0, self._listener.spin)

    def wait_heard(self, *publishers):
        self.wait(lambda: all(each.get_subscription_count() for each in publishers))

    def frame(self, at_ms, subjects=('a',)):
        tracks = [Track(subject=name, track_id=f't{name}', center_x=600.0, center_y=300.0,
                        depth=5.0, width=50.0, height=100.0) for name in subjects]
        message = Tracks(tracks=tracks)
        message.header.stamp = to_time(T0 + at_ms * MS)
        self.camera.publish(message)

    def imu(self, publisher, begin_ms, end_ms, accel=(0.0, 0.0, 9.8)):
        for at_ms in range(begin_ms, end_ms, 10):
            message = Imu()
            message.header.stamp = to_time(T0 + at_ms * MS)
            x, y, z = accel
            message.linear_acceleration = Vector3(x=x, y=y, z=z)
            publisher.publish(message)

    def batches(self):
        return [samples_from_message(message) for message in self.synced]

    def reports(self):
        """Values of the synchronizer's diagnostics so far, with level and message."""
        return [
            {**{item.key: item.value for item in status.values},
             'level': status.level, 'message': status.message}
            for message in self._reports for status in message.status
            if status.name == 'hall: sync']

    def count(self, name):
        """Value of a counter in the newest report."""
        reports = self.reports()
        return int(reports[-1].get(name, 0)) if reports else 0


@pytest.fixture
def area(start_node, listener, wait_until):
    start_node('sync', '--ros-args', '-r', '__ns:=/hall', '-p', 'area:=hall',
               '-p', 'max_subjects:=3')
    area = Area(listener, wait_until)
    area.wait_heard(area.camera)
    return area


def test_phones_come_and_go_and_the_camera_falls_silent_and_returns(area, listener):
    _, imu_a, _ = first = area.phone('a')
    area.wait_heard(*first)
    area.imu(imu_a, 0, 300)
    area.frame(200)
    area.wait(lambda: area.synced)
    _, imu_b, _ = second = area.phone('b')
    area.wait_heard(*second)
    for at_ms in range(300, 1500, 10):
        area.imu(imu_a, at_ms, at_ms + 10)
        area.imu(imu_b, at_ms, at_ms + 10)
        if at_ms == 1480:
            area.frame(at_ms)
    area.wait(lambda: area.batches()[-1].stamp_ns == T0 + 1480 * MS)
    batches = area.batches()
    assert [((each.stamp_ns - T0) // MS, each.camera_tick) for each in batches] == [
        (200, True), *((at_ms, False) for at_ms in range(700, 1401, 100)), (1480, True)]
    assert batches[0].subjects == ('a',)
    assert batches[-1].subjects == ('a', 'b')
    for publisher in second:
        listener.node.destroy_publisher(publisher)
    area.wait(lambda: not listener.node.count_subscribers('/hall/phones/b/imu/data_raw'))
    assert listener.node.count_subscribers('/hall/phones/a/imu/data_raw') == 1


def test_hostile_messages_are_counted_and_stop_nothing(area):
    ftm, imu, mag = phone = area.phone('a')
    others = [area.publisher(Imu, f'phones/p{k}/imu/data_raw') for k in range(12)]
    area.wait_heard(*phone)
    draw = random.Random(1)
    good = serialize_message(Imu())
    for data in (b'\x00', good[:50], b'\x00\x00' + good[2:], draw.randbytes(400)):
        imu.publish(data)
        mag.publish(data)
        ftm.publish(data)
        area.camera.publish(data)
    area.wait(lambda: area.count('malformed') == 14)
    area.imu(imu, 0, 10, (float('nan'), 0.0, 0.0))
    area.imu(imu, 0, 10, (1e9, 0.0, 0.0))
    far = FtmRange(range=3500.0, range_std=1.0)
    far.header.stamp = to_time(T0)
    ftm.publish(far)
    area.frame(0, ('../../etc', 'a b', '', 'x' * 5000))
    area.imu(imu, 0, 100)
    area.imu(imu, 3 * 86_400_000, 3 * 86_400_000 + 10)
    area.frame(100)
    area.wait(lambda: len(area.synced) == 2)
    # big-endian rangings and tracks are messages, but of the year 1970
    expected = {'not_finite': 1, 'out_of_range': 4, 'clock_off': 1, 'bad_name': 3}
    area.wait(lambda: {name: area.count(name) for name in expected} == expected)
    warnings = [each['message'] for each in area.reports() if each['level'] == b'\x01']
    assert any('range 3500 m' in warning for warning in warnings)
    assert area.batches()[1].subjects == ('a',)
    assert area.batches()[1].imu_mask.all()
    area.wait(lambda: area.count('too_many_subjects') > 0)
    assert sum(bool(each.get_subscription_count()) for each in others) == 6


def test_ranges_of_a_second_access_point_are_named_and_change_nothing(area, listener):
    ftm, imu, _ = phone = area.phone('a')
    area.wait_heard(*phone)
    for at_ms, address, range_m in ((0, 'own', 5.0), (40, 'other', 9.0)):
        message = FtmRange(ap=address, range=range_m, range_std=0.5)
        message.header.stamp = to_time(T0 + at_ms * MS)
        ftm.publish(message)
    area.imu(imu, 0, 100)
    area.frame(100)
    area.wait(lambda: area.synced)
    assert area.batches()[0].ftm.tolist() == [[5.0, 0.5]]
    assert area.batches()[0].ftm_age_s == pytest.approx([0.1])
    area.wait(lambda: area.count('unknown_ap') == 1)
    area.wait(lambda: any("'other' are refused: the area has 'own'" in each['message']
                          for each in area.reports()))


def test_boxes_without_labels_are_reported_with_the_setting_that_associates_them(area, listener):
    area.wait_heard(area.camera)
    times = count(0, 100)

    def told():
        """Told once a second of what is new; a report before the listener is found is lost."""
        area.frame(next(times), subjects=('', 'a'))
        return any('association: fused' in each['message'] for each in area.reports())

    area.wait(told)


def test_topic_of_another_type_and_incompatible_qos_are_reported(area, listener):
    area.publisher(String, 'phones/a/ftm')
    listener.hear(SyncedSamples, '/hall/synced', STATE)
    area.wait(lambda: area.count('wrong_type') and area.count('incompatible_qos'))
    newest = area.reports()[-1]
    assert newest['level'] == b'\x01'
    assert 'phones/a/ftm is a std_msgs/msg/String' in newest['message']


def test_area_file_that_is_wrong_ends_the_node_with_code_2(start_node, ros_domain):
    process = start_node('sync', '--ros-args', '-p', 'lag:=7.5')
    assert process.wait() == 2
    assert 'lag' in process.said
    process.expect(2)


def test_parameter_that_no_node_has_ends_the_node_with_the_nearest_name(start_node, ros_domain):
    process = start_node('sync', '--ros-args', '-p', 'camera_hieght:=3.0', '-p', 'learn:=false')
    assert process.wait() == 2
    assert "'camera_hieght': did you mean 'camera_height'?" in process.said
    process.expect(2)


def test_deactivated_synchronizer_hears_nothing_and_goes_on_in_a_new_epoch(area, operator):
    _, imu, _ = phone = area.phone('a')
    area.wait_heard(*phone)
    area.imu(imu, 0, 300)
    area.frame(200)
    area.wait(lambda: area.synced)
    assert operator.change('/hall/sync', 'deactivate')
    area.wait(lambda: not any(
        each.get_subscription_count() for each in (area.camera, *phone)))
    area.wait(lambda: any(each['message'].startswith('not active') for each in area.reports()))
    area.frame(300)
    assert operator.change('/hall/sync', 'activate')
    area.wait_heard(area.camera, *phone)
    area.imu(imu, 60_000, 60_300)
    area.frame(60_200)
    area.wait(lambda: area.batches()[-1].epoch == 1)
    assert [(each.stamp_ns - T0) // MS for each in area.batches()] == [200, 60_200]
    assert area.batches()[-1].sequence == 0
    area.wait(lambda: area.count('ticks') == 2)
    assert area.count('clock_off') == 0


def test_synchronizer_that_does_not_start_by_itself_waits_for_its_activation(
        start_node, listener, wait_until, operator):
    start_node('sync', '--ros-args', '-r', '__ns:=/hall', '-p', 'autostart:=false')
    area = Area(listener, wait_until)
    area.wait(lambda: area.reports() and area.reports()[-1]['message'] == 'not active')
    assert not area.camera.get_subscription_count()
    assert operator.change('/hall/sync', 'configure')
    assert operator.change('/hall/sync', 'activate')
    area.wait_heard(area.camera)
