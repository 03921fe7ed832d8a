"""Bags as streams of serialized messages, for replay and recording; sessions are in `bags`."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rosbags.interfaces import Connection, Qos, QosDurability, QosReliability
from rosbags.rosbag2 import Reader

from utt_ros.errors import SessionError


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
        self.start_ns = reader.start_time
        self.end_ns = max(reader.end_time, reader.start_time)
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


def _topic(connections: list[Connection]) -> Topic:
    offers: list[Qos] = [
        qos for each in connections for qos in getattr(each.ext, 'offered_qos_profiles', ())]
    return Topic(
        connections[0].topic, connections[0].msgtype,
        reliable=all(qos.reliability is not QosReliability.BEST_EFFORT for qos in offers),
        transient=bool(offers) and all(
            qos.durability is QosDurability.TRANSIENT_LOCAL for qos in offers),
        depth=max((qos.depth for qos in offers), default=0))
