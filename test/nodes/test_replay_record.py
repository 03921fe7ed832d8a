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

"""Replay and recording over DDS: what is stored comes out, and goes in again, byte by byte."""

import os
import pty
import signal

import pytest
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.rosbag2 import StoragePlugin, Writer
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Imu
from std_msgs.msg import String
from std_srvs.srv import SetBool
from utt_ros.msg import Tracks

from utt_ros.bridge.messages.sensors import to_time
from utt_ros.bridge.node.qos import RELIABLE, SENSOR, STATE
from utt_ros.sessions.bag_io import find_topics, offered_qos, open_bag
from utt_ros.sessions.message_types import typestore

MS = 1_000_000
START_NS = 1_700_000_000_000_000_000
IMU, TRACKS, STATE_TOPIC = '/hall/phones/a/imu/data_raw', '/hall/camera/tracks', '/hall/state'
STRANGE = 'strange_msgs/msg/Thing'


def imu(number):
    message = Imu()
    message.header.stamp = to_time(START_NS + number * 10 * MS)
    message.header.frame_id = 'a'
    return serialize_message(message)


def contents(bag):
    """Messages by topic, in order."""
    found = {}
    with open_bag(bag) as opened:
        names = {topic.name for topic in opened.topics}
        for _, name, data in opened.messages(names, opened.start_ns, opened.end_ns):
            found.setdefault(name, []).append(bytes(data))
    return found


def make_bag(path, storage=StoragePlugin.MCAP, count=100):
    """IMU at 100 Hz, a frame every tenth, a latched state and a type that nobody has."""
    with Writer(path, version=9, storage_plugin=storage) as writer:
        topics = {
            name: writer.add_connection(name, kind, typestore=typestore(),
                                        offered_qos_profiles=[offered])
            for name, kind, offered in (
                (IMU, 'sensor_msgs/msg/Imu', offered_qos(False)),
                (TRACKS, 'utt_ros/msg/Tracks', offered_qos(True)),
                (STATE_TOPIC, 'std_msgs/msg/String', offered_qos(True, True, 1)))}
        topics[STRANGE] = writer.add_connection(
            '/hall/strange', STRANGE, msgdef='int32 x', rihs01='RIHS01_' + '0' * 64)
        writer.write(topics[STATE_TOPIC], START_NS, serialize_message(String(data='latched')))
        writer.write(topics[STRANGE], START_NS, b'\x00\x01\x00\x00\x01\x00\x00\x00')
        for number in range(count):
            log_ns = START_NS + number * 10 * MS
            writer.write(topics[IMU], log_ns, imu(number))
            if number % 10 == 0:
                writer.write(topics[TRACKS], log_ns, serialize_message(Tracks()))
    return path


