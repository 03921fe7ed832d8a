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

"""Recording of messages into a new bag, written by its own thread."""

import threading
from collections import deque
from collections.abc import Mapping
from operator import itemgetter
from pathlib import Path

from utt_ros.errors import SessionError
from utt_ros.sessions.bag_io import LoggedMessage, offered_qos
from utt_ros.sessions.bag_topic import BagTopic
from utt_ros.sessions.bag_writer import BagWriter, TopicDefinition
from utt_ros.sessions.message_types import typestore

COMMIT_SEC = 0.5  # between two commits to the disk: what a killed process or machine may lose
MAX_QUEUE_BYTES = 64 * 2**20
WAKE_BYTES = MAX_QUEUE_BYTES // 8  # queued bytes that are written at once
MESSAGE_OVERHEAD_BYTES = 200  # memory of a queued message beside its data


class BagRecorder:
    """Records a new bag in MCAP, which is readable at any time: see `BagWriter`.

    Messages wait in a queue of at most `max_bytes` for the disk; beyond that they are dropped and
    counted. Raises SessionError when the bag cannot be created.
    """

    def __init__(
        self, folder: Path, max_bytes: int = MAX_QUEUE_BYTES,
        custom: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._queue: deque[LoggedMessage] = deque()
        self._queued_bytes = 0
        self._topics: dict[str, BagTopic] = {}
        self._numbers: dict[str, int] = {}  # of the topics in the bag
        self._closing = False
        self._changed = threading.Condition()
        self.written = self.dropped = 0
        self.error: SessionError | None = None  # that ended the recording
        self._writer = BagWriter(folder, custom)
        try:
            self._writer.commit()
        except OSError as err:
            raise SessionError(f'{folder}: {err}') from err
        self._thread = threading.Thread(target=self._run, name='record', daemon=True)
        self._thread.start()

    def can_record(self, kind: str) -> bool:
        """Whether the definition of a message type, which a bag must hold, is known."""
        return kind in typestore().fielddefs

    def add(self, topic: BagTopic) -> None:
        """Declare a topic before its messages are written."""
        self._topics.setdefault(topic.name, topic)

    def write(self, log_ns: int, topic: str, data: bytes) -> None:
        """Queue a message without waiting for the disk."""
        size = len(data) + MESSAGE_OVERHEAD_BYTES
        with self._changed:
            if self.error or self._queued_bytes + size > self._max_bytes:
                self.dropped += 1
                return
            self._queue.append((log_ns, topic, data))
            self._queued_bytes += size
            if self._queued_bytes > WAKE_BYTES:
                self._changed.notify()

    def close(self) -> None:
        """Write the queued messages and complete the bag; on failure `error` is set."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._closing:
                self._write(self._take())
            self._write(self._take())
            self._writer.close()
        except Exception as err:  # noqa: BLE001 - a full disk, a library; the node reports it
            self.error = SessionError(
                f'{self._folder}: {type(err).__name__}: {err}; it holds {self.written} messages')
            self._writer.abort()

    def _take(self) -> list[LoggedMessage]:
        """Wait for the next commit and take the messages that have arrived."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closing or self._queued_bytes > WAKE_BYTES, COMMIT_SEC)
            messages = list(self._queue)
            self._queue.clear()
            self._queued_bytes = 0
        return messages

    def _write(self, messages: list[LoggedMessage]) -> None:
        """Write and commit messages, in order of log times."""
        if not messages:
            return
        for log_ns, name, data in sorted(messages, key=itemgetter(0)):
            number = self._numbers.get(name)
            if number is None:
                number = self._numbers[name] = self._add(self._topics[name])
            self._writer.write(number, log_ns, data)
        self._writer.commit()
        self.written += len(messages)

    def _add(self, topic: BagTopic) -> int:
        offered = offered_qos(topic.reliable, topic.transient, topic.depth)
        return self._writer.add_topic(TopicDefinition(topic.name, topic.type, (offered,)))
