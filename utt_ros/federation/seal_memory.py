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

"""Newest counters of signed messages that a receiver has accepted, for longer than it runs."""

import json
from contextlib import suppress
from pathlib import Path

from utt_ros.documents import json_checksum, load_json
from utt_ros.errors import DocumentError
from utt_ros.files import read_limited, write_atomically

MAX_MEMORY_BYTES = 2**20
MAX_KEPT_COUNTERS = 1024  # in the file: the largest ones, which are the newest


class SealMemory:
    """Counters by sender and kind of message; those that last are in a file as well."""

    def __init__(self, path: Path | None = None) -> None:
        """`path`: file of one receiver; a damaged one is begun anew. Without it nothing lasts."""
        self._path = path
        self._lasting = _read(path) if path else {}
        self._others: dict[str, int] = {}

    def newest(self, key: str) -> int:
        """Return the newest counter; 0 where there is none."""
        return max(self._lasting.get(key, 0), self._others.get(key, 0))

    def remember(
        self, key: str, counter: int, *, lasts: bool, is_synced: bool = False,
    ) -> None:
        """Note the newest counter; one that `is_synced` survives a power cut.

        A full disk does not stop the receiver.
        """
        if not lasts:
            self._others[key] = counter
            return
        self._lasting[key] = counter
        if len(self._lasting) > MAX_KEPT_COUNTERS:
            del self._lasting[min(self._lasting, key=self._lasting.__getitem__)]
        if self._path is not None:
            with suppress(OSError):
                self._path.parent.mkdir(mode=0o700, exist_ok=True)
                content = {'checksum': json_checksum(self._lasting), 'counters': self._lasting}
                write_atomically(self._path, json.dumps(content).encode(), is_synced=is_synced)


def _read(path: Path) -> dict[str, int]:
    with suppress(OSError, DocumentError):
        content = load_json(read_limited(path, MAX_MEMORY_BYTES))
        counters = content.get('counters') if isinstance(content, dict) else None
        if isinstance(counters, dict) and content.get('checksum') == json_checksum(counters):
            return counters
    return {}