@pytest.mark.parametrize('storage', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_bag_of_any_storage_is_replayed_with_its_bytes_and_a_clock(
    tmp_path, storage, start_node, listener, wait_until
):
    bag = make_bag(tmp_path / 'bag', storage)
    stored = contents(bag)
    heard = {name: listener.hear(kind, name, quality, raw=True) for name, kind, quality in (
        (IMU, Imu, SENSOR), (TRACKS, Tracks, RELIABLE), (STATE_TOPIC, String, STATE))}
    clock = listener.hear(Clock, '/clock', RELIABLE)
    player = start_node('player', bag, '--rate', 3)
    wait_until(lambda: player.process.poll() is not None, 30.0, listener.spin)
    wait_until(lambda: all(len(heard[name]) >= len(stored[name]) for name in heard), 30.0,
               listener.spin)
    assert {name: heard[name] for name in heard} == {name: stored[name] for name in heard}
    times = [message.clock.sec * 10**9 + message.clock.nanosec for message in clock]
    assert times == sorted(times)
    assert times[0] >= START_NS
    assert START_NS + 800 * MS < times[-1] <= START_NS + 991 * MS
    assert player.wait() == 0
    assert 'strange_msgs/msg/Thing is not installed' in player.said


def test_replay_is_remapped_chosen_paused_by_a_service_and_stopped_by_ctrl_c(
    tmp_path, start_node, listener, wait_until
):
    bag = make_bag(tmp_path / 'bag', count=1000)
    name = IMU.replace('/hall/', '/copy/')
    heard = listener.hear(Imu, name, SENSOR, raw=True)
    clock = listener.hear(Clock, '/copy/clock', RELIABLE)
    player = start_node('player', bag, '--remap', '/hall/:=/copy/', '--topic', '.*/imu/data_raw',
                        '--clock-topic', '/copy/clock', '--start-offset', 1, '--loop')
    wait_until(lambda: heard and clock, 30.0, listener.spin)
    assert heard[0] == imu(100)
    assert listener.node.count_publishers('/copy/camera/tracks') == 0
    pause = listener.node.create_client(SetBool, '/player/pause')
    wait_until(pause.service_is_ready, 30.0, listener.spin)
    answer = pause.call_async(SetBool.Request(data=True))
    wait_until(answer.done, 30.0, listener.spin)

    def is_halted():
        return len(clock) > 5 and len({message.clock.nanosec for message in clock[-5:]}) == 1

    wait_until(is_halted, 30.0, listener.spin)
    count = len(heard)
    answer = pause.call_async(SetBool.Request(data=False))
    wait_until(lambda: len(heard) > count + 10, 30.0, listener.spin)
    assert heard == [imu(100 + number) for number in range(len(heard))]
    assert player.stop() == 0


def test_space_bar_pauses_where_there_is_a_terminal(
    tmp_path, start_node, listener, wait_until
):
    bag = make_bag(tmp_path / 'bag', count=1000)
    clock = listener.hear(Clock, '/clock', RELIABLE)
    keyboard, terminal = pty.openpty()
    player = start_node('player', bag, '--wait-subscribers', 0, stdin=terminal)
    wait_until(lambda: clock, 30.0, listener.spin)
    os.write(keyboard, b' ')
    wait_until(lambda: len(clock) > 5 and clock[-5:].count(clock[-1]) == 5, 30.0, listener.spin)
    halted = clock[-1]
    os.write(keyboard, b' ')
    wait_until(lambda: clock[-1] != halted, 30.0, listener.spin)
    assert player.stop() == 0
    for descriptor in (keyboard, terminal):
        os.close(descriptor)


@pytest.mark.parametrize(('make', 'text'), [
    (lambda path: path / 'none', 'does not exist'),
    (lambda path: make_bag(path / 'bag'), None)])
def test_bag_that_cannot_be_played_ends_the_player_with_code_2(
    tmp_path, make, text, start_node
):
    bag = make(tmp_path)
    words = [] if text else ['--topic', '/nothing']
    player = start_node('player', bag, *words)
    assert player.wait() == 2
    assert (text or 'nothing to play') in player.said
    player.expect(2)


def test_recording_of_a_replay_holds_the_same_bytes_and_late_topics(
    tmp_path, start_node, listener, wait_until
):
    bag = make_bag(tmp_path / 'bag')
    early = listener.node.create_publisher(String, '/hall/early', STATE)
    early.publish(String(data='before the recorder'))
    other = listener.node.create_publisher(String, '/stairs/other', RELIABLE)
    recorder = start_node('recorder', tmp_path / 'copy', '/hall/', '--topic', '/none')
    wait_until(early.get_subscription_count, 30.0, listener.spin)
    player = start_node('player', bag, '--rate', 3)
    late = listener.node.create_publisher(String, '/hall/late', RELIABLE)
    wait_until(late.get_subscription_count, 30.0, listener.spin)
    late.publish(String(data='late'))
    assert other.get_subscription_count() == 0
    wait_until(lambda: player.process.poll() is not None, 30.0, listener.spin)
    assert recorder.stop(signal.SIGTERM) == 0
    stored, copied = contents(bag), contents(tmp_path / 'copy')
    assert {name: copied[name] for name in (IMU, TRACKS, STATE_TOPIC)} == {
        name: stored[name] for name in (IMU, TRACKS, STATE_TOPIC)}
    assert deserialize_message(copied['/hall/late'][0], String).data == 'late'
    assert deserialize_message(copied['/hall/early'][0], String).data == 'before the recorder'
    offered = {topic.name: (topic.reliable, topic.transient)
               for topic in find_topics([tmp_path / 'copy'])}
    assert offered == {IMU: (False, False), TRACKS: (True, False), STATE_TOPIC: (True, True),
                       '/hall/late': (True, False), '/hall/early': (True, True)}


def test_a_killed_recorder_leaves_a_bag_that_is_replayed(
    tmp_path, start_node, listener, wait_until
):
    recorder = start_node('recorder', tmp_path / 'evening', '/hall/')
    publisher = listener.node.create_publisher(String, '/hall/number', RELIABLE)
    wait_until(publisher.get_subscription_count, 30.0, listener.spin)
    for number in range(5):
        publisher.publish(String(data=str(number)))
    wait_until(lambda: 'name: /hall/number' in (
        tmp_path / 'evening' / 'metadata.yaml').read_text(), 30.0, listener.spin)
    recorder.process.kill()
    recorder.wait()
    recorder.expect(-signal.SIGKILL)
    heard = listener.hear(String, '/copy/number', RELIABLE)
    player = start_node('player', tmp_path / 'evening', '--remap', '/hall/:=/copy/')
    wait_until(lambda: heard, 30.0, listener.spin)
    assert player.wait() == 0
    assert heard[0].data == '0'
    assert 'no index' in player.said


def test_recording_over_an_existing_folder_is_refused(tmp_path, start_node):
    recorder = start_node('recorder', tmp_path)
    assert recorder.wait() == 2
    assert f'{tmp_path} exists' in recorder.said
    recorder.expect(2)
