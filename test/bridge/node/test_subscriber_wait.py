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

"""A replay waits for its subscribers, and not for ever."""

import time

import pytest
from rclpy.node import Node
from std_msgs.msg import Empty

from utt_ros.bridge.node.subscriber_wait import (
    SUBSCRIBERS_SETTLED_S,
    SubscriberWait,
    TopicReader,
    wait_for_subscribers,
)


class Output:
    """Publisher with a given number of subscriptions."""

    def __init__(self, count: int) -> None:
        self.count = count

    def get_subscription_count(self) -> int:
        return self.count


def test_wait_ends_as_soon_as_every_topic_has_a_subscriber():
    wait = SubscriberWait(3, 10.0, 0.0)
    assert not wait.is_over(2, 0.1)
    assert wait.is_over(3, 0.2)


def test_wait_ends_when_no_new_subscriber_comes():
    wait = SubscriberWait(3, 10.0, 0.0)
    assert not wait.is_over(1, 1.0)
    assert not wait.is_over(2, 2.0)
    assert not wait.is_over(2, 2.0 + SUBSCRIBERS_SETTLED_S)
    assert wait.is_over(2, 2.1 + SUBSCRIBERS_SETTLED_S)


def test_wait_without_any_subscriber_ends_at_its_limit():
    wait = SubscriberWait(3, 5.0, 100.0)
    assert not wait.is_over(0, 104.9)
    assert wait.is_over(0, 105.0)


@pytest.mark.parametrize(('outputs', 'max_wait_s'), [([Output(0)], 0.0), ([Output(2)], 60.0)])
def test_publishers_are_counted_and_a_limit_of_0_waits_for_nobody(outputs, max_wait_s):
    begin_s = time.monotonic()
    wait_for_subscribers(outputs, max_wait_s, lambda: False)
    assert time.monotonic() - begin_s < 30.0


def test_wait_ends_when_the_replay_is_stopped():
    wait_for_subscribers([Output(0)], 60.0, lambda: True)


def test_reader_is_awaited_by_name_and_not_a_recorder(ros, wait_until):
    player, recorder = Node('player'), Node('recorder')
    reader = Node('sync', namespace='/hall')
    topics = ['/hall/a', '/hall/b']
    publishers = [player.create_publisher(Empty, topic, 1) for topic in topics]
    for topic in topics:
        recorder.create_subscription(Empty, topic, print, 1)
    wait_until(lambda: all(each.get_subscription_count() for each in publishers), 30.0)
    waiting = TopicReader(player, '/hall/sync', 0.5)
    assert waiting.wait(topics, lambda: False) == topics
    reader.create_subscription(Empty, '/hall/a', print, 1)
    wait_until(lambda: waiting.wait(topics, lambda: True) == ['/hall/b'], 30.0)
    reader.create_subscription(Empty, '/hall/b', print, 1)
    assert TopicReader(player, '/hall/sync', 60.0).wait(topics, lambda: False) == []
    for node in (player, recorder, reader):
        node.destroy_node()
