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

"""One reader for several receivers: open while there is one, and each gets every sample."""

from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

from utt_ros.drivers.reader import ReaderSettings, SourceReader
from utt_ros.drivers.shared_reader import SharedReader
from utt_ros.drivers.source import Source
from utt_ros.errors import SourceError


class Tap(Source[int]):
    """Delivers what is in `samples`."""

    def __init__(self) -> None:
        super().__init__()
        self.samples: list[int] = []
        self.opened = self.closed = 0
        self.free, self.held = Event(), Event()
        self.free.set()

    def open(self) -> None:
        self.opened += 1

    def read(self, timeout_s: float) -> list[int]:
        if not self.free.is_set():
            self.held.set()
            self.free.wait()
        Event().wait(min(timeout_s, 0.01))
        taken, self.samples = self.samples, []
        return taken

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def tap() -> Tap:
    return Tap()


def pour(tap: Tap, reader: SharedReader, wait_until: Callable[..., None], number: int) -> None:
    """Let the source deliver a sample, and pass it on."""
    before = reader.status().samples  # type: ignore[union-attr]
    tap.samples = [number]
    wait_until(lambda: reader.status().samples > before)  # type: ignore[union-attr]
    reader.deliver()


def test_source_is_open_from_the_first_receiver_to_the_last_one(
    tap: Tap, wait_until: Callable[..., None],
) -> None:
    hall, stairs = list[Any](), list[Any]()
    reader = SharedReader(tap, ReaderSettings(), lambda: None)
    assert reader.status() is None
    reader.add(hall.append)
    pour(tap, reader, wait_until, 1)
    reader.add(stairs.append)
    pour(tap, reader, wait_until, 2)
    assert reader.remove(hall.append)
    pour(tap, reader, wait_until, 3)
    assert (hall, stairs, tap.opened, tap.closed) == ([1, 2], [2, 3], 1, 0)
    assert reader.remove(stairs.append)
    assert (reader.status(), tap.closed) == (None, 1)
    reader.deliver()
    assert stairs == [2, 3]


def test_source_that_is_not_released_is_not_opened_again(
    tap: Tap, wait_until: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SourceReader.stop, '__defaults__', (0.05,))
    heard: list[Any] = []
    reader = SharedReader(tap, ReaderSettings(), lambda: None)
    tap.free.clear()
    reader.add(heard.append)
    wait_until(tap.held.is_set)
    assert not reader.remove(heard.append)
    with pytest.raises(SourceError, match='still holds its device'):
        reader.add(heard.append)
    tap.free.set()
    wait_until(lambda: tap.closed == 1)
    reader.add(heard.append)
    pour(tap, reader, wait_until, 1)
    assert heard == [1]
    assert reader.remove(heard.append)
