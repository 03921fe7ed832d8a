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

import heapq
import logging
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import chain
from operator import attrgetter, itemgetter
from pathlib import Path

import numpy as np
from rosbags.interfaces import (
    MessageDefinition,
    MessageDefinitionFormat,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)

from utt_ros.errors import SessionError, SettingsError
from utt_ros.sessions.bag_files import METADATA, BagFiles, find_bag_files
from utt_ros.sessions.bag_streams import BagStream
from utt_ros.sessions.bag_topic import BagTopic
from utt_ros.sessions.bag_writer import BagWriter, TopicDefinition
from utt_ros.sessions.message_types import typestore
from utt_ros.sessions.storage_reader import StorageReader

FOREVER = QosTime(9223372036, 854775807)
MAX_NAMED_TOPICS = 3  # in a remark
LOG = logging.getLogger(__name__)

LoggedMessage = tuple[int, str, bytes]  # log time [ns], topic, serialized


class BagReader:
    """One open bag of any rosbag2 storage, for the thread that opened it.

    `remarks` tell what of the bag is missing, damaged or contradicts its metadata.
    """

    def __init__(self, path: Path, files: BagFiles, storages: Sequence[StorageReader]) -> None:
        self._path = path
        self._storages = storages
        self.custom_data = files.custom_data
        filled = [storage for storage in storages if storage.end_ns]
        self.start_ns = min((storage.start_ns for storage in filled), default=0)
        self.end_ns = max((storage.end_ns for storage in filled), default=0)  # 1 ns after the last
        self._counts: Counter[str] = Counter()
        types: dict[str, str] = {}
        offered: dict[str, list[Qos]] = {}
        for connection in chain.from_iterable(item.connections for item in storages):
            types.setdefault(connection.topic, connection.msgtype)
            self._counts[connection.topic] += connection.msgcount
            profiles = getattr(connection.ext, 'offered_qos_profiles', ())
            offered.setdefault(connection.topic, []).extend(profiles)
        declared = files.topics()
        for name, (kind, _, profiles) in declared.items():
            types.setdefault(name, kind)
            offered[name] = profiles or offered.get(name, [])  # people edit those of the metadata
        self.topics = tuple(
            _bag_topic(name, types[name], offered.get(name, [])) for name in sorted(types))
        self._offered, self._hashes = offered, files.type_hashes()
        self.remarks = (
            *files.remarks, *chain.from_iterable(item.remarks for item in storages),
            *_count_remarks(path, files, self._counts))

    def definitions(self) -> list[TopicDefinition]:
        """Return the topics with QoS and message definitions, as another bag needs them."""
        stored = {item.topic: item.msgdef
                  for item in chain.from_iterable(item.connections for item in self._storages)
                  if item.msgdef.format is not MessageDefinitionFormat.NONE}
        return [
            TopicDefinition(
                topic.name, topic.type, tuple(self._offered[topic.name]),
                *_definition(topic.type, stored.get(topic.name)),
                self._hashes.get(topic.name, ''))
            for topic in self.topics]

    def messages(
        self, topics: Collection[str], start_ns: int, stop_ns: int
    ) -> Iterator[LoggedMessage]:
        """Yield messages in order of log times, for start <= time < stop.

        A difference from the number of stored messages is logged.
        """
        streams = [item.messages(topics, start_ns, stop_ns) for item in self._storages]
        merged = streams[0] if len(streams) == 1 else heapq.merge(*streams, key=itemgetter(0))
        count = 0
        for message in merged:
            count += 1
            yield message
        expected = sum(self._counts[topic] for topic in set(topics))
        if start_ns <= self.start_ns and stop_ns >= self.end_ns and count != expected:
            _log_once(f'{self._path}: {count} of {expected} messages could be read')


@contextmanager
def open_bag(path: Path, *, scan: bool = False) -> Iterator[BagReader]:
    """Open a rosbag2 directory, or one file of it, for reading; log what is wrong with it.

    `scan`: without the index of MCAP files, which costs a copy of them. Raises SessionError with
    the path when it cannot be read, also inside the context.
    """
    try:
        with ExitStack() as resources:
            files = find_bag_files(path)
            storages = [StorageReader(item, resources, scan=scan) for item in files.paths]
            bag = BagReader(path, files, storages)
            for remark in bag.remarks:
                _log_once(remark)
            yield bag
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
    writer = BagWriter(folder, custom)
    for stream in streams:
        offered = offered_qos(stream.reliable)
        writer.add_topic(TopicDefinition(stream.topic, stream.type, (offered,)))
    for number, stamp, message in _merge(streams):
        writer.write(number, stamp, message)
    writer.close()


def read_bag(
        bag: Path, is_wanted: Callable[[str, str], bool],
) -> tuple[dict[str, list[bytes]], dict[str, str]]:
    """Messages of each topic with is_wanted(topic, type), and the custom data of the bag."""
    with open_bag(bag) as reader:
        messages: dict[str, list[bytes]] = {
            topic.name: [] for topic in reader.topics if is_wanted(topic.name, topic.type)}
        for _, topic, data in reader.messages(messages, reader.start_ns, reader.end_ns):
            messages[topic].append(data)
        return messages, reader.custom_data


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


def _definition(kind: str, stored: MessageDefinition | None) -> tuple[str, str]:
    """Return text and encoding of a message definition; empty ones where it is not known."""
    if stored is None:
        return '', 'ros2msg' if kind in typestore().fielddefs else ''
    return stored.data, 'ros2msg' if stored.format is MessageDefinitionFormat.MSG else 'ros2idl'


def _bag_topic(name: str, kind: str, offered: Sequence[Qos]) -> BagTopic:
    return BagTopic(
        name, kind,
        reliable=all(qos.reliability is not QosReliability.BEST_EFFORT for qos in offered),
        transient=bool(offered) and all(
            qos.durability is QosDurability.TRANSIENT_LOCAL for qos in offered),
        depth=max((qos.depth for qos in offered), default=0))


def _count_remarks(path: Path, files: BagFiles, stored: Mapping[str, int]) -> Iterator[str]:
    """Yield what differs between the messages that are stored and those of the metadata."""
    declared = {name: count for name, (_, count, _) in files.topics().items() if count is not None}
    different = [f'{name} {stored.get(name, 0)} of {count}'
                 for name, count in declared.items() if stored.get(name, 0) != count]
    held = sum(stored.values())
    if files.message_count not in (None, held) or different:
        total = sum(declared.values()) if files.message_count is None else files.message_count
        detail = f' ({", ".join(different[:MAX_NAMED_TOPICS])})' if different else ''
        yield f'{path}: its storage holds {held} of the {total} messages in {METADATA}{detail}'


@cache
def _log_once(text: str) -> None:
    """Log a warning; the same bag is opened several times."""
    LOG.warning(text)
