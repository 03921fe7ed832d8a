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

"""Two areas that learn and their aggregator, as processes, fed with synced samples over DDS."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from utt_ros.msg import GlobalModel, ModelUpdate, RoundStatus, SyncedSamples

from utt_ros.bridge.messages.federation import (
    model_from_message,
    model_to_message,
    round_status_to_message,
    update_from_message,
    update_to_message,
)
from utt_ros.bridge.messages.sensors import samples_to_message
from utt_ros.bridge.node.qos import COLLECTED, RELIABLE, STATE
from utt_ros.bridge.node.round_publishers import CHANGE_TOPIC
from utt_ros.federation import types
from utt_ros.federation.checkpoints import (
    LOG,
    list_checkpoints,
    read_checkpoint,
    read_round_log,
)
from utt_ros.federation.compression import unpack_change
from utt_ros.federation.keys import AGGREGATOR, KeyFolder
from utt_ros.federation.server import UNPROVEN
from utt_ros.federation.signing import KeySigner, sealed
from utt_ros.federation.wire import Packed, pack, unpack
from utt_ros.types import SyncedBatch

ROOT = Path(__file__).parents[2]
PERIOD_NS = 100_000_000
BEGIN_NS = 1_800_000_000 * 10**9  # on a whole number of blocks, so the first ones are for training
IMU_ROWS = 2
SHAPE = {'ticks': 8, 'horizon': 4, 'imu_rows': IMU_ROWS}
MODEL = {'model.width': 16, 'model.heads': 2, 'model.feedforward': 16}
AREAS = {'north': ['camera', 'ftm', 'imu'], 'south': ['ftm', 'imu']}
FORGED_ROUND, FORGED_WINDOWS = 7, 1_000_000
LEARNING = {'local_steps': 3, 'min_windows': 16, 'window_stride': 1, 'batch': 16}


class Federation:
    """Its processes, by name of the area; the aggregator's is 'utt'."""

    def __init__(self, folder: Path, rounds: int, **aggregator: object) -> None:
        self._processes: dict[str, subprocess.Popen] = {}
        self._commands = {'utt': command('aggregator', 'utt', {
            'state_dir': folder / 'aggregator', 'areas': list(AREAS), 'deadline': 100.0,
            'keys': folder / 'keys', 'max_rounds': rounds, 'screening': False, **SHAPE, **MODEL,
            **aggregator,
        })}
        for area, modalities in AREAS.items():
            self._commands[area] = command('trainer', area, {
                'area': area, 'modalities': modalities, 'state_dir': folder / area,
                'keys': folder / 'keys',
                **SHAPE, **LEARNING,
            })

    def start(self, *names: str) -> None:
        for name in names or self._commands:
            self._processes[name] = subprocess.Popen(self._commands[name], cwd=ROOT)

    def kill(self, *names: str) -> None:
        for name in names or self._processes:
            self._processes[name].kill()
            self._processes[name].wait()


def command(name: str, area: str, parameters: dict[str, object]) -> list[str]:
    module = f'utt_ros.nodes.{name}_node'
    words = [sys.executable, '-m', module, '--ros-args', '-r', f'__ns:=/{area}']
    for key, value in parameters.items():
        words += ['-p', f'{key}:={value}']
    return words


@pytest.fixture
def federation(ros_domain: int, tmp_path: Path) -> Iterator[Federation]:
    made = Federation(tmp_path, rounds=2)
    yield made
    made.kill()


@pytest.fixture
def compressed(ros_domain: int, tmp_path: Path) -> Iterator[Federation]:
    made = Federation(tmp_path, rounds=4, compression='sign')
    yield made
    made.kill()


@pytest.fixture
def feeder(ros: int, rng: np.random.Generator) -> Iterator['Feeder']:
    made = Feeder(rng)
    yield made
    made.close()


def sample(tick: int, modalities: list[str], rng: np.random.Generator) -> SyncedBatch:
    """Two people who walk across the view; what an area has no sensor for is masked."""
    x = 300.0 + 200.0 * np.sin(0.05 * tick + np.arange(2))
    ones, seen = np.ones(2), np.full(2, 'camera' in modalities)
    camera = np.stack([x, 360 * ones, 5 * ones, 80 * ones, 200 * ones], 1) * seen[:, None]
    imu = rng.normal(size=(2, IMU_ROWS, 9))
    imu[..., 2] += 9.8
    imu[..., 6:] = [2e-5, 0.0, -4e-5]
    return SyncedBatch(
        stamp_ns=BEGIN_NS + tick * PERIOD_NS, epoch=0, sequence=tick, camera_tick=bool(seen[0]),
        subjects=('anna', 'ben'), track_ids=('1', '2') if seen[0] else ('', ''),
        association=np.float32(seen), camera=np.float32(camera), camera_mask=seen,
        ftm=np.float32(np.stack([5 + 0.001 * x, 0.3 * ones], 1)),
        ftm_age_s=np.zeros(2, np.float32), ftm_mask=np.ones(2, bool),
        imu=np.float32(imu), imu_mask=np.ones((2, IMU_ROWS), bool),
    )


