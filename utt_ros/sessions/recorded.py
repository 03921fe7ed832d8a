"""Bags as streams of serialized messages, for replay and recording; sessions are in `bags`."""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from rosbags.interfaces import Connection, Qos, QosDurability, QosReliability
from rosbags.rosbag2 import Reader

from utt_ros.errors import SessionError, SettingsError


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of a bag and what its publishers offered; `reliable` also when nothing is known."""

    name: str
    type: str
    reliable: bool = True
    transient: bool = False  # late subscribers get the newest messages as well
    depth: int = 0  # 0: unknown


class RecordedBag:
    """One bag, of any storage that rosbag2 has; use it in the thread that opened it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        is_empty = not reader.message_count
        self.start_ns = 0 if is_empty else reader.start_time
        self.end_ns = 0 if is_empty else reader.end_time  # of the last message, and 1 ns
        found: dict[str, list[Connection]] = {}
        for connection in reader.connections:
            found.setdefault(connection.topic, []).append(connection)
        self.topics = tuple(_topic(found[name]) for name in sorted(found))

    def messages(
        self, topics: Collection[str], start_ns: int, stop_ns: int
    ) -> Iterator[tuple[int, str, bytes]]:
        """Log time, topic and serialized message, in order, of start <= time < stop."""
        chosen = [each for each in self._reader.connections if each.topic in topics]
        if chosen:  # rosbags takes none for all
            for connection, log_ns, data in self._reader.messages(chosen, start_ns, stop_ns):
                yield log_ns, connection.topic, data


@contextmanager
def open_bag(path: Path) -> Iterator[RecordedBag]:
    """Open a rosbag2 directory, or one file of it, for reading.

    Raises SessionError, naming the bag, when it cannot be read, also while it is read.
    """
    try:
        with Reader(path) as reader:
            yield RecordedBag(reader)
    except SessionError:
        raise
    except Exception as err:  # a broken file upsets the libraries that parse it in many ways
        raise SessionError(f'{path}: {type(err).__name__}: {err}') from err


def find_topics(bags: Sequence[Path], patterns: Sequence[str] | None = None) -> list[Topic]:
    """The topics of bags that match one of the regular expressions, or all of them, by name.

    A topic of several bags is as in the first. Raises SessionError.
    """
    found: dict[str, Topic] = {}
    for path in bags:
        with open_bag(path) as bag:
            for topic in bag.topics:
                found.setdefault(topic.name, topic)
    wanted = [each for each in found.values() if matches(each.name, patterns)]
    return sorted(wanted, key=attrgetter('name'))


def matches(topic: str, patterns: Sequence[str] | None) -> bool:
    """Whether a whole topic name matches one of the expressions; yes when there are none.

    Raises SettingsError for one that is no regular expression.
    """
    try:
        return not patterns or any(re.fullmatch(each, topic) for each in patterns)
    except re.error as err:
        raise SettingsError(f'{err.pattern!r} is no regular expression: {err}') from err


def _topic(connections: list[Connection]) -> Topic:
    offers: list[Qos] = [
        qos for each in connections for qos in getattr(each.ext, 'offered_qos_profiles', ())]
    return Topic(
        connections[0].topic, connections[0].msgtype,
        reliable=all(qos.reliability is not QosReliability.BEST_EFFORT for qos in offers),
        transient=bool(offers) and all(
            qos.durability is QosDurability.TRANSIENT_LOCAL for qos in offers),
        depth=max((qos.depth for qos in offers), default=0))
