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

"""Seals: genuine ones pass once, everything else is refused with a sentence."""

import random
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from utt_ros.errors import ModelError, SignatureRefused
from utt_ros.federation.keys import AGGREGATOR, KeyFolder
from utt_ros.federation.settings import SigningSettings
from utt_ros.federation.signing import (
    SIGNED_KINDS,
    KeySigner,
    NullSigner,
    NullVerifier,
    SealVerifier,
    make_signer,
    make_verifier,
    sealed,
    statement,
)
from utt_ros.federation.types import (
    Deployment,
    GlobalModel,
    RoundStatus,
    Seal,
    TaskDeployment,
    TwinHandover,
    Update,
)
from utt_ros.federation.wire import checksum_of

CHECKSUM = checksum_of(b'weights')
UPDATE = Update('fed', 'hall', 3, 20, ('camera', 'imu'), 's' * 64, CHECKSUM, b'weights')
MODEL = GlobalModel('fed', 3, '{"model":{}}', 's' * 64, CHECKSUM, b'weights')
DEPLOYMENT = Deployment('hall', 'fed', 3, '{}', b'graph')
STATUS = RoundStatus('fed', 3, 'waiting', 1, 1.0, {}, {}, 0, 0, 0.0)
TASK_TWIN = TaskDeployment(
    'hall', 'hall_tracking_2', ('camera', 'ftm'), 'imu', 'fed', 3, '{}', (0.1, 2.0), b'graph')
HANDOVER = TwinHandover('hall', '{"area":"stairs"}', '{}', 0.3, CHECKSUM, b'weights')
ITEMS = (UPDATE, MODEL, DEPLOYMENT, STATUS, TASK_TWIN, HANDOVER)
UNSIGNED: dict[type, set[str]] = {
    # In RoundStatus.msg, shown only: what areas act on is signed
    RoundStatus: {'quorum', 'deadline_s', 'accepted', 'refused', 'suspected', 'bytes_received',
                  'bytes_sent', 'duration_s'},
}
MESSAGES = Path(__file__).parents[2] / 'msg'
OTHER_VALUES: dict[type, Any] = {str: 'other', int: 7, float: 7.0, tuple: ()}


@pytest.fixture
def keys(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / 'keys')


@pytest.fixture
def signer_of(keys: KeyFolder) -> Callable[[Any], KeySigner]:
    signers = {name: KeySigner(keys, name) for name in ('hall', 'stairs', AGGREGATOR)}
    return lambda item: signers[getattr(item, 'area', AGGREGATOR)]


@pytest.fixture
def verifier(keys: KeyFolder) -> SealVerifier:
    return SealVerifier(keys)


@pytest.mark.parametrize('item', ITEMS, ids=lambda item: type(item).__name__)
def test_genuine_item_passes_and_its_replay_is_refused(
    item: Any, signer_of: Callable[[Any], KeySigner], verifier: SealVerifier,
) -> None:
    seal = signer_of(item).sign(item)
    verifier.verify(item, seal)
    with pytest.raises(SignatureRefused, match='it is a replay'):
        verifier.verify(item, seal)


@pytest.mark.parametrize('item', [MODEL, DEPLOYMENT, TASK_TWIN, HANDOVER],
                         ids=lambda item: type(item).__name__)
def test_older_item_is_a_replay_after_a_restart_too_and_the_newest_may_be_repeated(
    item: Any, keys: KeyFolder, signer_of: Callable[[Any], KeySigner],
) -> None:
    old, new = (signer_of(item).sign(item) for _ in range(2))
    SealVerifier(keys, receiver='/stairs/trainer').verify(item, new)
    again = SealVerifier(keys, receiver='/stairs/trainer')
    for _ in range(2):
        again.verify(item, new, repeated=True)
        for seal, repeated in ((old, True), (old, False), (new, False)):
            with pytest.raises(SignatureRefused, match='it is a replay'):
                again.verify(item, seal, repeated=repeated)
    SealVerifier(keys, receiver='/hall/twin').verify(item, old)
    again.verify(item, signer_of(item).sign(item))


def test_new_key_of_a_sender_whose_clock_was_ahead_begins_anew(keys: KeyFolder) -> None:
    ahead = KeySigner(keys, 'hall', clock_ns=lambda: 2**62).sign(DEPLOYMENT)
    SealVerifier(keys, receiver='/hall/twin').verify(DEPLOYMENT, ahead)
    for suffix in ('key', 'counter'):
        (keys.folder / f'hall.{suffix}').unlink()
    new = KeySigner(keys, 'hall').sign(DEPLOYMENT)
    verifier = SealVerifier(keys, receiver='/hall/twin')
    verifier.verify(DEPLOYMENT, new)
    with pytest.raises(SignatureRefused, match='not a trusted key'):
        verifier.verify(DEPLOYMENT, ahead)


