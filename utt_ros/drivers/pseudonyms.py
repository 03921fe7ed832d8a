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

"""Pseudonyms of phones: keyed hashes of their names, by a key that only its owner can read."""

import hmac
import secrets
from base64 import b32encode
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from utt_ros.errors import SettingsError
from utt_ros.files import create_private, read_limited
from utt_ros.settings import check, setting

KEY_FILE = 'pseudonyms.secret'  # in the folder of keys
KEY_BYTES = 32
PSEUDONYM_LETTERS = 12  # of 5 bits: two of a million phones are alike once in a million cases
OTHERS_BITS = 0o077  # of a mode
MAX_CACHED_NAMES = 1024


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """Names of phones in topics."""

    pseudonyms: bool = setting(
        False, 'phones have pseudonyms in topics in place of their names (docs/privacy.md)')
    keys: str = setting('', 'folder of the key of pseudonyms')

    def __post_init__(self) -> None:
        check(self)


class Pseudonyms:
    """Pseudonyms by one key: the same of a phone wherever that key is."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.of = lru_cache(MAX_CACHED_NAMES)(self._compute)

    def _compute(self, name: str) -> str:
        digest = hmac.new(self._key, name.encode(), sha256).digest()
        return 'p' + b32encode(digest).decode().lower()[:PSEUDONYM_LETTERS]


def read_pseudonyms(folder: Path) -> Pseudonyms | None:
    """Read the key in a folder; None where there is none. Raises SettingsError."""
    path = folder.expanduser() / KEY_FILE
    try:
        if not path.exists():
            return None
        mode = path.stat().st_mode & 0o777
        if mode & OTHERS_BITS:
            raise SettingsError(f'{path} has the mode {mode:o}: others can read the key of '
                                'pseudonyms; `chmod 600` and a new key')
        key = bytes.fromhex(read_limited(path, 4 * KEY_BYTES).decode().strip())
    except (OSError, ValueError) as err:
        if isinstance(err, SettingsError):
            raise
        raise SettingsError(f'{path} cannot be used as a key: {err}') from err
    if len(key) != KEY_BYTES:
        raise SettingsError(f'{path} has {len(key)} bytes: a key has {KEY_BYTES}')
    return Pseudonyms(key)


def open_pseudonyms(folder: Path) -> Pseudonyms:
    """Read the key in a folder, or create it. Raises SettingsError."""
    found = read_pseudonyms(folder)
    if found is None:
        _create_key(folder.expanduser())
        found = read_pseudonyms(folder)
    if found is None:
        raise SettingsError(f'{folder / KEY_FILE} was removed while it was read')
    return found


def _create_key(folder: Path) -> None:
    """Write a new key, unless another process has just done so."""
    path = folder / KEY_FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_private(path, f'{secrets.token_hex(KEY_BYTES)}\n'.encode())
    except OSError as err:
        raise SettingsError(f'{path} cannot be written: {err.strerror}') from err
