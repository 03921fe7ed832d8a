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

"""Writer of rosbag2 bags in MCAP that are complete after every commit, also when it is killed.

A commit appends whole chunks and, in the same write, the shortest valid end of an MCAP file, which
the next commit overwrites. Readers find no index in such a file and scan it. `close` writes the
index.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from mcap.data_stream import RecordBuilder
from mcap.records import DataEnd, Footer
from mcap.writer import MCAP0_MAGIC, CompressionType
from mcap.writer import Writer as McapWriter
from rosbags.interfaces import Qos
from rosbags.rosbag2.metadata import dump_qos_v9

from utt_ros.errors import SessionError
from utt_ros.files import sync_folder, write_atomically
from utt_ros.sessions.bag_files import METADATA, METADATA_KEY
from utt_ros.sessions.message_types import typestore

VERSION = 9  # of the metadata, that of ROS 2 Jazzy
ROS_DISTRO = 'jazzy'
NO_START_NS = 2**63 - 1  # start of a bag without messages, as rosbag2 writes it
MAX_PENDING_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class TopicDefinition:
    """Name, type, QoS and message definition of a topic.

    An empty definition is looked up, unless its encoding is empty as well.
    """

    name: str
    type: str
    qos: tuple[Qos, ...] = ()
    text: str = ''
    encoding: str = 'ros2msg'
    type_hash: str = ''


class BagWriter:
    """Writes a new bag: `<folder>/<name>_0.mcap`, named as rosbag2 names it, and metadata.yaml.

    Messages may be lost until the next `commit`. Raises SessionError when the folder exists or
    cannot be made, OSError when a write fails: the bag then ends at the last commit.
    """

    def __init__(self, folder: Path, custom: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._custom = dict(custom or {})
        self._topics: list[TopicDefinition] = []
        self._counts: list[int] = []  # by topic
        self._durable: list[int] = []  # of `_counts`, at the last commit
        self._span_ns = (NO_START_NS, 0)  # of the log times
        self._schemas: dict[str, int] = {}  # by type
        try:
            folder.mkdir(parents=True)
            self._path = folder / f'{folder.name}_0.mcap'
            self._file = _CommittedFile(self._path)
        except FileExistsError as err:
            raise SessionError(f'{folder} exists: it is not overwritten') from err
        except OSError as err:
            raise SessionError(f'{folder}: {err}') from err
        self._mcap = McapWriter(self._file, compression=CompressionType.NONE)  # type: ignore[arg-type]
        self._mcap.start('ros2', 'utt_ros')
        self._file.commit()

    def add_topic(self, topic: TopicDefinition) -> int:
        """Add a topic and return its number. Raises SessionError for an unknown message type."""
        schema = self._schemas.get(topic.type)
        topic = _defined(topic)
        if schema is None:
            schema = self._mcap.register_schema(topic.type, topic.encoding, topic.text.encode())
            self._schemas[topic.type] = schema
        profiles = _dump(dump_qos_v9(list(topic.qos)))
        self._mcap.register_channel(topic.name, 'cdr', schema, {
            'offered_qos_profiles': profiles, 'topic_type_hash': topic.type_hash})
        self._topics.append(topic)
        self._counts.append(0)
        return len(self._topics) - 1

    def write(self, topic: int, log_ns: int, data: bytes | memoryview) -> None:
        """Write a message."""
        self._mcap.add_message(topic + 1, log_ns, data, log_ns)  # type: ignore[arg-type]
        self._counts[topic] += 1
        first_ns, last_ns = self._span_ns
        self._span_ns = min(first_ns, log_ns), max(last_ns, log_ns)
        if self._file.pending > MAX_PENDING_BYTES:
            self._file.commit()

    def commit(self) -> None:
        """Make what was written durable: the storage file first, then metadata that counts it.

        New topics are in the metadata before: rosbags leaves out those that it does not list.
        """
        if len(self._topics) > len(self._durable):
            self._durable += [0] * (len(self._topics) - len(self._durable))
            self._write_metadata(self._durable)
        self._mcap.flush()  # type: ignore[no-untyped-call]
        self._file.commit()
        self._file.sync()
        self._durable = self._counts.copy()
        self._write_metadata(self._durable)

    def close(self) -> None:
        """Complete the bag."""
        self._mcap.flush()  # type: ignore[no-untyped-call]  # in front of this record:
        self._mcap.add_metadata('rosbag2', {
            'serialized_metadata': _dump(self._metadata(self._counts)[METADATA_KEY])})
        self._mcap.finish()  # type: ignore[no-untyped-call]
        self._file.commit(is_last=True)
        self._file.sync()
        self._write_metadata(self._counts)
        self.abort()

    def abort(self) -> None:
        """Close the file without completing the bag."""
        self._file.close()

    def _write_metadata(self, counts: Sequence[int]) -> None:
        write_atomically(self._folder / METADATA, _dump(self._metadata(counts)).encode())

    def _metadata(self, counts: Sequence[int]) -> dict[str, Any]:
        """Return the metadata of a bag with so many messages of each topic."""
        first_ns, last_ns = self._span_ns
        start = {'nanoseconds_since_epoch': first_ns}
        duration = {'nanoseconds': max(last_ns - first_ns, 0)}
        count = sum(counts)
        topics = [
            {'topic_metadata': {
                'name': topic.name, 'type': topic.type, 'serialization_format': 'cdr',
                'offered_qos_profiles': dump_qos_v9(list(topic.qos)),
                'type_description_hash': topic.type_hash}, 'message_count': number}
            for topic, number in zip(self._topics, counts, strict=True)]
        return {METADATA_KEY: {
            'version': VERSION, 'storage_identifier': 'mcap',
            'duration': duration, 'starting_time': start, 'message_count': count,
            'topics_with_message_count': topics, 'compression_format': '', 'compression_mode': '',
            'relative_file_paths': [self._path.name],
            'files': [{'path': self._path.name, 'starting_time': start, 'duration': duration,
                       'message_count': count}],
            'custom_data': self._custom or None, 'ros_distro': ROS_DISTRO}}


class _Dumper(yaml.CSafeDumper):
    """Writes values that occur twice twice, not as aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


