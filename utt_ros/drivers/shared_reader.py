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

"""Reader of one source for several users, which all run in one thread."""

from collections.abc import Callable
from typing import Any

from utt_ros.drivers.reader import ReaderSettings, ReaderStatus, SourceReader
from utt_ros.drivers.source import Source
from utt_ros.errors import SourceError

Receiver = Callable[[Any], None]


class SharedReader:
    """Reads its source while it has receivers; each of them gets every sample.

    `wake` is called by the reading thread when samples wait for `deliver`.
    """

    def __init__(
        self, source: Source[Any], settings: ReaderSettings, wake: Callable[[], None],
    ) -> None:
        self.source = source
        self._settings, self._wake = settings, wake
        self._receivers: list[Receiver] = []
        self._reader: SourceReader | None = None
        self._stuck: SourceReader | None = None  # reader whose thread has not ended

    def add(self, receiver: Receiver) -> None:
        """Add a receiver; the first one starts the reading.

        Raises SourceError while an earlier thread still holds the source.
        """
        if self._reader is None:
            if self._stuck is not None and not self._stuck.stop(0.0):
                raise SourceError(
                    'it still holds its device: activate it later, or restart the node')
            self._stuck = None
            self._reader = SourceReader(self.source, self._settings, self._wake)
            self._reader.start()
        self._receivers.append(receiver)

    def remove(self, receiver: Receiver) -> bool:
        """Remove a receiver; the last one ends the reading. False: the source is not released."""
        self._receivers.remove(receiver)
        if self._receivers or self._reader is None:
            return True
        reader, self._reader = self._reader, None
        if reader.stop():
            return True
        self._stuck = reader
        return False

    def deliver(self) -> None:
        """Pass the samples that wait to all receivers, oldest first."""
        for sample in self._reader.take() if self._reader is not None else ():
            for receiver in self._receivers:
                receiver(sample)

    def status(self) -> ReaderStatus | None:
        """Return the status of the reading; None while there is no receiver."""
        return None if self._reader is None else self._reader.status()
