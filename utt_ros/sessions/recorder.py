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
from pathlib import Path

from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer

from utt_ros.errors import SessionError
from utt_ros.sessions.bag_io import BagTopic, LoggedMessage, finish_bag, offered_qos
from utt_ros.sessions.message_types import typestore

MAX_QUEUE_BYTES = 64 * 2**20
MESSAGE_OVERHEAD_BYTES = 200  # memory of a queued message beside its data


class BagRecorder:
    """Records a new bag in MCAP.

    Messages wait in a queue of at most `max_bytes` for the disk; beyond that they are dropped and
    counted. Raises SessionError when the bag cannot be created.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_QUEUE_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._queue: deque[LoggedMessage] = deque()
        self._queued_bytes = 0
        self._topics: dict[str, BagTopic] = {}
        self._connections: dict[str, Connection] = {}
        self._closing = False
        self._changed = threading.Condition()
        self.written = self.dropped = 0
        self.error: SessionError | None = None  # that ended the recording
        try:
            self._writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except Exception as err:
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
        """Queue a message without blocking."""
        size = len(data) + MESSAGE_OVERHEAD_BYTES
        with self._changed:
            if self.error or self._queued_bytes + size > self._max_bytes:
                self.dropped += 1
                return
            self._queue.append((log_ns, topic, data))
            self._queued_bytes += size
            self._changed.notify()

    def close(self) -> None:
        """Write the queued messages and complete the bag; on failure `error` is set."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            while chunk := self._take():
                for message in chunk:
                    self._write(*message)
                self.written += len(chunk)
            self._writer.close()
            finish_bag(self._folder)
        except Exception as err:  # noqa: BLE001 - a full disk, a library; the node reports it
            self.error = SessionError(f'{self._folder}: {type(err).__name__}: {err}')

    def _take(self) -> list[LoggedMessage]:
        """Wait for messages and take all of them; empty after `close`."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            chunk = list(self._queue)
            self._queue.clear()
            self._queued_bytes = 0
        return chunk

    def _write(self, log_ns: int, name: str, data: bytes) -> None:
        connection = self._connections.get(name)
        if connection is None:
            topic = self._topics[name]
            offered = offered_qos(topic.reliable, topic.transient, topic.depth)
            connection = self._connections[name] = self._writer.add_connection(
                name, topic.type, typestore=typestore(), offered_qos_profiles=[offered])
        self._writer.write(connection, log_ns, data)
