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

"""Gate of a trainer: genuine models of one federation pass, and nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest

from utt_ros.errors import ModelError
from utt_ros.federation.keys import AGGREGATOR, KeyFolder
from utt_ros.federation.model_gate import MAX_REASON, ModelGate
from utt_ros.federation.signing import KeySigner, SealVerifier, sealed
from utt_ros.federation.types import GlobalModel, RoundStatus
from utt_ros.federation.wire import checksum_of

MODEL = GlobalModel('fed', 3, '{}', 's' * 64, checksum_of(b'weights'), b'weights')
STATUS = RoundStatus('fed', 3, 'completed', 1, 0.0, {}, {}, 0, 0, 0.0)


@pytest.fixture
def keys(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / 'keys')


@pytest.fixture
def aggregator(keys: KeyFolder) -> KeySigner:
    return KeySigner(keys, AGGREGATOR)


@pytest.fixture
def gate(keys: KeyFolder) -> ModelGate:
    return ModelGate('', 100, SealVerifier(keys))


def test_genuine_model_passes_also_when_it_is_delivered_again(
    gate: ModelGate, aggregator: KeySigner,
) -> None:
    model = sealed(MODEL, aggregator)
    assert gate.admit(model)
    assert gate.admit(model)
    assert gate.refused == 0


def test_change_passes_where_the_area_has_its_base_and_overtakes_the_whole_model(
    gate: ModelGate, aggregator: KeySigner,
) -> None:
    change = sealed(replace(MODEL, base='b' * 64), aggregator)
    whole = sealed(MODEL, aggregator)
    assert gate.admit(whole)
    assert not gate.admit(change), 'signed before the whole model'
    gate.base = 'b' * 64
    newer = sealed(replace(MODEL, base='b' * 64, round=4), aggregator)
    assert gate.admit(newer)
    assert not gate.lacks_model(replace(STATUS, state='waiting', round=4))
    with pytest.raises(ModelError, match='it is a replay'):
        gate.admit(change)
    assert gate.refused == 1


def test_change_of_another_model_is_no_model_of_its_round(
    gate: ModelGate, aggregator: KeySigner,
) -> None:
    gate.base = 'a' * 64
    assert not gate.admit(sealed(replace(MODEL, base='b' * 64), aggregator))
    assert gate.lacks_model(replace(STATUS, state='waiting'))
    assert gate.refused == 0


def test_model_of_another_federation_is_refused_after_the_first_is_used(
    gate: ModelGate, aggregator: KeySigner,
) -> None:
    gate.join('fed')
    gate.join('evil')
    gate.admit(sealed(MODEL, aggregator))
    with pytest.raises(ModelError, match="of 'evil' is refused: this area belongs to 'fed'"):
        gate.admit(sealed(replace(MODEL, federation='evil'), aggregator))
    assert (gate.refused, 'start it anew' in gate.refusal) == (1, True)


def test_given_federation_holds_from_the_start(keys: KeyFolder, aggregator: KeySigner) -> None:
    gate = ModelGate('fed', 100, SealVerifier(keys))
    with pytest.raises(ModelError, match='belongs to'):
        gate.admit(sealed(replace(MODEL, federation='other'), aggregator))
    gate.admit(sealed(MODEL, aggregator))


def test_older_model_after_a_newer_one_is_refused(
    gate: ModelGate, aggregator: KeySigner,
) -> None:
    old = sealed(MODEL, aggregator)
    gate.admit(sealed(replace(MODEL, round=4), aggregator))
    with pytest.raises(ModelError, match='it is a replay'):
        gate.admit(old)


def test_model_of_an_area_or_of_nobody_is_refused(gate: ModelGate, keys: KeyFolder) -> None:
    for model in (MODEL, sealed(MODEL, KeySigner(keys, 'hall'))):
        with pytest.raises(ModelError, match=r'is not (signed by|a trusted key of) .aggregator'):
            gate.admit(model)


def test_large_model_and_long_reason_are_cut(gate: ModelGate, aggregator: KeySigner) -> None:
    with pytest.raises(ModelError, match='payload has 101 bytes: at most 100 are allowed'):
        gate.admit(replace(MODEL, payload=bytes(101)))
    with pytest.raises(ModelError):
        gate.admit(replace(MODEL, federation='x' * 10**6))
    assert len(gate.refusal) <= MAX_REASON


def test_forged_end_of_a_round_is_not_believed(gate: ModelGate, aggregator: KeySigner) -> None:
    gate.join('fed')
    seal = aggregator.sign(STATUS)
    assert not gate.admits_status(STATUS, STATUS_SEAL)
    assert not gate.admits_status(replace(STATUS, round=9), seal)
    assert gate.admits_status(STATUS, seal)
    assert not gate.admits_status(STATUS, seal), 'a replay'


STATUS_SEAL = MODEL.seal


def test_open_round_lacks_its_model_until_that_has_come(
    gate: ModelGate, aggregator: KeySigner,
) -> None:
    open_round = replace(STATUS, state='waiting')
    assert gate.lacks_model(open_round)
    assert not gate.lacks_model(STATUS), 'a closed round needs none'
    with pytest.raises(ModelError):
        gate.admit(MODEL)
    assert gate.lacks_model(open_round)
    gate.admit(sealed(MODEL, aggregator))
    assert not gate.lacks_model(open_round)
    assert gate.lacks_model(replace(open_round, round=4))
    assert gate.lacks_model(replace(open_round, round=2)), 'an aggregator went back'
    assert gate.lacks_model(replace(open_round, federation='other'))
