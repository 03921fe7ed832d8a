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

"""Ed25519 keys of areas and of the aggregator: a folder that only its owner can read.

    hall.key        private key, PKCS8 in PEM, mode 0600
    hall.pub        its public key, one line: `hall ed25519:<base64>`
    hall.counter    newest counter that it signed
    received/       newest counters that each receiver of this site accepted
    trusted         public keys of other sites, lines of the same form; `#` begins a comment

Another site's `.pub` line is appended to `trusted`; no private key ever leaves its folder.
"""

import base64
import binascii
import os
import stat
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from utt_ros.errors import SettingsError
from utt_ros.federation.settings import valid_area
from utt_ros.files import create_private, remove_leftovers, write_atomically

AGGREGATOR = 'aggregator'  # name of its key; no area may have it
ALGORITHM = 'ed25519:'
TRUSTED = 'trusted'
RECEIVED = 'received'
MAX_KEY_FILE_BYTES = 2**20
OTHERS_READ, OTHERS_WRITE = 0o077, 0o022  # bits of a mode


def key_id(key: Ed25519PublicKey) -> str:
    """Return the identifier of a public key: 16 hexadecimal digits of its SHA-256."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


def public_line(name: str, key: Ed25519PublicKey) -> str:
    """Return the line of a public key in `trusted`."""
    return f'{name} {ALGORITHM}{base64.b64encode(key.public_bytes_raw()).decode()}'


def parse_public_line(line: str) -> tuple[str, Ed25519PublicKey]:
    """Return name and key of a line `NAME ed25519:BASE64`. Raises SettingsError."""
    name, _, text = line.strip().partition(' ')
    try:
        if not valid_area(name) or not text.strip().startswith(ALGORITHM):
            raise ValueError('it must have the form NAME ed25519:BASE64')
        raw = base64.b64decode(text.strip().removeprefix(ALGORITHM), validate=True)
        return name, Ed25519PublicKey.from_public_bytes(raw)
    except (ValueError, binascii.Error) as err:
        raise SettingsError(f'{line.strip()[:120]!r} is not a public key: {err}') from err


class KeyFolder:
    """Private keys of this site and public keys of all, read again whenever the files change."""

    def __init__(self, folder: Path) -> None:
        """Create the folder with mode 0700.

        Raises SettingsError where others than its owner, who is this user or root, can change it.
        """
        self.folder = folder.expanduser()
        self.problem = ''  # why changed files are not used
        self._stamp: object = None
        self._public: dict[str, dict[str, Ed25519PublicKey]] = {}
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as err:
            raise SettingsError(f'keys cannot be kept in {self.folder}: {err.strerror}') from err
        status = self.folder.stat()
        if status.st_uid not in (0, os.geteuid()):
            raise SettingsError(f'{self.folder} belongs to user {status.st_uid}: keys must be in '
                                'a folder of this user or of root')
        mode = stat.S_IMODE(status.st_mode)
        if mode & OTHERS_WRITE:
            raise SettingsError(f'others can change {self.folder}, its mode is {mode:04o}: '
                                f'run chmod {mode & ~OTHERS_WRITE:o} {self.folder}')
        remove_leftovers(self.folder)
        self._read()

    def private(self, name: str) -> Ed25519PrivateKey:
        """Read a private key, or create it and its public one.

        Raises SettingsError for a file that others can read, or that is no key.
        """
        path = self._path(name, '.key')
        try:
            if not path.exists():
                self._create(path)
            data = _read_checked(path, OTHERS_READ)
            key = load_pem_private_key(data, None)
            if not isinstance(key, Ed25519PrivateKey):
                raise ValueError('it is not an Ed25519 key')
            self._write_public(name, key.public_key())
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as err:
            raise SettingsError(f'{path} cannot be used as a key: {err}') from err
        return key

    def public(self, name: str) -> dict[str, Ed25519PublicKey]:
        """Return the public keys of an area or the aggregator, by identifier."""
        try:
            self._read()
            self.problem = ''
        except SettingsError as err:
            self.problem = str(err)
        return self._public.get(name, {})

    def names(self) -> list[str]:
        """Return the names that have a public key, sorted."""
        self._read()
        return sorted(self._public)

    def own_names(self) -> list[str]:
        """Return the names that have a private key here, sorted."""
        return sorted(path.stem for path in self.folder.glob('*.key'))

    def trust(self, line: str) -> str:
        """Append a public key of another site to `trusted`; return its name.

        Raises SettingsError for a line that is no key, and when the file cannot be written.
        """
        name, key = parse_public_line(line)
        if key_id(key) in self.public(name):
            return name
        path = self.folder / TRUSTED
        try:
            known = path.read_bytes() if path.exists() else b''
            if known and not known.endswith(b'\n'):
                known += b'\n'
            write_atomically(path, known + public_line(name, key).encode() + b'\n')
        except OSError as err:
            raise SettingsError(f'{path} cannot be written: {err.strerror}') from err
        return name

    def counter_file(self, name: str) -> Path:
        """Return the path of the newest counter that a key signed."""
        return self._path(name, '.counter')

    def memory_file(self, receiver: str) -> Path:
        """Return the path of the newest counters that a receiver, such as a node, accepted."""
        return self.folder / RECEIVED / f'{receiver.strip("/").replace("/", ".")}.json'

    def _path(self, name: str, suffix: str) -> Path:
        if not valid_area(name):
            raise SettingsError(f'{name!r} is not the name of an area or of the aggregator')
        return self.folder / f'{name}{suffix}'

    def _create(self, path: Path) -> None:
        """Write a new private key, unless another process has just done so."""
        pem = Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        create_private(path, pem)

    def _write_public(self, name: str, key: Ed25519PublicKey) -> None:
        path, line = self._path(name, '.pub'), public_line(name, key).encode() + b'\n'
        if not path.exists() or path.read_bytes() != line:
            write_atomically(path, line)

    def _read(self) -> None:
        """Read all public keys if a file changed. Raises SettingsError, and then keeps them."""
        stamp = self._files_stamp()
        if stamp == self._stamp:
            return
        public: dict[str, dict[str, Ed25519PublicKey]] = {}
        for path in sorted((*self.folder.glob('*.pub'), *self.folder.glob(TRUSTED))):
            try:
                text = _read_checked(path, OTHERS_WRITE).decode()
            except (OSError, ValueError) as err:
                raise SettingsError(f'{path} cannot be used: {err}') from err
            for line in text.splitlines():
                if line.strip() and not line.lstrip().startswith('#'):
                    name, key = parse_public_line(line)
                    public.setdefault(name, {})[key_id(key)] = key
        self._public, self._stamp = public, stamp

    def _files_stamp(self) -> object:
        """Return a value that changes with the folder's names and the list of trusted keys."""
        stamps = []
        for path in (self.folder, self.folder / TRUSTED):
            with suppress(OSError):
                stamps.append(path.stat().st_mtime_ns)
        return stamps


def _read_checked(path: Path, forbidden: int) -> bytes:
    """Read a small file of which no mode bit is forbidden. Raises ValueError and OSError."""
    with path.open('rb') as file:
        status = os.fstat(file.fileno())
        mode = stat.S_IMODE(status.st_mode)
        if mode & forbidden:
            raise ValueError(
                f'others can {"read" if forbidden & 0o044 else "change"} it, its mode is '
                f'{mode:04o}: run chmod {mode & ~forbidden:o} {path}')
        if status.st_size > MAX_KEY_FILE_BYTES:
            raise ValueError(f'it has {status.st_size} bytes: at most {MAX_KEY_FILE_BYTES}')
        return file.read()
