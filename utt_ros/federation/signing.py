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

"""Signatures of updates, global models, round states, graphs, handed-over twins and beliefs.

A seal is the Ed25519 signature of a statement: the kind of a message, a counter and those fields
that decide, with the payload as its checksum. So a forgery is refused for the price of one
signature check, however large its payload, and before anything of it is parsed.

The counter grows with everything that a key signs, across restarts too: it is the time in
nanoseconds, or the previous counter plus 1 where that is more.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from cryptography.exceptions import InvalidSignature

from utt_ros.errors import SignatureRefused
from utt_ros.federation.keys import AGGREGATOR, KeyFolder, key_id
from utt_ros.federation.seal_memory import SealMemory
from utt_ros.federation.settings import MAX_NAME_LENGTH, SigningSettings
from utt_ros.federation.types import (
    UNSEALED,
    BeliefNotice,
    Deployment,
    GlobalModel,
    RoundStatus,
    Seal,
    TaskDeployment,
    TwinHandover,
    Update,
)
from utt_ros.federation.wire import check_size, checksum_of

SIGNATURE_BYTES = 64
MAX_TEXT = 65536  # characters of one signed field, such as a configuration
MAX_ITEMS = 64  # of a signed list
MAX_PAYLOAD_BYTES = 64 * 2**20
COUNTER_DIGITS = 20

S = TypeVar('S', bound=Update | GlobalModel | Deployment | TaskDeployment | TwinHandover
            | BeliefNotice)


@dataclass(frozen=True, slots=True)
class SignedKind:
    """Name of a kind of message, its signed fields, and the payload that its checksum covers.

    The sender of a kind without an area is the aggregator. Counters of a kind that `lasts` are
    kept while its receiver does not run: such messages are few, and old ones would be used. What
    one that `is_stored` brings is on the disk when it is used, and so is its counter.
    """

    name: str
    fields: tuple[str, ...]
    payload: str = ''
    lasts: bool = False
    is_stored: bool = False


SIGNED_KINDS: dict[type, SignedKind] = {
    Update: SignedKind('update', (
        'area', 'federation', 'round', 'windows', 'modalities', 'schema', 'compression', 'base',
        'checksum'), 'payload'),
    GlobalModel: SignedKind('model', (
        'federation', 'round', 'config', 'schema', 'compression', 'base', 'checksum'),
        'payload', lasts=True),
    RoundStatus: SignedKind('status', ('federation', 'round', 'state')),
    Deployment: SignedKind(
        'deployment', ('area', 'federation', 'round', 'config', 'checksum'), 'graph', lasts=True),
    TaskDeployment: SignedKind('task deployment', (
        'area', 'id', 'sources', 'target', 'federation', 'round', 'config', 'std', 'checksum'),
        'graph', lasts=True),
    TwinHandover: SignedKind(
        'handover', ('area', 'record', 'config', 'max_nmse', 'checksum'), 'payload', lasts=True,
        is_stored=True),
    BeliefNotice: SignedKind('beliefs', ('area', 'checksum'), 'payload'),
}


def statement(item: Any, counter: int) -> bytes:
    """Return the signed bytes of an item, equal for equal fields only.

    Raises SignatureRefused for fields that are too long to be genuine.
    """
    kind = SIGNED_KINDS[type(item)]
    values = [getattr(item, name) for name in kind.fields]
    for name, value in zip(kind.fields, values, strict=True):
        if isinstance(value, str | tuple) and not _is_short(value):
            raise SignatureRefused(f'its {name} is too long to be signed')
    return json.dumps(['utt_ros', 1, kind.name, counter, *values]).encode()


def sender_of(item: Any) -> str:
    """Return the name of the key that may sign an item: its area, or the aggregator."""
    return str(getattr(item, 'area', AGGREGATOR))


class Signer(Protocol):
    """Source of seals in the name of one area or of the aggregator."""

    def sign(self, item: Any, /) -> Seal:
        """Return the seal of an item."""


class NullSigner:
    """Signer of a federation without signatures."""

    def sign(self, _item: Any, /) -> Seal:
        """Return the empty seal."""
        return UNSEALED


class KeySigner:
    """Signer with a private key, for one thread at a time."""

    def __init__(
        self, keys: KeyFolder, name: str, clock_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Read or create the key of `name`. Raises SettingsError."""
        self._key = keys.private(name)
        self.key_id = key_id(self._key.public_key())
        self._clock_ns = clock_ns
        self._file = keys.counter_file(name)
        self._counter = _read_counter(self._file)

    def sign(self, item: Any) -> Seal:
        """Return the seal of an item, with a counter above all earlier ones."""
        self._counter = max(self._clock_ns(), self._counter + 1)
        _write_counter(self._file, self._counter)
        signature = self._key.sign(statement(item, self._counter))
        return Seal(self.key_id, self._counter, signature)


