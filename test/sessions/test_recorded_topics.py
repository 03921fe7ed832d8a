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

"""Topics are recorded by name; pictures, and lists of phones, only where they are wanted."""

import pytest

from utt_ros.errors import SettingsError
from utt_ros.sessions.recorded_topics import RecordedTopics

IMAGE = ['sensor_msgs/msg/Image']


def test_all_topics_are_recorded_but_events_of_parameters() -> None:
    chosen = RecordedTopics([], [], pictures=False)
    assert chosen.includes('/hall/camera/tracks')
    assert not chosen.includes('/parameter_events')
    assert RecordedTopics(['/parameter'], [], pictures=False).includes('/parameter_events')


def test_prefixes_and_expressions_choose_topics() -> None:
    chosen = RecordedTopics(['/hall/'], ['/stairs/.*/imu'], pictures=False)
    assert [name for name in ('/hall/a', '/stairs/b/imu', '/stairs/b', '/other')
            if chosen.includes(name)] == ['/hall/a', '/stairs/b/imu']


@pytest.mark.parametrize('name', [
    '/hall/trainer/transfer/_action/feedback', '/_hidden', '/hall/trainer/_service_event'])
def test_a_hidden_topic_is_recorded_only_where_an_expression_chooses_it(name: str) -> None:
    assert not RecordedTopics([], [], pictures=False).includes(name)
    assert not RecordedTopics(['/hall', '/'], [], pictures=False).includes(name)
    assert RecordedTopics(['/hall'], [f'.*{name[-6:]}'], pictures=False).includes(name)


def test_an_area_or_phone_whose_name_begins_with_an_underscore_is_not_hidden() -> None:
    chosen = RecordedTopics(['/_hall/'], [], pictures=False)
    assert chosen.includes('/_hall/synced')
    assert not chosen.includes('/_hall/trainer/transfer/_action/feedback')


def test_pictures_are_recorded_where_they_are_wanted() -> None:
    assert RecordedTopics([], [], pictures=False).shows_people(IMAGE)
    assert not RecordedTopics([], [], pictures=True).shows_people(IMAGE)
    assert not RecordedTopics([], [], pictures=False).shows_people(['sensor_msgs/msg/Imu'])


def test_expression_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match='is no regular expression'):
        RecordedTopics([], ['('], pictures=False)
