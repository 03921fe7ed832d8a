"""Recording: messages into a new bag, written by a thread of its own."""

import threading
from collections import deque
from pathlib import Path

from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer

from utt_ros.errors import SessionError
from utt_ros.sessions.bag_io import qos, seal
from utt_ros.sessions.message_types import typestore
from utt_ros.sessions.recorded import Topic

MAX_QUEUED_BYTES = 64 * 2**20
OVERHEAD = 200  # bytes of memory that a waiting message costs beside its own
Message = tuple[int, str, bytes]  # log time [ns], topic, serialized


class BagRecorder:
    """A new bag in MCAP.

    What comes faster than the disk takes it waits, up to `most_bytes`; beyond that messages are
    dropped and counted. Raises SessionError when the bag cannot be made.
    """

    def __init__(self, folder: Path, most_bytes: int = MAX_QUEUED_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._waiting: deque[Message] = deque()
        self._waiting_bytes = 0
        self._topics: dict[str, Topic] = {}
        self._connections: dict[str, Connection] = {}
        self._closing = False
        self._changed = threading.Condition()
        self.written = self.dropped = 0
        self.error: SessionError | None = None  # what ended the recording
        try:
            self._writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except Exception as err:
            raise SessionError(f'{folder}: {err}') from err
        self._thread = threading.Thread(target=self._run, name='record', daemon=True)
        self._thread.start()

    def can_record(self, kind: str) -> bool:
        """Whether the definition of a message type is known; a bag must hold it."""
        return kind in typestore().fielddefs

    def add(self, topic: Topic) -> None:
        """Announce a topic; its messages may follow."""
        self._topics.setdefault(topic.name, topic)

    def write(self, log_ns: int, topic: str, data: bytes) -> None:
        """Take a message. It returns at once."""
        size = len(data) + OVERHEAD
        with self._changed:
            if self.error or self._waiting_bytes + size > self._most_bytes:
                self.dropped += 1
                return
            self._waiting.append((log_ns, topic, data))
            self._waiting_bytes += size
            self._changed.notify()

    def close(self) -> None:
        """Write what waits and complete the bag; `error` says when that failed."""
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
            seal(self._folder)
        except Exception as err:  # noqa: BLE001 - a full disk, a library; the node reports it
            self.error = SessionError(f'{self._folder}: {type(err).__name__}: {err}')

    def _take(self) -> list[Message]:
        """All that waits; empty when there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            chunk = list(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = 0
        return chunk

    def _write(self, log_ns: int, name: str, data: bytes) -> None:
        connection = self._connections.get(name)
        if connection is None:
            topic = self._topics[name]
            offered = qos(topic.reliable, topic.transient, topic.depth)
            connection = self._connections[name] = self._writer.add_connection(
                name, topic.type, typestore=typestore(), offered_qos_profiles=[offered])
        self._writer.write(connection, log_ns, data)
