"""Serialized messages in rosbag2 directories: the only place that knows the rosbags library."""

import os
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from rosbags.interfaces import (
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import Reader, StoragePlugin, Writer

from utt_ros.sessions.bag_streams import Stream
from utt_ros.sessions.message_types import typestore

METADATA = 'metadata.yaml'
FOREVER = QosTime(9223372036, 854775807)


def write_bag(folder: Path, topics: list[Stream], custom: dict[str, str]) -> None:
    """Write a new bag in MCAP: messages in order of stamps, which are their log times, synced.

    Definitions of the messages are embedded; metadata.yaml holds `custom` and the QoS with which
    `ros2 bag play` publishes: best effort for sensors, reliable for the others.
    """
    writer = Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
    for key, value in custom.items():
        writer.set_custom_data(key, value)
    with writer:
        connections = [
            writer.add_connection(
                topic.topic, topic.type, typestore=typestore(),
                offered_qos_profiles=[qos(topic.reliable)])
            for topic in topics]
        for number, stamp, message in _merged(topics):
            writer.write(connections[number], stamp, message)
    seal(folder)


def seal(folder: Path) -> None:
    """Finish a bag that was written: name the ROS distribution of its messages, and sync it."""
    metadata = folder / METADATA
    text = metadata.read_text(encoding='utf-8')
    metadata.write_text(text.replace('ros_distro: rosbags', 'ros_distro: jazzy'), encoding='utf-8')
    for path in folder.iterdir():
        with path.open('rb') as file:
            os.fsync(file.fileno())


def read_bag(
        bag: Path, wanted: Callable[[str, str], bool],
) -> tuple[dict[str, list[bytes]], dict[str, str]]:
    """Messages of each topic for which wanted(topic, type), and the custom data of the bag."""
    with Reader(bag) as reader:
        connections = [item for item in reader.connections if wanted(item.topic, item.msgtype)]
        messages: dict[str, list[bytes]] = {item.topic: [] for item in connections}
        if connections:  # rosbags takes none for all
            for connection, _, data in reader.messages(connections):
                messages[connection.topic].append(data)
        return messages, dict(reader.storage.metadata.custom or {})


def _merged(topics: list[Stream]) -> Iterator[tuple[int, int, bytes | memoryview]]:
    """Number of the topic, stamp and message, in order of stamps; ties in order of topics."""
    stamps = np.concatenate([topic.stamps_ns for topic in topics])
    numbers = np.repeat(np.arange(len(topics)), [len(topic.stamps_ns) for topic in topics])
    messages = list(chain.from_iterable(topic.messages for topic in topics))
    for row in np.argsort(stamps, kind='stable').tolist():
        yield int(numbers[row]), int(stamps[row]), messages[row]


def qos(reliable: bool, transient: bool = False, depth: int = 0) -> Qos:
    """How a topic was offered; by default the profiles SENSOR and RELIABLE of `bridge.qos`."""
    reliability = QosReliability.RELIABLE if reliable else QosReliability.BEST_EFFORT
    durability = QosDurability.TRANSIENT_LOCAL if transient else QosDurability.VOLATILE
    return Qos(
        QosHistory.KEEP_LAST, depth or (50 if reliable else 200), reliability, durability,
        FOREVER, FOREVER, QosLiveliness.AUTOMATIC, FOREVER, False)