class Feeder:
    """Publishes the areas' samples, and keeps every model and update."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.models: dict[int, types.GlobalModel] = {}
        self.changes: dict[int, types.GlobalModel] = {}
        self.updates: dict[tuple[str, int], types.Update] = {}
        self._rng = rng
        self._tick = 0
        self._node = node = Node('feeder')
        self._samples = {
            area: node.create_publisher(SyncedSamples, f'/{area}/synced', RELIABLE)
            for area in AREAS
        }
        node.create_subscription(GlobalModel, '/utt/model', self._on_model, COLLECTED)
        node.create_subscription(GlobalModel, CHANGE_TOPIC, self._on_change, RELIABLE)
        node.create_subscription(ModelUpdate, '/utt/updates', self._on_update, COLLECTED)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)

    def _on_model(self, message: GlobalModel) -> None:
        self.models[message.round] = model_from_message(message)

    def _on_change(self, message: GlobalModel) -> None:
        self.changes[message.round] = model_from_message(message)

    def readers_of_models(self) -> int:
        """Return how many others subscribe to whole models."""
        return self._node.count_subscribers('/utt/model') - 1

    def _on_update(self, message: ModelUpdate) -> None:
        if message.windows < FORGED_WINDOWS:
            self.updates[message.area, message.round] = update_from_message(message)

    def step(self) -> None:
        for area, modalities in AREAS.items():
            message = samples_to_message(sample(self._tick, modalities, self._rng), area)
            self._samples[area].publish(message)
        self._tick += 1
        self._executor.spin_once(timeout_sec=0.02)

    def close(self) -> None:
        self._executor.shutdown()
        self._node.destroy_node()


def test_two_areas_with_different_sensors_complete_two_rounds(
    tmp_path: Path, federation: Federation, feeder: Feeder, wait_until: Callable,
) -> None:
    federation.start()
    wait_until(lambda: set(feeder.models) == {0, 1, 2}, 100.0, feeder.step)
    wait_until(lambda: len(feeder.updates) >= 4, 30.0, feeder.step)

    weights = {round_: unpack(model.payload, model.checksum, 2**24)
               for round_, model in feeder.models.items()}
    sent = {key: unpack(update.payload, update.checksum, 2**24)
            for key, update in feeder.updates.items()}
    for round_ in range(2):
        for name, tensor in weights[round_ + 1].items():
            senders = [(area, round_) for area in AREAS if name in sent[area, round_]]
            expected = weights[round_][name] if not senders else np.average(
                [sent[key][name] for key in senders], axis=0,
                weights=[float(feeder.updates[key].windows) for key in senders],
            ).astype(np.float32)
            np.testing.assert_array_equal(tensor, expected, err_msg=name)
    assert any('camera' in name for name in sent['north', 0])
    assert not any('camera' in name for name in sent['south', 0])
    assert any(not np.array_equal(weights[2][name], weights[0][name]) for name in weights[0])
    rounds = read_round_log(tmp_path / 'aggregator')
    assert [(sorted(entry.accepted), entry.refused) for entry in rounds] == [
        (['north', 'south'], {}), (['north', 'south'], {}),
    ]


def test_killed_area_and_aggregator_resume(
    tmp_path: Path, federation: Federation, feeder: Feeder, wait_until: Callable,
) -> None:
    federation.start()
    wait_until(lambda: 1 in feeder.models, 100.0, feeder.step)
    federation.kill('south', 'utt')
    known = len(read_round_log(tmp_path / 'aggregator'))
    federation.start('utt', 'south')
    wait_until(lambda: 2 in feeder.models, 100.0, feeder.step)
    assert known >= 1
    assert len({model.federation for model in feeder.models.values()}) == 1
    rounds = read_round_log(tmp_path / 'aggregator')
    assert [entry.round for entry in rounds] == [0, 1]
    assert sorted(rounds[1].accepted) == ['north', 'south']


def test_in_a_compressed_federation_only_an_area_that_starts_receives_a_model_whole(
    tmp_path: Path, compressed: Federation, feeder: Feeder, wait_until: Callable,
) -> None:
    compressed.start()
    wait_until(lambda: {1, 2} <= feeder.changes.keys() & feeder.models, 100.0, feeder.step)
    wait_until(lambda: feeder.readers_of_models() == 0, 30.0, feeder.step)
    compressed.kill('south', 'utt')
    compressed.start('utt', 'south')
    wait_until(lambda: 4 in feeder.models and 4 in feeder.changes, 100.0, feeder.step)
    wait_until(lambda: feeder.readers_of_models() == 0, 30.0, feeder.step)
    assert len({model.federation for model in feeder.models.values()}) == 1
    rounds = read_round_log(tmp_path / 'aggregator')
    assert [sorted(entry.accepted) for entry in rounds] == 4 * [['north', 'south']]
    for (_, round_), update in feeder.updates.items():
        assert (update.compression, update.base) == ('sign', feeder.models[round_].checksum)
        assert 15 * len(update.payload) < len(feeder.models[round_].payload)
    for round_, change in feeder.changes.items():
        before = feeder.models[round_ - 1]
        assert change.base == before.checksum
        opened = unpack_change(change.payload, change.checksum, 2**24,
                               unpack(before.payload, before.checksum, 2**24), 'sign')
        assert pack(opened).payload == feeder.models[round_].payload
        assert 15 * len(change.payload) < len(before.payload)


Attack = tuple[Publisher, object]
STAMP = Time()


class Attacker:
    """Forges, replays and imitates what a federation sends, with a key that nobody trusts."""

    def __init__(self, feeder: Feeder, folder: Path) -> None:
        self.sent = 0
        self._attacks: list[Attack] = []
        self._feeder = feeder
        self._node = node = Node('attacker')
        keys = KeyFolder(folder)
        self._signers = {name: KeySigner(keys, name) for name in (*AREAS, AGGREGATOR)}
        self._updates = node.create_publisher(ModelUpdate, '/utt/updates', COLLECTED)
        self._models = node.create_publisher(GlobalModel, '/utt/model', STATE)
        self._rounds = [node.create_publisher(RoundStatus, topic, RELIABLE)
                        for topic in ('/utt/rounds', '/utt/round_state')]

    def step(self) -> None:
        """Feed once; then send the next attack on the newest model and updates."""
        self._feeder.step()
        if not self._feeder.models:
            return
        if not self._attacks:
            self._attacks = [*self._forged_updates(), *self._replays(), *self._forged_models()]
        publisher, message = self._attacks.pop()
        publisher.publish(message)
        self.sent += 1

    def _forged_updates(self) -> Iterator[Attack]:
        model, payload = self._model(), self._payload()
        for area in AREAS:
            forged = types.Update(
                model.federation, area, model.round, FORGED_WINDOWS, ('imu',), payload.schema,
                payload.checksum, payload.payload)
            borrowed = [update.seal for (name, _), update in self._feeder.updates.items()
                        if name == area][-1:]
            for seal in (types.UNSEALED, self._signers[area].sign(forged), *borrowed):
                yield self._updates, update_to_message(replace(forged, seal=seal), STAMP)

    def _replays(self) -> Iterator[Attack]:
        for genuine in list(self._feeder.updates.values())[:2]:
            yield self._updates, update_to_message(genuine, STAMP)

    def _forged_models(self) -> Iterator[Attack]:
        model, payload, signer = self._model(), self._payload(), self._signers[AGGREGATOR]
        for federation in (model.federation, 'evil'):
            other = replace(model, federation=federation, round=FORGED_ROUND,
                            checksum=payload.checksum, payload=payload.payload)
            yield self._models, model_to_message(sealed(other, signer), STAMP)
            yield self._models, model_to_message(replace(other, config='[' * 10**5), STAMP)
        over = types.RoundStatus(
            model.federation, model.round, 'completed', 1, 0.0, {}, {}, 0, 0, 0.0)
        for publisher in self._rounds:
            yield publisher, round_status_to_message(over, STAMP, signer.sign(over))

    def _model(self) -> types.GlobalModel:
        models = self._feeder.models
        return models[max(round_ for round_ in models if round_ < FORGED_ROUND)]

    def _payload(self) -> Packed:
        model = self._model()
        tensors = unpack(model.payload, model.checksum, 2**24)
        return pack({name: np.full_like(tensor, 9.0) for name, tensor in tensors.items()})

    def close(self) -> None:
        self._node.destroy_node()


@pytest.fixture
def attacker(feeder: Feeder, tmp_path: Path) -> Iterator[Attacker]:
    made = Attacker(feeder, tmp_path / 'keys_of_a_stranger')
    yield made
    made.close()


def test_forged_and_replayed_messages_change_nothing_and_are_named(
    tmp_path: Path, federation: Federation, feeder: Feeder, attacker: Attacker,
    wait_until: Callable,
) -> None:
    federation.start()
    ended = lambda: len(read_log(tmp_path)) == 2  # noqa: E731
    wait_until(ended, 110.0, attacker.step)
    rounds = read_log(tmp_path)
    assert attacker.sent >= 100
    assert [sorted(entry.accepted) for entry in rounds] == [['north', 'south']] * 2
    assert [set(entry.refused) for entry in rounds] == [{UNPROVEN}] * 2
    assert all('an update in the name of' in entry.refused[UNPROVEN] for entry in rounds)
    for path in list_checkpoints(tmp_path / 'aggregator'):
        for name, tensor in read_checkpoint(path).tensors.items():
            assert float(np.abs(tensor).max()) < 8.0, f'{path.name}: {name} has forged values'


def read_log(folder: Path) -> list[types.RoundStatus]:
    state = folder / 'aggregator'
    return read_round_log(state) if (state / LOG).exists() else []
