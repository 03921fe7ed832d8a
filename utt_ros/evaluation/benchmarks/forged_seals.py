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

"""Hostile graphs, hand-overs, states of rounds and beliefs against the verifier of a node.

`forged_messages` sends updates and models to whole receivers. What these kinds lead to comes after
the verifier, so that nothing may pass it; it is made anew, as by a restart, among the messages.
"""

from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import numpy as np

from utt_ros.errors import ModelError
from utt_ros.evaluation.benchmarks.forged_messages import AttackTally
from utt_ros.federation.keys import AGGREGATOR, KeyFolder
from utt_ros.federation.signing import SIGNED_KINDS, KeySigner, SealVerifier, sender_of
from utt_ros.federation.types import (
    BeliefNotice,
    Deployment,
    RoundStatus,
    Seal,
    TaskDeployment,
    TwinHandover,
)
from utt_ros.federation.wire import checksum_of

AREA, OTHER = 'north', 'south'
RECEIVER = '/north/twin'
REPEATABLE = (Deployment, TaskDeployment)  # the newest may come again, after a new subscription
GENUINE: tuple[Callable[[Random], Any], ...] = (
    lambda rng: Deployment(AREA, 'fed', rng.randrange(99), '{}', rng.randbytes(99)),
    lambda rng: TaskDeployment(
        AREA, f'{AREA}_tracking_{rng.randrange(2, 9)}', ('ftm',), 'camera', 'fed', 3, '{}', (),
        rng.randbytes(99)),
    lambda rng: TwinHandover(
        AREA, f'{{"windows":{rng.randrange(99)}}}', '{}', 0.5, checksum_of(b'weights'),
        b'weights'),
    lambda rng: RoundStatus('fed', rng.randrange(99), 'completed', 1, 0.0, {}, {}, 0, 0, 0.0),
    lambda rng: BeliefNotice(AREA, rng.randbytes(99)))
Sealed = tuple[Any, Seal]


def attack_verifier(count: int, seed: int, folder: Path) -> list[AttackTally]:
    """Give a verifier `count` messages of each kind of attack. `folder` gets the keys."""
    stage = VerifierStage(folder, Random(seed))  # noqa: S311 - a benchmark repeats
    return [stage.tally(name, count) for name in stage.attacks]


class VerifierStage:
    """Verifier of a twin, with signers of its area, of another, and of a thief of their names."""

    def __init__(self, folder: Path, rng: Random) -> None:
        self._keys, self._rng = KeyFolder(folder / 'keys'), rng
        self._signers = {name: KeySigner(self._keys, name) for name in (AREA, OTHER, AGGREGATOR)}
        self._thief = {name: KeySigner(KeyFolder(folder / 'stolen'), name)
                       for name in (AREA, AGGREGATOR)}
        self._restart()
        self.attacks: dict[str, Callable[[Any], Sealed]] = {
            'forged (seal)': self._forged, 'replayed (seal)': self._replayed,
            'foreign (seal)': self._foreign, 'replayed (restart)': self._replayed_at_restart}

    def tally(self, attack: str, count: int) -> AttackTally:
        """Give the verifier `count` messages of one attack."""
        accepted = crashed = unnamed = 0
        times_ms: list[float] = []
        for number in range(count):
            item, seal = self.attacks[attack](GENUINE[number % len(GENUINE)](self._rng))
            begin_s = perf_counter()
            try:
                self._verify(item, seal)
                accepted += 1
            except ModelError as err:
                unnamed += repr(sender_of(item)) not in str(err)
            except Exception:  # noqa: BLE001 - what is looked for
                crashed += 1
            times_ms.append(1e3 * (perf_counter() - begin_s))
        p50_ms, p99_ms = np.percentile(times_ms, (50, 99)) if times_ms else (inf, inf)
        return AttackTally(attack, count, accepted, crashed, unnamed, float(p50_ms), float(p99_ms))

    def _restart(self) -> None:
        self._verifier = SealVerifier(self._keys, receiver=RECEIVER)

    def _verify(self, item: Any, seal: Seal) -> None:
        self._verifier.verify(item, seal, repeated=isinstance(item, REPEATABLE))

    def _sign(self, item: Any) -> Seal:
        return self._signers[sender_of(item)].sign(item)

    def _forged(self, item: Any) -> Sealed:
        """Return a seal that is not genuine, or belongs to another statement or payload."""
        rng, genuine, thief = self._rng, self._sign(item), self._thief[sender_of(item)]
        payload = SIGNED_KINDS[type(item)].payload
        other = {payload: b'other'} if payload else {'federation': 'evil'}
        return rng.choice([
            (item, thief.sign(item)),
            (item, replace(thief.sign(item), key_id=genuine.key_id)),
            (item, replace(genuine, signature=rng.randbytes(rng.choice([1, 64, 65, 4096])))),
            (item, replace(genuine, counter=genuine.counter + rng.randrange(1, 2**20))),
            (item, Seal('', 0, b'')),
            (replace(item, **other), genuine)])

    def _replayed(self, item: Any) -> Sealed:
        """Verify the later of two genuine seals, and return the earlier one."""
        early, late = self._sign(item), self._sign(item)
        self._verify(item, late)
        return item, early

    def _foreign(self, item: Any) -> Sealed:
        """Return the seal of a trusted key that may not speak for the sender."""
        return item, self._signers[OTHER].sign(item)

    def _replayed_at_restart(self, item: Any) -> Sealed:
        """Return an older seal to a verifier that was made anew after the newer one.

        A state or a belief, whose counters do not last, is replaced by a graph.
        """
        lasting = item if SIGNED_KINDS[type(item)].lasts else GENUINE[0](self._rng)
        replayed = self._replayed(lasting)
        self._restart()
        return replayed
