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

"""Hostile updates and models against a signed federation: none may count, crash or go unnamed.

An aggregator's server and a trainer's gate and client receive, without ROS, messages that are
forged, replayed, reordered, of foreign senders, or malformed below a genuine signature.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import numpy as np

from utt_ros.errors import ModelError
from utt_ros.federation.checkpoints import Checkpoint, NullStore
from utt_ros.federation.keys import AGGREGATOR, KeyFolder
from utt_ros.federation.server import FederationServer
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.signing import KeySigner, SealVerifier, sealed
from utt_ros.federation.types import GlobalModel, Seal, Update
from utt_ros.federation.wire import Packed, Tensors, checksum_of, pack, schema_of
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.text_table import align_columns
from utt_ros.training.client import ClientProblem, FederatedClient
from utt_ros.training.settings import LearningSettings, TrainerSettings

ATTACKED, OTHER, STRANGER = 'north', 'south', 'stranger'
SMALL_MODEL = ModelSettings(width=16, heads=2, feedforward=16)
SMALL_WINDOW = WindowSettings(ticks=8, horizon=4, imu_rows=2)
Message = Update | GlobalModel
Payload = Callable[[Random, Tensors], Packed]


@dataclass(frozen=True, slots=True)
class AttackTally:
    """Outcome of all messages of one kind of attack."""

    attack: str
    sent: int
    accepted: int
    crashed: int
    unnamed: int  # refused without the name that the message claims
    p50_ms: float  # of a refusal
    p99_ms: float

    @property
    def passed(self) -> bool:
        """Whether nothing was accepted, nothing crashed and every sender was named."""
        return self.sent > 0 and not (self.accepted or self.crashed or self.unnamed)


def attack_federation(count: int, seed: int, folder: Path) -> list[AttackTally]:
    """Send `count` messages of each kind of attack, half of them updates, half models.

    `folder` is empty; keys and state are written to it.
    """
    stage = AttackStage(folder, Random(seed))  # noqa: S311 - a benchmark repeats
    return [stage.tally(name, count) for name in stage.attacks]


def attack_table(tallies: list[AttackTally]) -> str:
    """Return a table of the tallies."""
    head = ['attack', 'sent', 'accepted', 'crashed', 'unnamed', 'p50 [ms]', 'p99 [ms]']
    rows = [[each.attack, *map(str, (each.sent, each.accepted, each.crashed, each.unnamed)),
             f'{each.p50_ms:.2f}', f'{each.p99_ms:.2f}'] for each in tallies]
    return '\n'.join(align_columns(head, rows, left=1))


class AttackStage:
    """A federation with a round in progress: one area has sent its update, one is attacked."""

    def __init__(self, folder: Path, rng: Random) -> None:
        keys = KeyFolder(folder / 'keys')
        self._signers = {name: KeySigner(keys, name)
                         for name in (ATTACKED, OTHER, STRANGER, AGGREGATOR)}
        self._thief = {name: KeySigner(KeyFolder(folder / 'stolen'), name)
                       for name in (ATTACKED, AGGREGATOR)}
        self._rng = rng
        weights = initial_weights(SMALL_MODEL, SMALL_WINDOW, 0)
        config = dump_config(SMALL_MODEL, SMALL_WINDOW)
        settings = AggregatorSettings(areas=(ATTACKED, OTHER), quorum=2, deadline=1e4)
        begin = Checkpoint('genuine', 0, config, weights)
        self._tensors = begin.tensors
        self._server = FederationServer(settings, NullStore(), begin, 0, SealVerifier(keys))
        self._client = FederatedClient(
            AreaSettings(area=ATTACKED), SMALL_WINDOW, SMALL_MODEL, LearningSettings(),
            TrainerSettings(state_dir=str(folder / 'trainer')), verifier=SealVerifier(keys))
        (folder / 'trainer').mkdir()
        self._model = self._server.model
        self._sent: dict[type, list[Message]] = {
            Update: [self._sign(self._update(OTHER))], GlobalModel: [self._sign(self._model)]}
        for genuine in (self._sent[Update][0], self._sent[GlobalModel][0]):
            if self._send(genuine):
                raise ModelError('the genuine messages of a stage must be accepted')
        self.attacks: dict[str, Callable[[type], Iterator[Message]]] = {
            'forged': self._forged, 'replayed': self._replayed, 'reordered': self._reordered,
            'foreign': self._foreign, 'malformed': self._malformed}

    def tally(self, attack: str, count: int) -> AttackTally:
        """Send `count` messages of one attack."""
        accepted = crashed = unnamed = 0
        times_ms: list[float] = []
        for number in range(count):
            message = next(self.attacks[attack]((Update, GlobalModel)[number % 2]))
            begin_s = perf_counter()
            try:
                reason = self._send(message)
            except Exception:  # noqa: BLE001 - what is looked for
                crashed += 1
                continue
            times_ms.append(1e3 * (perf_counter() - begin_s))
            accepted += not reason
            unnamed += bool(reason) and not _names_sender(message, reason)
        p50_ms, p99_ms = np.percentile(times_ms, (50, 99)) if times_ms else (inf, inf)
        return AttackTally(attack, count, accepted, crashed, unnamed, float(p50_ms), float(p99_ms))

    def _send(self, message: Message) -> str:
        """Deliver a message as the nodes do; return the reason of its refusal, else nothing."""
        if isinstance(message, Update):
            return self._server.receive(message, 0) or ''
        try:
            self._client.gate.admit(message)
        except ModelError as err:
            return str(err)
        self._client.inbox.put_model(message)
        problems = [event.text for event in self._client.step(0.0)
                    if isinstance(event, ClientProblem)]
        return '; '.join(problems)

    def _update(self, area: str) -> Update:
        changed = {name: tensor + np.float32(0.01) for name, tensor in self._tensors.items()}
        packed = pack(changed)
        return Update(self._model.federation, area, self._model.round, 20, ('imu',),
                      packed.schema, packed.checksum, packed.payload)

    def _genuine(self, kind: type) -> Message:
        return self._update(ATTACKED) if kind is Update else replace(
            self._model, round=self._model.round + self._rng.randrange(1, 9))

    def _sign(self, message: Message) -> Message:
        return sealed(message, self._signers[getattr(message, 'area', AGGREGATOR)])

    def _forged(self, kind: type) -> Iterator[Message]:
        """Yield messages without a genuine seal, or with one that belongs to other content."""
        rng, message = self._rng, self._genuine(kind)
        genuine = self._sign(message)
        name = getattr(message, 'area', AGGREGATOR)
        signature = bytearray(genuine.seal.signature)
        signature[rng.randrange(64)] ^= 1 << rng.randrange(8)
        other = rng.choice([
            {'federation': 'evil'}, {'round': rng.randrange(2**32)}, {'schema': '0' * 64},
            {'checksum': '0' * 64}, {'payload': rng.randbytes(rng.randrange(1000))},
            {'windows': 10**6} if kind is Update else {'config': '{}'}])
        yield rng.choice([
            message,
            replace(message, seal=self._thief[name].sign(message)),
            replace(message, seal=replace(
                self._thief[name].sign(message), key_id=genuine.seal.key_id)),
            replace(message, seal=replace(genuine.seal, signature=bytes(signature))),
            replace(message, seal=replace(genuine.seal, signature=rng.randbytes(64))),
            replace(message, seal=replace(genuine.seal, signature=rng.randbytes(rng.choice(
                [1, 63, 65, 4096])))),
            replace(message, seal=replace(genuine.seal, counter=2**64 - 1)),
            replace(message, seal=Seal('', 0, b'')),
            replace(genuine, **other)])

    def _replayed(self, kind: type) -> Iterator[Message]:
        """Yield genuine messages a second time; a model only after a newer one."""
        if kind is GlobalModel:
            yield from self._reordered(kind)
        yield self._rng.choice(self._sent[kind])

    def _reordered(self, kind: type) -> Iterator[Message]:
        """Deliver the later of two genuine messages, then yield the earlier one."""
        first = replace(self._update(OTHER), windows=self._rng.randrange(1, 99)) if (
            kind is Update) else self._model
        early, late = self._sign(first), self._sign(first)
        self._send(late)
        yield early

    def _foreign(self, kind: type) -> Iterator[Message]:
        """Yield messages of trusted keys that may not speak so, and of another federation."""
        rng, message = self._rng, self._genuine(kind)
        signers = [self._signers[name] for name in (OTHER, STRANGER)]
        elsewhere = self._sign(replace(message, federation=rng.randbytes(8).hex()))
        stranger = elsewhere
        if isinstance(message, Update):
            stranger = self._sign(replace(message, area=STRANGER))
        yield rng.choice([
            replace(message, seal=rng.choice(signers).sign(message)), elsewhere, stranger])

    def _malformed(self, kind: type) -> Iterator[Message]:
        """Yield messages with the genuine seal of their sender and content that cannot be used."""
        rng, message = self._rng, self._genuine(kind)
        if rng.random() < 0.5:
            packed = rng.choice(PAYLOADS)(rng, self._tensors)
            yield self._sign(replace(message, schema=packed.schema, checksum=packed.checksum,
                                     payload=packed.payload))
        elif isinstance(message, GlobalModel):
            yield self._sign(replace(message, config=_config(rng, self._model.config)))
        else:
            yield self._sign(replace(message, **rng.choice(_fields(rng))))


def _names_sender(message: Message, reason: str) -> bool:
    """Check for the area of an update; a model names its round and federation."""
    if isinstance(message, Update):
        return repr(message.area) in reason
    return f'model of round {message.round}' in reason and repr(message.federation) in reason


def _fields(rng: Random) -> list[dict[str, Any]]:
    return [
        {'windows': 0}, {'windows': 10**6 + rng.randrange(1, 10**9)},
        {'round': rng.randrange(1, 2**32)}, {'schema': rng.randbytes(32).hex()}, {'schema': ''}]


def _config(rng: Random, genuine: str) -> str:
    """Return a configuration that no trainer may take."""
    digits = '9' * rng.randrange(20, 5000)
    return rng.choice([
        '', '[' * rng.randrange(1, 60_000), '{"model":' * rng.randrange(1, 5000),
        genuine.replace('0.1', digits), genuine.replace('16', digits),
        genuine.replace('0.1', rng.choice(['NaN', 'Infinity', '1e999', 'null', '"x"'])),
        genuine.replace('gating', rng.choice(['', '../x', 'os.system', 'x' * 5000])),
        genuine.replace('"width":16', f'"width":{rng.choice([1024, 17, -16, 0])}'),
        genuine.replace('["camera","ftm","imu"]', rng.choice(['[[]]', '{}', '["x"]', '[1]'])),
        genuine[:rng.randrange(len(genuine))], genuine + rng.choice('x[{'),
        '\x00' * rng.randrange(1, 99), '"\ud800"', rng.choice(['1', 'null', '[]', '{}'])])


def _damaged(rng: Random, tensors: Tensors) -> Packed:
    """Return weights of which one tensor does not belong."""
    changed: dict[str, Any] = dict(tensors)
    name = rng.choice(sorted(changed))
    tensor = changed[name]
    kind = rng.randrange(4)
    if kind == 0:
        changed[name] = np.full_like(tensor, rng.choice([np.nan, np.inf, -np.inf]))
    elif kind == 1:
        changed[name] = np.zeros((*tensor.shape, 2), np.float32)
    elif kind == 2:
        changed[f'{name}.more'] = tensor
    else:
        changed[name] = np.full_like(tensor, rng.choice([3e38, 1e30]))
        changed['far'] = tensor
    return pack(changed)


def _garbage(rng: Random, tensors: Tensors) -> Packed:
    """Return bytes that are no weights, under the schema of genuine ones."""
    genuine = pack(tensors).payload
    header = rng.randrange(2**63).to_bytes(8, 'little')
    payload = rng.choice([
        b'', rng.randbytes(rng.randrange(2000)), genuine[:rng.randrange(len(genuine))],
        header + genuine[8:], genuine[:8] + b'[' * (len(genuine) - 8),
        (2**16).to_bytes(8, 'little') + b'{"a":' * 2**14])
    return replace(pack({}), schema=schema_of(tensors), payload=payload,
                   checksum=checksum_of(payload))


PAYLOADS: tuple[Payload, ...] = (_damaged, _garbage)
