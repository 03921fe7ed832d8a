"""What every source of measurements promises, and the list of those that are known.

A source is one file: a settings class, a subclass of `Source`, and an entry in the registry of its
kind (`drivers.camera.SOURCES`, `drivers.ftm.SOURCES`, `drivers.imu.SOURCES`).
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, TypeVar

from utt_ros.settings import AreaSettings

T = TypeVar('T')
S = TypeVar('S', bound='Source[Any]')


class Source(ABC, Generic[T]):
    """Measurements of one device, server or peer.

    One thread calls `open`, then `read` again and again, then `close`; a source may be opened anew
    after it was closed. Nothing is invented: what cannot be understood is counted and left out.
    """

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()  # what was refused, by reason, since the begin

    @abstractmethod
    def open(self) -> None:
        """Connect. Raises SourceError, which says what to do, when that cannot be done now."""

    @abstractmethod
    def read(self, timeout_s: float) -> Sequence[T]:
        """What has come since the last call; waits for some, for so long at most.

        Samples carry stamps in integer nanoseconds of the host's clock since the epoch. Bad input
        is counted in `counters`. Raises SourceError when the source is gone: it is then closed,
        and opened again after a while.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; allowed at any time, also twice."""

    def status(self) -> Mapping[str, object]:
        """Numbers of its own for diagnostics, such as offsets of clocks; from any thread."""
        return {}

    def __enter__(self: S) -> S:  # noqa: PYI019  Self needs Python 3.11
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Entry:
    """A source in the registry of its kind."""

    title: str  # for people
    settings: type[Any]  # a frozen dataclass of `setting` fields, validated when made
    make: Callable[[Any, AreaSettings], Source[Any]]  # from these settings
    lacking: Callable[[], str]  # why it cannot work on this machine, what to do; '' when it can