class _CommittedFile:
    """New MCAP file whose content ends validly after each commit; the stream of a writer."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self._committed = 0  # bytes, without the end
        self._pending = bytearray()
        self._ending = _ending()
        sync_folder(path.parent)

    @property
    def pending(self) -> int:
        """Bytes that are not yet in the file."""
        return len(self._pending)

    def write(self, data: bytes) -> int:
        self._pending += data
        return len(data)

    def tell(self) -> int:
        return self._committed + len(self._pending)

    def flush(self) -> None:
        """Do nothing: `commit` writes."""

    def commit(self, *, is_last: bool = False) -> None:
        """Write what is pending and, unless that holds it, the end. Raises OSError."""
        content = memoryview(bytes(self._pending) + (b'' if is_last else self._ending))
        written = 0
        try:
            while written < len(content):
                written += os.pwrite(
                    self._descriptor, content[written:], self._committed + written)
        except OSError:
            os.pwrite(self._descriptor, self._ending, self._committed)
            os.ftruncate(self._descriptor, self._committed + len(self._ending))
            raise
        self._committed += len(self._pending)
        self._pending.clear()

    def sync(self) -> None:
        os.fsync(self._descriptor)

    def close(self) -> None:
        os.close(self._descriptor)


def _defined(topic: TopicDefinition) -> TopicDefinition:
    """Look up the message definition of a topic without one."""
    if topic.text or not topic.encoding:
        return topic
    store = typestore()
    if topic.type not in store.fielddefs:
        raise SessionError(f'{topic.name}: the definition of {topic.type} is not known')
    text, _ = store.generate_msgdef(topic.type, ros_version=2)
    return replace(
        topic, text=text, type_hash=topic.type_hash or store.hash_rihs01(topic.type))


def _ending() -> bytes:
    """End of an MCAP file without an index."""
    builder = RecordBuilder()
    DataEnd(0).write(builder)
    Footer(summary_start=0, summary_offset_start=0, summary_crc=0).write(builder)
    content: bytes = builder.end()  # type: ignore[no-untyped-call]
    return content + MCAP0_MAGIC


def _dump(document: Any) -> str:
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    return text
