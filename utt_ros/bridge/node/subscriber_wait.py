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

"""Wait for subscribers before the first message of a replay is published."""

import time
from collections.abc import Callable, Collection
from typing import Protocol

from rclpy.node import Node

SUBSCRIBERS_SETTLED_S = 1.5  # without a new subscriber; synchronizers look for phones every 0.5 s
MATCHED_S = 1.0  # the subscriber's side learns of a match later, on a busy machine much later
COUNT_POLL_S = 0.05


class Subscribed(Protocol):
    """Publisher that counts its subscriptions."""

    def get_subscription_count(self) -> int: ...


class SubscriberWait:
    """Rule for the end of the wait.

    It ends when all topics have subscribers, when the number of topics that have some is above 0
    and has not changed for SUBSCRIBERS_SETTLED_S, or when `max_wait_s` is over.
    """

    def __init__(self, topics: int, max_wait_s: float, begin_s: float) -> None:
        self._topics, self._max_wait_s = topics, max_wait_s
        self._begin_s = self._changed_s = begin_s
        self.subscribed = 0

    def is_over(self, subscribed: int, now_s: float) -> bool:
        """Update with the number of topics that have subscribers at a steady time."""
        if subscribed != self.subscribed:
            self.subscribed, self._changed_s = subscribed, now_s
        is_settled = subscribed > 0 and now_s - self._changed_s > SUBSCRIBERS_SETTLED_S
        return (subscribed >= self._topics or is_settled
                or now_s - self._begin_s >= self._max_wait_s)


def wait_for_subscribers(
    publishers: Collection[Subscribed], max_wait_s: float, is_stopped: Callable[[], bool],
) -> None:
    """Block until SubscriberWait ends or `is_stopped`; at once when `max_wait_s` is 0."""
    wait = SubscriberWait(len(publishers), max_wait_s, time.monotonic())
    while not is_stopped():
        subscribed = sum(bool(each.get_subscription_count()) for each in publishers)
        if wait.is_over(subscribed, time.monotonic()):
            break
        time.sleep(COUNT_POLL_S)
    if wait.subscribed and max_wait_s:
        time.sleep(MATCHED_S)


class TopicReader:
    """A node, by its full name, that shall receive every message of some topics of `node`.

    A count of subscriptions would be satisfied by a recorder as well.
    """

    def __init__(self, node: Node, name: str, max_wait_s: float) -> None:
        self.name = name
        self._node, self._max_wait_s = node, max_wait_s

    def wait(self, topics: Collection[str], is_stopped: Callable[[], bool]) -> list[str]:
        """Block until it subscribes to all topics, `is_stopped`, or the longest wait.

        Return the topics to which it does not.
        """
        end_s = time.monotonic() + self._max_wait_s
        while (unread := self._unread(topics)) and not is_stopped() and time.monotonic() < end_s:
            time.sleep(COUNT_POLL_S)
        time.sleep(MATCHED_S)
        return unread

    def _unread(self, topics: Collection[str]) -> list[str]:
        return [topic for topic in topics if self.name not in {
            f'{info.node_namespace.rstrip("/")}/{info.node_name}'
            for info in self._node.get_subscriptions_info_by_topic(topic)}]