def test_task_twins_of_an_area_are_delivered_again_in_any_order_after_a_restart(
    keys: KeyFolder, signer_of: Callable[[Any], KeySigner],
) -> None:
    twins = [replace(TASK_TWIN, id=f'hall_tracking_{number}') for number in range(2, 5)]
    seals = [signer_of(twin).sign(twin) for twin in twins]
    for _ in range(2):
        verifier = SealVerifier(keys, receiver='/hall/twin')
        for twin, seal in zip(reversed(twins), reversed(seals), strict=True):
            verifier.verify(twin, seal, repeated=True)


@pytest.mark.parametrize(('item', 'name'), [
    (item, name) for item in ITEMS for name in SIGNED_KINDS[type(item)].fields])
def test_every_signed_field_is_bound(
    item: Any, name: str, signer_of: Callable[[Any], KeySigner], verifier: SealVerifier,
) -> None:
    seal = signer_of(item).sign(item)
    changed = replace(item, **{name: OTHER_VALUES[type(getattr(item, name))]})
    with pytest.raises(SignatureRefused):
        verifier.verify(changed, seal)
    verifier.verify(item, seal)


@pytest.mark.parametrize('kind', SIGNED_KINDS)
def test_every_field_is_signed_or_known_not_to_be(kind: type) -> None:
    signed = SIGNED_KINDS[kind]
    held = {item.name for item in fields(kind)} - {'seal', signed.payload}
    assert held - set(signed.fields) == UNSIGNED.get(kind, set())


@pytest.mark.parametrize(('kind', 'message'), [
    (Update, 'ModelUpdate'), (GlobalModel, 'GlobalModel')])
def test_every_field_of_a_message_is_signed_or_the_seal(kind: type, message: str) -> None:
    lines = (MESSAGES / f'{message}.msg').read_text().splitlines()
    sent = {line.split()[1] for line in lines if line and not line.startswith('#')}
    seal = {'key_id', 'counter', 'signature'}
    assert sent == {*SIGNED_KINDS[kind].fields, 'payload', 'header', *seal}


def test_seal_of_one_kind_is_none_of_another(
    signer_of: Callable[[Any], KeySigner], verifier: SealVerifier,
) -> None:
    seal = signer_of(UPDATE).sign(UPDATE)
    with pytest.raises(SignatureRefused, match='its signature is not that of'):
        verifier.verify(DEPLOYMENT, seal)


def test_an_area_cannot_speak_as_another_nor_as_the_aggregator(
    keys: KeyFolder, verifier: SealVerifier,
) -> None:
    thief = KeySigner(keys, 'stairs')
    KeySigner(keys, 'hall')
    for item in ITEMS:
        with pytest.raises(SignatureRefused, match='is not a trusted key of'):
            verifier.verify(item, thief.sign(item))


def test_an_area_named_like_the_aggregator_is_refused(
    keys: KeyFolder, verifier: SealVerifier,
) -> None:
    area = replace(UPDATE, area=AGGREGATOR)
    with pytest.raises(SignatureRefused, match='an area cannot be named'):
        verifier.verify(area, KeySigner(keys, AGGREGATOR).sign(area))


def test_stranger_with_a_key_of_the_same_name_is_refused(
    tmp_path: Path, verifier: SealVerifier, signer_of: Callable[[Any], KeySigner],
) -> None:
    stranger = KeySigner(KeyFolder(tmp_path / 'stranger'), 'hall')
    with pytest.raises(SignatureRefused, match="is not a trusted key of 'hall'"):
        verifier.verify(UPDATE, stranger.sign(UPDATE))
    borrowed = replace(stranger.sign(UPDATE), key_id=signer_of(UPDATE).key_id)
    with pytest.raises(SignatureRefused, match="its signature is not that of 'hall'"):
        verifier.verify(UPDATE, borrowed)


def test_older_item_after_a_newer_one_is_refused(
    signer_of: Callable[[Any], KeySigner], verifier: SealVerifier,
) -> None:
    seals = [signer_of(MODEL).sign(MODEL) for _ in range(3)]
    verifier.verify(MODEL, seals[1])
    for late in (seals[0], seals[1]):
        with pytest.raises(SignatureRefused, match='replay'):
            verifier.verify(MODEL, late)
    verifier.verify(MODEL, seals[2])


def test_newest_item_may_be_delivered_again_where_that_is_allowed(
    signer_of: Callable[[Any], KeySigner], verifier: SealVerifier,
) -> None:
    old, new = (signer_of(MODEL).sign(MODEL) for _ in range(2))
    verifier.verify(MODEL, new, repeated=True)
    verifier.verify(MODEL, new, repeated=True)
    with pytest.raises(SignatureRefused, match='replay'):
        verifier.verify(MODEL, old, repeated=True)
    with pytest.raises(SignatureRefused, match='is not that of'):
        verifier.verify(MODEL, replace(new, signature=b'x' * 64, counter=new.counter + 1))


