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

"""Sensor source: base class and registry entry.

A source is a module with a settings class, a subclass of `Source` and its `ENTRY` in the registry
of its kind: `SOURCES` in `drivers.camera`, `drivers.ftm` and `drivers.imu`. Another package
registers one by an entry point, whose group the registry names, or by `SOURCES.register`.
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
    """Measurements of one device, server or port.

    One thread calls `open`, then `read` repeatedly, then `close`; a closed source may be reopened.
    Input that cannot be parsed is counted and left out, never guessed.
    """

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()  # refusals by key, see docs/sources/diagnostics.md

    @property
    def address(self) -> str:
        """Address on which it listens, host:port; empty when it does not listen."""
        return ''

    @abstractmethod
    def open(self) -> None:
        """Connect. Raises SourceError, with the remedy, when that is impossible now."""

    @abstractmethod
    def read(self, timeout_s: float) -> Sequence[T]:
        """Return new samples; wait for the first one up to the timeout.

        Stamps are integer nanoseconds of the host's clock since the epoch. Bad input is counted in
        `counters`. Raises SourceError when the source is lost: the caller closes and reopens it.
        """

    @abstractmethod
    def close(self) -> None:
        """Release all resources; allowed at any time, also twice."""

    def status(self) -> Mapping[str, object]:
        """Return values for diagnostics, such as clock offsets; callable from any thread.

        `trouble` is the newest refused input, or lost part, in words; drivers log it.
        """
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
class SourceEntry:
    """Registry entry of a source."""

    title: str  # shown by `utt sources`
    settings: type[Any]  # frozen dataclass of `setting` fields, validated on construction
    make: Callable[[Any, AreaSettings], Source[Any]]  # from its settings and those of the area
    unavailable: Callable[[], str]  # reason and remedy if it cannot work on this machine, or ''
    detects_people: bool = False  # a camera that delivers detections itself
