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

"""Federation server: from updates to the next model, without ROS, across errors and restarts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import ModelError
from utt_ros.federation.checkpoints import LOG, CheckpointStore, NullStore, read_round_log
from utt_ros.federation.client_messages import open_model
from utt_ros.federation.keys import KeyFolder
from utt_ros.federation.server import UNPROVEN, FederationServer, new_federation
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.signing import KeySigner, SealVerifier, sealed
from utt_ros.federation.types import Update
from utt_ros.federation.wire import pack, unpack

SECOND = 1_000_000_000
INITIAL = {'camera.w': np.zeros((2, 3), np.float32), 'imu.w': np.ones(4, np.float32)}
AREAS = ('north', 'south')


@pytest.fixture
def settings(tmp_path: Path) -> AggregatorSettings:
    return AggregatorSettings(areas=AREAS, quorum=1, deadline=10.0, state_dir=str(tmp_path / 's'),
                              screening=False)


@pytest.fixture
def store(settings: AggregatorSettings) -> CheckpointStore:
    return CheckpointStore(settings.state_path, settings.keep)


@pytest.fixture
def server(settings: AggregatorSettings, store: CheckpointStore) -> FederationServer:
    return FederationServer(settings, store, new_federation(store, '{}', INITIAL), 0)


def model_of(server: FederationServer) -> dict[str, np.ndarray]:
    return unpack(server.model.payload, server.model.checksum, 10**6)


def update_for(
    server: FederationServer, area: str, value: float, windows: int = 1,
    names: tuple[str, ...] = ('imu.w',),
) -> Update:
    packed = pack({name: np.full_like(INITIAL[name], value) for name in names})
    return Update(
        server.model.federation, area, server.model.round, windows, ('imu',),
        packed.schema, packed.checksum, packed.payload,
    )


def test_three_rounds_average_by_windows_and_leave_other_tensors(server: FederationServer) -> None:
    for round_ in range(3):
        assert server.model.round == round_
        assert server.receive(update_for(server, 'north', round_, windows=1), 0) is None
        assert server.step(0) is None
        assert server.receive(update_for(server, 'south', round_ + 4, windows=3), 0) is None
        closed = server.step(SECOND)
        assert closed is not None
        assert (closed.round, closed.state) == (round_, 'completed')
        assert closed.accepted == {'north': 1, 'south': 3}
        expected = np.average([round_, round_ + 4], weights=[1, 3])
        np.testing.assert_array_equal(model_of(server)['imu.w'], np.full(4, expected))
        np.testing.assert_array_equal(model_of(server)['camera.w'], INITIAL['camera.w'])
    assert server.model.round == 3


def test_a_compressed_change_leads_to_the_model_that_is_announced_with_it(
    settings: AggregatorSettings, store: CheckpointStore,
) -> None:
    begin = new_federation(store, '{}', INITIAL)
    server = FederationServer(replace(settings, compression='sign'), store, begin, 0)
    assert (server.model.compression, server.change) == ('sign', None)
    for round_ in range(3):
        before, checksum = server.tensors, server.model.checksum
        server.receive(update_for(server, 'north', round_ + 1), 0)
        server.receive(update_for(server, 'south', round_ + 1), 0)
        assert server.step(SECOND) is not None
        assert server.change is not None
        assert server.change.round == server.model.round == round_ + 1
        opened = open_model(server.change, 10**6, checksum, before)
        assert pack(opened).payload == server.model.payload
        assert server.status(SECOND).bytes_sent == len(server.change.payload)


def test_a_killed_server_goes_on_with_what_its_changes_left_out(
    settings: AggregatorSettings, store: CheckpointStore,
) -> None:
    coded = replace(settings, compression='sign')

    def close_round(server: FederationServer) -> None:
        for area, value in (('north', 0.3), ('south', 0.9)):
            server.receive(update_for(server, area, value + server.model.round), 0)
        assert server.step(SECOND) is not None

    begin = new_federation(store, '{}', INITIAL)
    steady = FederationServer(coded, NullStore(), begin, 0)
    for _ in range(3):
        kept, _ = store.newest()
        assert kept is not None
        killed = FederationServer(coded, store, kept, 0)
        close_round(killed)
        close_round(steady)
    assert killed.change == steady.change
    assert killed.model == steady.model


def test_the_order_of_arrival_does_not_change_the_model(settings: AggregatorSettings) -> None:
    models = []
    for turn, areas in enumerate((AREAS, AREAS[::-1])):
        store = CheckpointStore(settings.state_path / str(turn), settings.keep)
        server = FederationServer(settings, store, new_federation(store, '{}', INITIAL), 0)
        for area in areas:
            server.receive(update_for(server, area, 0.1 if area == 'north' else 0.7, 3), 0)
        server.step(0)
        models.append(server.model.payload)
    assert models[0] == models[1]


def test_an_invalid_update_is_refused_by_name_and_the_round_continues(
    server: FederationServer,
) -> None:
    reason = server.receive(update_for(server, 'north', np.nan), 0)
    assert reason == (
        "area 'north': 4 of the 4 values of tensor 'imu.w' are not finite: 0 are allowed"
    )
    assert server.receive(update_for(server, 'south', 3.0), 0) is None
    closed = server.step(0)
    assert closed is not None
    assert (closed.accepted, closed.refused) == ({'south': 1}, {'north': reason})
    np.testing.assert_array_equal(model_of(server)['imu.w'], np.full(4, 3.0))
    assert (server.accepted, server.refused) == (1, 1)


@pytest.mark.parametrize(('changes', 'message'), [
    ({'round': 1}, 'ahead, of round 1'),
    ({'federation': 'beef'}, "federation 'beef'"),
    ({'area': 'west'}, "'west' may not take part"),
    ({'area': 'no/area'}, "'no/area' is not a name of an area"),
    ({'area': 'x' * 1000}, 'is not a name of an area'),
    ({'payload': b'cut'}, 'payload has checksum'),
    ({'windows': 0}, 'claims 0 windows'),
])
def test_an_inconsistent_update_is_refused(
    server: FederationServer, changes: dict, message: str,
) -> None:
    reason = server.receive(replace(update_for(server, 'north', 2.0), **changes), 0)
    assert reason is not None
    assert message in reason
    assert len(reason) < 300
    assert server.step(10**6 * SECOND) is None


def test_the_second_update_of_an_area_is_refused(server: FederationServer) -> None:
    server.receive(update_for(server, 'north', 2.0), 0)
    reason = server.receive(update_for(server, 'north', 9.0), 0)
    assert reason == "area 'north' has already sent its update of round 0"
    server.step(10 * SECOND)
    np.testing.assert_array_equal(model_of(server)['imu.w'], np.full(4, 2.0))


def test_a_late_update_is_stale_and_its_area_is_awaited(server: FederationServer) -> None:
    late = update_for(server, 'south', 9.0)
    server.receive(update_for(server, 'north', 2.0), 0)
    assert server.step(10 * SECOND) is not None
    assert 'stale, of round 0' in (server.receive(late, 10 * SECOND) or '')
    server.receive(update_for(server, 'north', 2.0), 10 * SECOND)
    assert server.step(11 * SECOND) is None
    server.receive(update_for(server, 'south', 4.0), 11 * SECOND)
    assert server.step(11 * SECOND) is not None
    np.testing.assert_array_equal(model_of(server)['imu.w'], np.full(4, 3.0))


def restarted(settings: AggregatorSettings, store: CheckpointStore) -> FederationServer:
    store.close()
    again = CheckpointStore(settings.state_path, settings.keep)
    begin, _ = again.newest()
    assert begin is not None
    return FederationServer(settings, again, begin, 0)


def test_a_restart_resumes_federation_round_and_model(
    settings: AggregatorSettings, store: CheckpointStore, server: FederationServer,
) -> None:
    for area in AREAS:
        server.receive(update_for(server, area, 2.0), 0)
    server.step(0)
    server.receive(update_for(server, 'north', 5.0), 0)
    again = restarted(settings, store)
    assert again.model == server.model
    assert again.model.round == 1
    assert again.receive(update_for(server, 'north', 5.0), 0) is None


@pytest.mark.parametrize('name', ['fedadagrad', 'fedadam', 'fedyogi'])
def test_a_restart_does_not_change_the_steps_of_an_adaptive_server(
    settings: AggregatorSettings, name: str,
) -> None:
    models = []
    for stops in (False, True):
        folder = f'{settings.state_dir}{stops}'
        adaptive = replace(settings, server=name, areas=(), state_dir=folder)
        kept = CheckpointStore(adaptive.state_path, adaptive.keep)
        server = FederationServer(adaptive, kept, new_federation(kept, '{}', INITIAL), 0)
        for round_ in range(4):
            server.receive(update_for(server, 'north', 1.0 + round_), 0)
            assert server.step(10 * SECOND) is not None
            if stops:
                kept.close()
                kept = CheckpointStore(adaptive.state_path, adaptive.keep)
                begin, _ = kept.newest()
                assert begin is not None
                server = FederationServer(adaptive, kept, begin, 0)
        models.append(model_of(server))
    assert not np.array_equal(models[0]['imu.w'], INITIAL['imu.w'])
    np.testing.assert_array_equal(models[0]['imu.w'], models[1]['imu.w'])
    assert set(models[1]) == set(INITIAL)


def test_gates_weight_areas_by_the_modalities_of_their_updates(
    settings: AggregatorSettings, store: CheckpointStore,
) -> None:
    gated = replace(settings, weighting='gated', gates=('camera=0.9', 'imu=0.1'))
    server = FederationServer(gated, store, new_federation(store, '{}', INITIAL), 0)
    server.receive(update_for(server, 'north', 2.0), 0)
    server.receive(replace(update_for(server, 'south', 4.0), modalities=('camera',)), 0)
    server.step(0)
    np.testing.assert_allclose(model_of(server)['imu.w'], 0.1 * 2.0 + 0.9 * 4.0)


def test_a_round_is_screened_by_default_and_names_a_hostile_area(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / 'screened', 2)
    server = FederationServer(
        AggregatorSettings(quorum=5, deadline=0.0), store, new_federation(store, '{}', INITIAL), 0)
    for number in range(4):
        server.receive(update_for(server, f'area{number}', 1.1 + 0.1 * number), 0)
    server.receive(update_for(server, 'evil', -20.0, windows=1_000_000), 0)
    closed = server.step(0)
    assert closed is not None
    assert list(closed.suspected) == ['evil']
    assert server.suspected == 'evil'
    np.testing.assert_allclose(model_of(server)['imu.w'], 1.25, atol=1e-6)
    assert server.status(0).suspected == closed.suspected
    assert store.rounds() == [closed]


@pytest.mark.parametrize('choice', [
    {'weighting': 'gated'}, {'weighting': 'multi_krum'}, {'server': 'fedadam'}])
def test_screening_precedes_every_rule_and_server(tmp_path: Path, choice: dict) -> None:
    store = CheckpointStore(tmp_path / 'screened', 2)
    server = FederationServer(AggregatorSettings(quorum=5, deadline=0.0, **choice), store,
                              new_federation(store, '{}', INITIAL), 0)
    for number in range(4):
        server.receive(update_for(server, f'area{number}', 1.1 + 0.1 * number), 0)
    server.receive(update_for(server, 'evil', -20.0), 0)
    assert server.step(0) is not None
    assert server.suspected == 'evil'
    assert (model_of(server)['imu.w'] > 1.0).all()


def test_a_restart_awaits_the_areas_of_the_last_round(
    settings: AggregatorSettings, store: CheckpointStore, server: FederationServer,
) -> None:
    for area in AREAS:
        server.receive(update_for(server, area, 2.0), 0)
    server.step(0)
    again = restarted(replace(settings, areas=()), store)
    again.receive(update_for(again, 'north', 2.0), 0)
    assert again.step(0) is None
    again.receive(update_for(again, 'south', 2.0), 0)
    assert again.step(0) is not None


def test_a_restart_before_the_first_round_keeps_the_federation(
    settings: AggregatorSettings, store: CheckpointStore, server: FederationServer,
) -> None:
    assert restarted(settings, store).model == server.model


def test_a_damaged_log_is_reported_and_does_not_stop_the_federation(
    settings: AggregatorSettings, store: CheckpointStore, server: FederationServer,
) -> None:
    (settings.state_path / LOG).write_bytes(b'damaged\n')
    again = restarted(settings, store)
    assert 'line 1 is not a round' in again.problem
    assert again.model == server.model


def full_disk(_descriptor: int) -> None:
    raise OSError(28, 'No space left on device')


def test_a_full_disk_is_reported_and_does_not_stop_the_federation(
    store: CheckpointStore, server: FederationServer, monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as context:
        context.setattr('os.fsync', full_disk)
        server.receive(update_for(server, 'north', 2.0), 0)
        assert server.step(10 * SECOND) is not None
    assert server.model.round == 1
    assert 'the model of round 1 is not on disk' in server.problem
    server.receive(update_for(server, 'north', 2.0), 10 * SECOND)
    assert server.step(20 * SECOND) is not None
    assert server.problem == ''
    assert store.newest()[0].round == 2
    assert [entry.round for entry in read_round_log(store.folder)] == [1]


def test_the_log_has_every_round(server: FederationServer, store: CheckpointStore) -> None:
    for now in (0, 20 * SECOND):
        server.receive(update_for(server, 'north', np.inf), now)
        server.receive(update_for(server, 'south', 2.0, windows=5), now)
        server.step(now + SECOND)
    rounds = read_round_log(store.folder)
    assert [entry.round for entry in rounds] == [0, 1]
    assert rounds[1].accepted == {'south': 5}
    assert "tensor 'imu.w'" in rounds[1].refused['north']
    assert rounds[1].bytes_sent == len(server.model.payload)


def test_a_model_that_is_not_float32_is_refused_at_the_start(store: CheckpointStore) -> None:
    with pytest.raises(ModelError, match="tensor 'w' is float64"):
        new_federation(store, '{}', {'w': np.zeros(2)})


def test_a_federation_that_cannot_be_written_is_not_started(
    store: CheckpointStore, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('os.fsync', full_disk)
    with pytest.raises(ModelError, match=r'initial model cannot be written: .*No space left'):
        new_federation(store, '{}', INITIAL)


def test_current_round_is_written_again_on_request(
    server: FederationServer, store: CheckpointStore, monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.receive(update_for(server, 'north', 2.0), 0)
    server.step(20 * SECOND)
    path = store.folder / 'model-000001.safetensors'
    path.unlink()
    server.problem = 'the model of round 1 is not on disk: no space'
    assert server.save() == 'the model of round 1 is written'
    newest, problems = store.newest()
    assert newest is not None
    assert (newest.federation, newest.round, problems) == (server.model.federation, 1, [])
    np.testing.assert_array_equal(newest.tensors['imu.w'], np.full(4, 2.0))
    assert server.problem == ''

    def fail(*_: object) -> None:
        raise OSError('no space left on device')

    monkeypatch.setattr(store, 'save', fail)
    with pytest.raises(ModelError, match='round 1 cannot be written: no space left on device'):
        server.save()


@pytest.fixture
def keys(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / 'keys')


@pytest.fixture
def signed_server(
    settings: AggregatorSettings, store: CheckpointStore, keys: KeyFolder,
) -> FederationServer:
    begin = new_federation(store, '{}', INITIAL)
    return FederationServer(settings, store, begin, 0, SealVerifier(keys))


def test_forged_update_neither_counts_nor_keeps_the_area_from_the_round(
    signed_server: FederationServer, keys: KeyFolder,
) -> None:
    server, north = signed_server, KeySigner(keys, 'north')
    reason = server.receive(update_for(server, 'north', 99.0, windows=1_000_000), 0)
    assert reason == "an update in the name of 'north': it is not signed by 'north'"
    assert server.receive(sealed(update_for(server, 'north', 1.0), north), 0) is None
    status = server.status(0)
    assert (status.accepted, set(status.refused)) == ({'north': 1}, {UNPROVEN})
    assert not server.step(0), 'a forgery must not stand for the response of an awaited area'
    server.step(11 * SECOND)
    np.testing.assert_array_equal(model_of(server)['imu.w'], np.ones(4))


def test_replayed_update_is_refused_in_its_round_and_in_later_ones(
    signed_server: FederationServer, keys: KeyFolder,
) -> None:
    server, north = signed_server, KeySigner(keys, 'north')
    update = sealed(update_for(server, 'north', 1.0), north)
    assert server.receive(update, 0) is None
    assert 'it is a replay' in (server.receive(update, 0) or '')
    server.step(11 * SECOND)
    assert 'it is a replay' in (server.receive(update, 0) or '')
    assert server.status(0).accepted == {}


def test_proven_area_is_named_where_its_update_is_refused(
    signed_server: FederationServer, keys: KeyFolder,
) -> None:
    server = signed_server
    update = sealed(update_for(server, 'north', np.nan), KeySigner(keys, 'north'))
    assert 'not finite' in (server.receive(update, 0) or '')
    assert set(server.status(0).refused) == {'north'}


def test_payload_exchanged_below_a_genuine_signature_is_refused(
    signed_server: FederationServer, keys: KeyFolder,
) -> None:
    server = signed_server
    update = sealed(update_for(server, 'north', 1.0), KeySigner(keys, 'north'))
    other = update_for(server, 'north', 50.0)
    swapped = replace(update, payload=other.payload)
    assert 'its payload is not the one' in (server.receive(swapped, 0) or '')
    assert server.receive(update, 0) is None


def test_genuine_updates_of_other_federations_and_rounds_are_counted_as_strays(
    signed_server: FederationServer, keys: KeyFolder,
) -> None:
    server, north = signed_server, KeySigner(keys, 'north')
    server.receive(replace(update_for(server, 'north', 1.0), federation='evil'), 0)
    assert server.strays == 0, 'nobody proved to be there'
    server.receive(sealed(replace(update_for(server, 'north', 1.0), federation='evil'), north), 0)
    server.receive(sealed(replace(update_for(server, 'north', 1.0), round=7), north), 0)
    assert server.strays == 2