def test_counters_grow_when_the_clock_goes_back_and_across_restarts(keys: KeyFolder) -> None:
    now = iter((1000, 900, 900, 5, 2000))
    first = KeySigner(keys, 'hall', lambda: next(now))
    counters = [first.sign(UPDATE).counter for _ in range(3)]
    again = KeySigner(keys, 'hall', lambda: next(now))
    counters += [again.sign(UPDATE).counter for _ in range(2)]
    assert counters == [1000, 1001, 1002, 1003, 2000]


def test_damaged_counter_is_replaced_by_the_clock(keys: KeyFolder) -> None:
    keys.counter_file('hall').write_bytes(b'garbage')
    assert KeySigner(keys, 'hall', lambda: 77).sign(UPDATE).counter == 77
    assert KeySigner(keys, 'hall', lambda: 0).sign(UPDATE).counter == 78


@pytest.mark.parametrize('change', [
    {'federation': 'f' * 70_000}, {'modalities': ('imu',) * 65}, {'modalities': ('m' * 65,)},
])
def test_fields_too_long_to_be_genuine_are_refused_before_the_signature(
    change: dict[str, Any], signer_of: Callable[[Any], KeySigner], verifier: SealVerifier,
) -> None:
    seal = signer_of(UPDATE).sign(UPDATE)
    with pytest.raises(SignatureRefused, match='too long to be signed'):
        verifier.verify(replace(UPDATE, **change), seal)


def test_unsigned_item_is_refused_and_names_its_claimed_sender(verifier: SealVerifier) -> None:
    with pytest.raises(SignatureRefused, match="it is not signed by 'hall'"):
        verifier.verify(UPDATE, UPDATE.seal)


def test_fields_cannot_be_shifted_into_each_other() -> None:
    left = replace(UPDATE, federation='a', schema='","b')
    right = replace(UPDATE, federation='a","b', schema='')
    assert statement(left, 1) != statement(right, 1)


@pytest.mark.parametrize('item', [UPDATE, MODEL, DEPLOYMENT], ids=lambda item: type(item).__name__)
def test_genuine_seal_around_another_payload_is_refused_and_does_not_stop_the_genuine_one(
    item: Any, signer_of: Callable[[Any], KeySigner], verifier: SealVerifier,
) -> None:
    seal = signer_of(item).sign(item)
    payload = SIGNED_KINDS[type(item)].payload
    with pytest.raises(SignatureRefused, match=r'its payload is not the one that .* signed'):
        verifier.verify(replace(item, **{payload: b'another'}), seal)
    verifier.verify(item, seal)


def test_payload_above_the_limit_is_refused_unread(
    keys: KeyFolder, signer_of: Callable[[Any], KeySigner],
) -> None:
    with pytest.raises(ModelError, match='payload has 7 bytes: at most 6 are allowed'):
        SealVerifier(keys, 6).verify(UPDATE, signer_of(UPDATE).sign(UPDATE))


@pytest.mark.parametrize('seed', range(4))
def test_random_seals_are_refused(
    seed: int, keys: KeyFolder, signer_of: Callable[[Any], KeySigner], verifier: SealVerifier,
) -> None:
    rng = random.Random(seed)
    genuine = signer_of(UPDATE).sign(UPDATE)
    for _ in range(100):
        signature = bytearray(genuine.signature)
        signature[rng.randrange(64)] ^= 1 << rng.randrange(8)
        seal = rng.choice([
            replace(genuine, signature=bytes(signature)),
            replace(genuine, signature=genuine.signature[:rng.randrange(64)]),
            replace(genuine, counter=genuine.counter + rng.randrange(1, 10**9)),
            replace(genuine, key_id=rng.randbytes(8).hex()),
            Seal(genuine.key_id, 2**64 - 1, rng.randbytes(64)),
        ])
        with pytest.raises(SignatureRefused):
            verifier.verify(UPDATE, seal)
    verifier.verify(UPDATE, genuine)


def test_settings_choose_signer_and_verifier(tmp_path: Path) -> None:
    signed = SigningSettings(keys=str(tmp_path / 'keys'))
    item = sealed(UPDATE, make_signer(signed, 'hall'))
    make_verifier(signed).verify(item, item.seal)
    unsigned = SigningSettings(signed=False, keys=str(tmp_path / 'none'))
    assert isinstance(make_signer(unsigned, 'hall'), NullSigner)
    assert isinstance(make_verifier(unsigned), NullVerifier)
    NullVerifier().verify(UPDATE, NullSigner().sign(UPDATE))
    assert not (tmp_path / 'none').exists()
