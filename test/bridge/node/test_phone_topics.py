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

"""Topics of phones are found by their names."""

import pytest
from sensor_msgs.msg import Imu

from utt_ros.bridge.node.phone_topics import describe_silence, find_phone_topics
from utt_ros.errors import MeasurementError

IMU = 'sensor_msgs/msg/Imu'
PUBLISHED = [
    ('/hall/phones/a/imu/data_raw', [IMU]), ('/hall/phones/a/ftm', ['utt_ros/msg/FtmRange']),
    ('/hall/phones/a/imu/other', [IMU]), ('/hall/phones/a/b/ftm', [IMU]),
    ('/stairs/phones/a/ftm', [IMU]), ('/hall/camera/tracks', ['utt_ros/msg/Tracks'])]


def test_topics_of_the_namespace_with_known_sensors_are_found():
    topics = find_phone_topics('/hall', ('ftm', 'imu'), PUBLISHED)
    assert set(topics) == {'/hall/phones/a/imu/data_raw', '/hall/phones/a/ftm'}
    topic = topics['/hall/phones/a/imu/data_raw']
    assert (topic.phone, topic.sensor.type, topic.types) == ('a', Imu, (IMU,))
    topic.check_type()


def test_modality_that_the_area_lacks_is_left_out():
    assert set(find_phone_topics('/hall', ('camera', 'ftm'), PUBLISHED)) == {'/hall/phones/a/ftm'}


def test_namespace_is_taken_literally_and_may_be_the_root():
    assert set(find_phone_topics('/', ('ftm',), [('/phones/a/ftm', [IMU])])) == {'/phones/a/ftm'}
    assert not find_phone_topics('/h.ll', ('ftm', 'imu'), PUBLISHED)


def test_topic_of_another_type_is_refused_with_its_type():
    topic = find_phone_topics('/hall', ('ftm',), [('/hall/phones/a/ftm', [IMU])])
    with pytest.raises(MeasurementError, match='/hall/phones/a/ftm is a sensor_msgs/msg/Imu'):
        topic['/hall/phones/a/ftm'].check_type()


@pytest.mark.parametrize(('namespace', 'modalities', 'text'), [
    ('/hall', ('camera',),
     'no measurements on /hall/camera/tracks; there are measurements in /stairs'),
    ('/roof', ('ftm',),
     'no measurements on /roof/phones/<phone>/ftm; there are measurements in /hall, /stairs')])
def test_silence_names_the_topics_and_the_areas_that_have_some(namespace, modalities, text):
    assert describe_silence(namespace, modalities, PUBLISHED) == text
    assert 'there are' not in describe_silence(namespace, modalities, [])
