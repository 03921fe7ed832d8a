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

"""Serialized messages in rosbag2 directories, read and written with the rosbags library.

Sessions are whole bags in memory (`read_bag`, `write_bag`); a replay reads message by message
(`open_bag`); `recorder.py` writes what arrives.
"""

import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from pathlib import Path

import numpy as np
from rosbags.interfaces import (
    Connection,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import Reader, StoragePlugin, Writer

from utt_ros.errors import SessionError, SettingsError
from utt_ros.sessions.bag_streams import BagStream
from utt_ros.sessions.message_types import typestore

METADATA = 'metadata.yaml'
FOREVER = QosTime(9223372036, 854775807)

LoggedMessage = tuple[int, str, bytes]  # log time [ns], topic, serialized


@dataclass(frozen=True, slots=True)
class BagTopic:
    """A topic of a bag and the QoS that its publishers offered; reliable when none is recorded."""

    name: str
    type: str
    reliable: bool = True
    transient: bool = False  # late subscribers get the newest messages as well
    depth: int = 0  # 0: unknown


class BagReader:
    """One open bag of any rosbag2 storage, for the thread that opened it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        is_empty = not reader.message_count
        self.start_ns = 0 if is_empty else reader.start_time
        self.end_ns = 0 if is_empty else reader.end_time  # 1 ns after the last message
        connections: dict[str, list[Connection]] = {}
        for connection in reader.connections:
            connections.setdefault(connection.topic, []).append(connection)
        self.topics = tuple(_bag_topic(connections[name]) for name in sorted(connections))

    def messages(
        self, topics: Collection[str], start_ns: int, stop_ns: int
    ) -> Iterator[LoggedMessage]:
        """Yield messages in order of log times, for start <= time < stop."""
        chosen = [item for item in self._reader.connections if item.topic in topics]
        if chosen:  # rosbags takes an empty list for all topics
            for connection, log_ns, data in self._reader.messages(chosen, start_ns, stop_ns):
                yield log_ns, connection.topic, data


@contextmanager
def open_bag(path: Path) -> Iterator[BagReader]:
    """Open a rosbag2 directory, or one file of it, for reading.

    Raises SessionError with the path when it cannot be read, also inside the context.
    """
    try:
        with Reader(path) as reader:
            yield BagReader(reader)
    except SessionError:
        raise
    except Exception as err:  # parsers raise errors of many types on a broken file
        raise SessionError(f'{path}: {type(err).__name__}: {err}') from err


def find_topics(bags: Sequence[Path], patterns: Sequence[str] | None = None) -> list[BagTopic]:
    """List the topics of bags that match a regular expression (all without one), by name.

    A topic of several bags is described by the first. Raises SessionError.
    """
    topics: dict[str, BagTopic] = {}
    for path in bags:
        with open_bag(path) as bag:
            for topic in bag.topics:
                topics.setdefault(topic.name, topic)
    chosen = [topic for topic in topics.values() if topic_matches(topic.name, patterns)]
    return sorted(chosen, key=attrgetter('name'))


def topic_matches(topic: str, patterns: Sequence[str] | None) -> bool:
    """Whether a whole topic name matches one of the expressions; true when there are none.

    Raises SettingsError for an invalid expression.
    """
    try:
        return not patterns or any(re.fullmatch(pattern, topic) for pattern in patterns)
    except re.error as err:
        raise SettingsError(f'{err.pattern!r} is no regular expression: {err}') from err


def write_bag(folder: Path, streams: list[BagStream], custom: dict[str, str]) -> None:
    """Write a new bag in MCAP: messages in order of stamps, which are their log times, synced.

    Message definitions are embedded; metadata.yaml holds `custom` and the QoS with which
    `ros2 bag play` publishes: best effort for sensors, reliable for the others.
    """
    writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
    for key, value in custom.items():
        writer.set_custom_data(key, value)
    with writer:
        connections = [
            writer.add_connection(
                stream.topic, stream.type, typestore=typestore(),
                offered_qos_profiles=[offered_qos(stream.reliable)])
            for stream in streams]
        for number, stamp, message in _merge(streams):
            writer.write(connections[number], stamp, message)
    finish_bag(folder)


def finish_bag(folder: Path) -> None:
    """Finish a bag that was written: name the ROS distribution of its messages, and sync it."""
    metadata = folder / METADATA
    text = metadata.read_text(encoding='utf-8')
    metadata.write_text(text.replace('ros_distro: rosbags', 'ros_distro: jazzy'), encoding='utf-8')
    for path in folder.iterdir():
        with path.open('rb') as file:
            os.fsync(file.fileno())


def read_bag(
        bag: Path, is_wanted: Callable[[str, str], bool],
) -> tuple[dict[str, list[bytes]], dict[str, str]]:
    """Messages of each topic with is_wanted(topic, type), and the custom data of the bag."""
    with Reader(bag) as reader:
        connections = [item for item in reader.connections if is_wanted(item.topic, item.msgtype)]
        messages: dict[str, list[bytes]] = {item.topic: [] for item in connections}
        if connections:  # rosbags takes an empty list for all topics
            for connection, _, data in reader.messages(connections):
                messages[connection.topic].append(data)
        return messages, dict(reader.storage.metadata.custom or {})


def offered_qos(reliable: bool, transient: bool = False, depth: int = 0) -> Qos:
    """QoS of a topic; by default the profiles SENSOR and RELIABLE of `bridge.node.qos`."""
    reliability = QosReliability.RELIABLE if reliable else QosReliability.BEST_EFFORT
    durability = QosDurability.TRANSIENT_LOCAL if transient else QosDurability.VOLATILE
    return Qos(
        QosHistory.KEEP_LAST, depth or (50 if reliable else 200), reliability, durability,
        FOREVER, FOREVER, QosLiveliness.AUTOMATIC, FOREVER, False)


def _merge(streams: list[BagStream]) -> Iterator[tuple[int, int, bytes | memoryview]]:
    """Yield index of the stream, stamp and message, by stamps, then by index."""
    stamps = np.concatenate([stream.stamps_ns for stream in streams])
    numbers = np.repeat(np.arange(len(streams)), [len(stream.stamps_ns) for stream in streams])
    messages = list(chain.from_iterable(stream.messages for stream in streams))
    for row in np.argsort(stamps, kind='stable').tolist():
        yield int(numbers[row]), int(stamps[row]), messages[row]


def _bag_topic(connections: list[Connection]) -> BagTopic:
    offered: list[Qos] = [
        qos for item in connections for qos in getattr(item.ext, 'offered_qos_profiles', ())]
    return BagTopic(
        connections[0].topic, connections[0].msgtype,
        reliable=all(qos.reliability is not QosReliability.BEST_EFFORT for qos in offered),
        transient=bool(offered) and all(
            qos.durability is QosDurability.TRANSIENT_LOCAL for qos in offered),
        depth=max((qos.depth for qos in offered), default=0))