class Verifier(Protocol):
    """Check of seals."""

    def verify(self, item: Any, seal: Seal, *, repeated: bool = False) -> None:
        """Raise SignatureRefused unless the sender of an item is proven and the item new.

        Raises ModelError for a payload that is too large to be looked at.

        `repeated`: the newest item may come once more, as DDS delivers it to a new subscription.
        """


class NullVerifier:
    """Verifier of a federation without signatures: every sender is believed."""

    def verify(self, item: Any, seal: Seal, *, repeated: bool = False) -> None:
        pass


class SealVerifier:
    """Verifier with the public keys of a folder; remembers the newest counter of each stream.

    A stream is of one key and kind, and of one task twin; changes of a model, which have a topic
    of their own, are one of their own. Cheapest check first: sizes, key,
    counter, signature, payload. A counter is used up by an item that passes all of them, so that
    a genuine seal around another payload stops nothing.
    """

    def __init__(
        self, keys: KeyFolder, max_bytes: int = MAX_PAYLOAD_BYTES, receiver: str = '',
    ) -> None:
        """`max_bytes`: of a payload. Counters of a named `receiver` are kept across restarts."""
        self._keys, self._max_bytes = keys, max_bytes
        self._memory = SealMemory(keys.memory_file(receiver) if receiver else None)

    def verify(self, item: Any, seal: Seal, *, repeated: bool = False) -> None:
        name, kind = sender_of(item), SIGNED_KINDS[type(item)]
        shown = repr(name[:MAX_NAME_LENGTH])
        payload = getattr(item, kind.payload, None)
        if payload is not None:
            check_size(payload, self._max_bytes)
        if not seal.signature:
            raise SignatureRefused(f'it is not signed by {shown}')
        if len(seal.signature) != SIGNATURE_BYTES:
            raise SignatureRefused(
                f'its signature by {shown} has {len(seal.signature)} bytes: it must have '
                f'{SIGNATURE_BYTES}')
        if name == AGGREGATOR and hasattr(item, 'area'):
            raise SignatureRefused(f'an area cannot be named {shown}')
        key = self._keys.public(name).get(seal.key_id)
        if key is None:
            raise SignatureRefused(f'key {seal.key_id[:16]!r} is not a trusted key of {shown}')
        stream = f'{kind.name} {name} {seal.key_id} {_part_of(item)}'.rstrip()
        newest = self._memory.newest(stream)
        if seal.counter < newest or (seal.counter == newest and not repeated):
            raise SignatureRefused(
                f'it is a replay: {shown} signed counter {seal.counter}, after it {newest}')
        try:
            key.verify(seal.signature, statement(item, seal.counter))
        except InvalidSignature as err:
            raise SignatureRefused(f'its signature is not that of {shown}') from err
        if payload is not None and checksum_of(payload) != item.checksum:
            raise SignatureRefused(f'its payload is not the one that {shown} signed')
        if seal.counter > newest:
            self._memory.remember(
                stream, seal.counter, lasts=kind.lasts, is_synced=kind.is_stored)


def make_signer(settings: SigningSettings, name: str) -> Signer:
    """Return the signer of an area or the aggregator. Raises SettingsError."""
    return KeySigner(KeyFolder(Path(settings.keys)), name) if settings.signed else NullSigner()


def make_verifier(
    settings: SigningSettings, max_bytes: int = MAX_PAYLOAD_BYTES, receiver: str = '',
) -> Verifier:
    """Return the verifier with the keys of the settings. Raises SettingsError.

    `receiver` as in `SealVerifier`.
    """
    if not settings.signed:
        return NullVerifier()
    return SealVerifier(KeyFolder(Path(settings.keys)), max_bytes, receiver)


def sealed(item: S, signer: Signer) -> S:
    """Return an item with the seal of a signer."""
    return replace(item, seal=signer.sign(item))


def _part_of(item: Any) -> str:
    """Return the name of an item's stream among those of its key and kind."""
    is_change = isinstance(item, GlobalModel) and bool(item.base)
    return 'change' if is_change else str(getattr(item, 'id', ''))


def _is_short(value: str | tuple[str | float, ...]) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    return len(value) <= MAX_ITEMS and all(
        len(item) <= MAX_NAME_LENGTH for item in value if isinstance(item, str))


def _read_counter(path: Path) -> int:
    """Return the stored counter; 0 where there is none: the clock is ahead of it anyway."""
    with suppress(OSError, ValueError):
        return int(path.read_bytes()[:COUNTER_DIGITS])
    return 0


def _write_counter(path: Path, counter: int) -> None:
    """Write the counter in place; a full disk does not stop the sender, whose clock goes on."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(descriptor, f'{counter:0{COUNTER_DIGITS}d}'.encode(), 0)
        finally:
            os.close(descriptor)
