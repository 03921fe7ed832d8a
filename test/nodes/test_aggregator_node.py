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

"""The aggregator over real DDS: it is a process, and so are the areas."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import zstandard
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from utt_ros.msg import GlobalModel, ModelUpdate, RoundStatus

from utt_ros.bridge.messages import federation
from utt_ros.bridge.node.qos import RELIABLE, STATE, collected_from
from utt_ros.federation import types
from utt_ros.federation.checkpoints import CheckpointStore, read_round_log
from utt_ros.federation.compression import ErrorFeedback
from utt_ros.federation.server import new_federation
from utt_ros.federation.wire import checksum_of, pack, unpack
from utt_ros.models.saved_model import ModelCard, code_version, write_saved_model
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.settings import WindowSettings

ROOT = Path(__file__).parents[2]
INITIAL = {'camera.w': np.zeros((40, 50), np.float32), 'imu.w': np.ones(1000, np.float32)}
MANY_AREAS = 400
Start = Callable[..., subprocess.Popen]


@pytest.fixture
def start(ros_domain: int) -> Iterator[Start]:
    """Start a Python process in the test's domain; it is killed at the end if it still runs."""
    processes = []

    def run(*arguments: object) -> subprocess.Popen:
        command = [sys.executable, *(str(argument) for argument in arguments)]
        processes.append(subprocess.Popen(command, cwd=ROOT))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Prepare a state folder with a small model of round 0, so no process loads torch."""
    store = CheckpointStore(tmp_path / 'state', keep=5)
    new_federation(store, dump_config(ModelSettings(), WindowSettings()), INITIAL)
    store.close()
    return store.folder


def start_aggregator(start: Start, state: Path, **parameters: object) -> subprocess.Popen:
    given = {'state_dir': state, 'deadline': 60.0, 'signed': False, **parameters}
    words = [word for name, value in given.items() for word in ('-p', f'{name}:={value}')]
    return start('-m', 'utt_ros.nodes.aggregator_node', '--ros-args', *words)


def start_trainer(start: Start, area: str, step: float, windows: int) -> subprocess.Popen:
    return start(Path(__file__).with_name('fake_trainer.py'), area, step, windows)


class Watcher:
    """Topics of the federation, as received by an area or an operator."""

    def __init__(self) -> None:
        self.node = Node('watcher')
        self.models: list[types.GlobalModel] = []
        self.statuses: list[types.RoundStatus] = []
        self.updates = self.node.create_publisher(
            ModelUpdate, '/utt/updates', collected_from(MANY_AREAS))
        self.node.create_subscription(GlobalModel, '/utt/model', self._on_model, STATE)
        self.node.create_subscription(RoundStatus, '/utt/rounds', self._on_status, RELIABLE)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)

    def _on_model(self, message: GlobalModel) -> None:
        self.models.append(federation.model_from_message(message))

    def _on_status(self, message: RoundStatus) -> None:
        self.statuses.append(federation.round_status_from_message(message))

    def spin(self) -> None:
        self._executor.spin_once(timeout_sec=0.05)

    def send(self, update: types.Update) -> None:
        stamp = self.node.get_clock().now().to_msg()
        self.updates.publish(federation.update_to_message(update, stamp))

    def answer(self, area: str, value: float) -> types.Update:
        """Make an update to the newest model."""
        packed = pack({'imu.w': np.full_like(INITIAL['imu.w'], value)})
        model = self.models[-1]
        return types.Update(
            model.federation, area, model.round, 5, ('imu',),
            packed.schema, packed.checksum, packed.payload,
        )

    def ready(self) -> bool:
        """Whether there is a model, and an update would arrive."""
        return bool(self.models) and self.updates.get_subscription_count() > 0

    def told(self, condition: Callable[[types.RoundStatus], object]) -> bool:
        """Whether the newest status is so."""
        return bool(self.statuses and condition(self.statuses[-1]))

    def closed(self) -> list[types.RoundStatus]:
        return [status for status in self.statuses if status.state == 'completed']

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()


@pytest.fixture
def watcher(ros: int) -> Iterator[Watcher]:
    made = Watcher()
    yield made
    made.close()


def tensors_of(model: types.GlobalModel) -> dict[str, np.ndarray]:
    return unpack(model.payload, model.checksum, 2**24)


def test_two_areas_complete_three_rounds_and_the_model_is_np_average(
    start: Start, state: Path, watcher: Watcher, wait_until: Callable,
) -> None:
    start_aggregator(start, state, areas="['north','south']", max_rounds=3, screening=False)
    start_trainer(start, 'north', 0.1, 100)
    start_trainer(start, 'south', 0.7, 300)
    wait_until(
        lambda: watcher.models and watcher.models[-1].round == 3, 30.0, watcher.spin,
    )
    expected = INITIAL
    for _ in range(3):
        expected = {
            name: np.average(
                [tensor + np.float32(0.1), tensor + np.float32(0.7)], axis=0, weights=[100, 300],
            ).astype(np.float32)
            for name, tensor in expected.items()
        }
    for name, tensor in tensors_of(watcher.models[-1]).items():
        np.testing.assert_array_equal(tensor, expected[name])
    rounds = read_round_log(state)
    assert [entry.accepted for entry in rounds] == [{'north': 100, 'south': 300}] * 3
    assert rounds[0].bytes_received == 2 * len(watcher.models[-1].payload)

    late = Watcher()
    wait_until(lambda: late.models, 30.0, late.spin)
    late.close()
    assert late.models == watcher.models[-1:]


def test_a_nan_update_is_refused_by_name_while_the_round_completes(
    start: Start, state: Path, watcher: Watcher, wait_until: Callable,
) -> None:
    start_aggregator(start, state, areas="['bad','good']")
    wait_until(watcher.ready, 30.0, watcher.spin)
    watcher.send(watcher.answer('bad', np.nan))
    watcher.send(watcher.answer('good', 3.0))
    wait_until(lambda: watcher.models[-1].round == 1, 30.0, watcher.spin)
    np.testing.assert_array_equal(tensors_of(watcher.models[-1])['imu.w'], np.full(1000, 3.0))
    wait_until(watcher.closed, 30.0, watcher.spin)
    closed = watcher.closed()[0]
    assert closed.accepted == {'good': 5}
    assert list(closed.refused) == ['bad']
    for part in ("'bad'", "'imu.w'", '1000 values', 'not finite', '0 are allowed'):
        assert part in closed.refused['bad']


def test_no_update_of_many_areas_is_lost_that_come_at_once_and_states_are_few(
    start: Start, state: Path, watcher: Watcher, wait_until: Callable,
) -> None:
    aggregator = start_aggregator(
        start, state, quorum=MANY_AREAS, max_areas=MANY_AREAS, deadline=3600.0)
    wait_until(watcher.ready, 30.0, watcher.spin)
    updates = [watcher.answer(f'area{number:03d}', 1.0) for number in range(MANY_AREAS)]
    aggregator.send_signal(signal.SIGSTOP)  # busy, as with the updates before
    for update in updates:
        watcher.send(update)
    aggregator.send_signal(signal.SIGCONT)
    wait_until(
        lambda: watcher.told(lambda status: len(status.accepted) == MANY_AREAS), 60.0,
        watcher.spin)
    assert not watcher.statuses[-1].refused
    assert len(watcher.statuses) <= watcher.statuses[-1].duration_s + 2  # not one per update


def test_no_bad_update_stops_the_aggregator(
    start: Start, state: Path, watcher: Watcher, wait_until: Callable,
) -> None:
    aggregator = start_aggregator(
        start, state, quorum=2, deadline=0.0, max_update_bytes=5000,
    )
    wait_until(watcher.ready, 30.0, watcher.spin)
    good = watcher.answer('north', 2.0)
    bad = {
        'liar': {'round': 9},
        'foreign': {'federation': 'beef'},
        'cut': {'payload': good.payload[:-1]},
        'wrong_sum': {'checksum': '0' * 64},
        'wrong_schema': {'schema': ''},
        'empty': {'payload': b''},
        'large': {'payload': bytes(6000)},
        'none': {'windows': 0},
        '': {},
        'no/name': {},
    }
    for area, changes in bad.items():
        watcher.send(replace(good, area=area, **changes))
    watcher.send(good)
    watcher.send(good)
    wait_until(
        lambda: watcher.told(lambda now: set(now.refused) == {*bad, 'north'}), 30.0, watcher.spin,
    )
    status = watcher.statuses[-1]
    assert (status.round, status.state, status.accepted) == (0, 'collecting', {'north': 5})
    assert 'already sent' in status.refused['north']
    watcher.send(replace(good, area='south'))
    wait_until(lambda: watcher.models[-1].round == 1, 30.0, watcher.spin)
    aggregator.send_signal(signal.SIGINT)
    assert aggregator.wait(30.0) == 0


def test_compressed_updates_are_averaged_and_malformed_ones_refused_by_name(
    start: Start, state: Path, watcher: Watcher, wait_until: Callable,
) -> None:
    start_aggregator(start, state, quorum=2, deadline=0.0, screening=False, compression='sign')
    wait_until(watcher.ready, 30.0, watcher.spin)
    model = watcher.models[-1]
    assert model.compression == 'sign'
    packed = ErrorFeedback().pack({'imu.w': np.full(1000, 3.0, np.float32)}, INITIAL, 'sign')
    good = types.Update(
        model.federation, 'north', 0, 5, ('imu',), packed.schema, packed.checksum,
        packed.payload, compression='sign', base=model.checksum)
    bomb = zstandard.compress(bytes(10**8))
    bad = {
        'cut': ({'payload': good.payload[:-1], 'checksum': checksum_of(good.payload[:-1])},
                'is not zstandard'),
        'bomb': ({'payload': bomb, 'checksum': checksum_of(bomb)}, 'decompresses to 100000000'),
        'old_base': ({'base': 'f' * 64}, "it changes model 'ffffffffffff'"),
        'no_base': ({'base': ''}, "it changes model ''"),
        'other': ({'compression': 'int8'}, "its compression is 'int8'"),
        'plain': ({'compression': 'none', 'base': ''}, 'is not safetensors'),
    }
    for area, (changes, _) in bad.items():
        watcher.send(replace(good, area=area, **changes))
    wait_until(lambda: watcher.told(lambda now: set(now.refused) == set(bad)), 30.0, watcher.spin)
    for area, (_, reason) in bad.items():
        assert reason in watcher.statuses[-1].refused[area]
    watcher.send(good)
    watcher.send(watcher.answer('south', 2.0))  # plain ones are accepted beside it
    wait_until(lambda: watcher.models[-1].round == 1, 30.0, watcher.spin)
    np.testing.assert_allclose(tensors_of(watcher.models[-1])['imu.w'], 2.5)
    wait_until(watcher.closed, 30.0, watcher.spin)
    sent = len(watcher.answer('south', 2.0).payload)
    refused = len(bomb) + 5 * len(good.payload) - 1
    assert watcher.closed()[0].bytes_received == len(good.payload) + sent + refused


def test_kill_9_within_a_round_resumes_federation_and_round(
    start: Start, state: Path, watcher: Watcher, wait_until: Callable,
) -> None:
    areas = {'areas': "['north','south']"}
    aggregator = start_aggregator(start, state, **areas)
    start_trainer(start, 'north', 0.1, 100)
    wait_until(watcher.ready, 30.0, watcher.spin)
    watcher.send(watcher.answer('south', 1.0))
    wait_until(lambda: watcher.models[-1].round == 1, 30.0, watcher.spin)
    in_round_1 = {'round': 1, 'accepted': {'north': 100}}
    wait_until(
        lambda: watcher.told(lambda now: replace(now, **in_round_1) == now), 30.0, watcher.spin,
    )
    before = watcher.models[-1]
    aggregator.kill()
    aggregator.wait()

    count = len(watcher.models)
    start_aggregator(start, state, **areas)
    wait_until(lambda: len(watcher.models) > count, 30.0, watcher.spin)
    assert watcher.models[-1] == before
    wait_until(watcher.ready, 30.0, watcher.spin)
    watcher.send(watcher.answer('south', 2.0))
    wait_until(lambda: watcher.models[-1].round == 2, 30.0, watcher.spin)
    assert watcher.models[-1].federation == before.federation
    assert read_round_log(state)[-1].accepted == {'north': 100, 'south': 5}


def test_an_area_that_restarts_within_a_round_does_not_count_twice(
    start: Start, state: Path, watcher: Watcher, wait_until: Callable,
) -> None:
    start_aggregator(start, state, areas="['north','south']")
    wait_until(watcher.ready, 30.0, watcher.spin)
    first = start_trainer(start, 'north', 0.1, 100)
    wait_until(lambda: watcher.told(lambda now: now.accepted), 30.0, watcher.spin)
    first.kill()
    start_trainer(start, 'north', 0.1, 100)
    wait_until(lambda: watcher.told(lambda now: 'north' in now.refused), 30.0, watcher.spin)
    watcher.send(watcher.answer('south', 1.0))
    wait_until(lambda: watcher.models[-1].round == 1, 30.0, watcher.spin)
    wait_until(watcher.closed, 30.0, watcher.spin)
    assert watcher.closed()[0].accepted == {'north': 100, 'south': 5}


def test_a_first_start_makes_a_model_and_the_aggregator_itself_never_loads_torch(
    start: Start, tmp_path: Path, watcher: Watcher, wait_until: Callable,
) -> None:
    aggregator = start_aggregator(start, tmp_path / 'new', seed=7)
    wait_until(lambda: watcher.models, 60.0, watcher.spin)
    assert watcher.models[0].round == 0
    process = psutil.Process(aggregator.pid)
    assert process.children() == []
    assert not [region.path for region in process.memory_maps() if 'torch' in region.path]
    aggregator.send_signal(signal.SIGTERM)
    assert aggregator.wait(30.0) == 0

    other = start_aggregator(start, tmp_path / 'other', seed=7)
    wait_until(lambda: len(watcher.models) > 1, 60.0, watcher.spin)
    assert watcher.models[1].payload == watcher.models[0].payload
    assert watcher.models[1].federation != watcher.models[0].federation
    other.send_signal(signal.SIGTERM)
    assert other.wait(30.0) == 0


def test_two_aggregators_of_one_domain_are_reported_on_diagnostics(
    start: Start, state: Path, watcher: Watcher, wait_until: Callable,
) -> None:
    told: list[str] = []

    def listen(message: DiagnosticArray) -> None:
        told.extend(status.message for status in message.status)

    watcher.node.create_subscription(DiagnosticArray, '/diagnostics', listen, RELIABLE)
    other = state.parent / 'other'
    shutil.copytree(state, other)
    start_aggregator(start, state)
    start_aggregator(start, other)
    wait_until(lambda: any(text.endswith('1 other aggregators publish /utt/model')
                           for text in told), 30.0, watcher.spin)
    assert told[-1].startswith('signed is false: anybody')


def test_model_is_shown_again_to_an_area_that_trains_another_one(
    start: Start, state: Path, watcher: Watcher, wait_until: Callable,
) -> None:
    start_aggregator(start, state, areas="['north','south']")
    wait_until(watcher.ready, 30.0, watcher.spin)
    stray = replace(watcher.answer('north', 1.0), federation='evil')
    for _ in range(5):
        watcher.send(stray)
    wait_until(lambda: watcher.told(lambda now: now.refused), 30.0, watcher.spin)
    wait_until(lambda: len(watcher.models) > 1, 30.0, watcher.spin)
    assert {model.checksum for model in watcher.models} == {watcher.models[0].checksum}
    assert len(watcher.models) == 2, 'once for all of them'
    watcher.send(watcher.answer('north', 1.0))
    wait_until(lambda: watcher.told(lambda now: now.accepted), 30.0, watcher.spin)


def test_deactivated_aggregator_completes_no_round_and_loses_no_update(
    start: Start, state: Path, watcher: Watcher, wait_until: Callable, operator,
) -> None:
    aggregator = start_aggregator(start, state, areas="['north','south']")
    wait_until(watcher.ready, 30.0, watcher.spin)
    watcher.send(watcher.answer('north', 1.0))
    wait_until(lambda: watcher.told(lambda now: now.accepted), 30.0, watcher.spin)
    assert operator.change('/aggregator', 'deactivate')
    wait_until(lambda: not watcher.updates.get_subscription_count(), 30.0, watcher.spin)
    watcher.send(watcher.answer('south', 3.0))
    silent = len(watcher.statuses)
    reports: list[str] = []
    watcher.node.create_subscription(
        DiagnosticArray, '/diagnostics', lambda now: reports.append(now.status[0].message),
        RELIABLE)
    wait_until(lambda: sum('not active' in each for each in reports) > 2, 30.0, watcher.spin)
    assert len(watcher.statuses) - silent <= 1  # one may have been under way
    assert len(watcher.models) == 1
    assert operator.change('/aggregator', 'activate')
    wait_until(watcher.closed, 30.0, watcher.spin)
    closed = watcher.closed()[0]
    assert (closed.accepted, closed.refused) == ({'north': 5, 'south': 5}, {})
    np.testing.assert_array_equal(tensors_of(watcher.models[-1])['imu.w'], np.full(1000, 2.0))
    assert operator.change('/aggregator', 'deactivate')
    aggregator.send_signal(signal.SIGINT)
    assert aggregator.wait(30.0) == 0


def test_aggregator_that_does_not_start_by_itself_publishes_no_model_before_its_activation(
    start: Start, state: Path, watcher: Watcher, wait_until: Callable, operator,
) -> None:
    start_aggregator(start, state, autostart='false')
    assert operator.trigger('/aggregator/save_checkpoint') == (False, 'there is no model yet')
    assert operator.change('/aggregator', 'configure')
    wait_until(lambda: watcher.node.count_publishers('/utt/model'), 30.0, watcher.spin)
    assert not watcher.models
    assert operator.change('/aggregator', 'activate')
    wait_until(watcher.ready, 30.0, watcher.spin)
    assert watcher.models[0].round == 0


def test_paused_rounds_collect_updates_and_complete_when_they_go_on(
    start: Start, state: Path, watcher: Watcher, wait_until: Callable, operator,
) -> None:
    start_aggregator(start, state, areas="['north','south']")
    wait_until(watcher.ready, 30.0, watcher.spin)
    assert operator.switch('/aggregator/pause_rounds', on=True) == (
        True, 'rounds are paused: updates are collected')
    watcher.send(watcher.answer('north', 1.0))
    watcher.send(watcher.answer('south', 3.0))
    wait_until(lambda: watcher.told(lambda now: len(now.accepted) == 2), 30.0, watcher.spin)
    collected = len(watcher.statuses)
    wait_until(lambda: len(watcher.statuses) > collected + 1, 30.0, watcher.spin)
    assert not watcher.closed()
    newest = state / 'model-000000.safetensors'
    newest.unlink()
    assert operator.trigger('/aggregator/save_checkpoint') == (
        True, 'the model of round 0 is written')
    assert newest.exists()
    assert operator.switch('/aggregator/pause_rounds', on=False) == (True, 'rounds go on')
    wait_until(watcher.closed, 30.0, watcher.spin)
    assert watcher.closed()[0].accepted == {'north': 5, 'south': 5}


@pytest.mark.parametrize(('edit', 'refusal', 'reason'), [
    (('"ticks":30', '"ticks":20'), 'with the configuration', '"ticks":20'),
    (('"networks":2', '"networks":1'), 'that this program cannot resume',
     'is for networks 1: this program has 2'),
])
def test_a_state_of_another_model_is_refused_by_name(
    tmp_path: Path, edit: tuple[str, str], refusal: str, reason: str,
) -> None:
    store = CheckpointStore(tmp_path / 'state', keep=5)
    config = dump_config(ModelSettings(), WindowSettings()).replace(*edit)
    new_federation(store, config, INITIAL)
    store.close()
    process = subprocess.run(
        [sys.executable, '-m', 'utt_ros.nodes.aggregator_node', '--ros-args',
         '-p', f'state_dir:={store.folder}', '-p', 'signed:=false'],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert process.returncode == 2
    assert f'{store.folder} holds a federation {refusal}' in process.stderr
    assert reason in process.stderr


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """Write a model file, of another fusor than the parameters."""
    settings, path = ModelSettings(fusor='max'), tmp_path / 'model.safetensors'
    write_saved_model(path, INITIAL, ModelCard(
        list(settings.modalities), {}, dump_config(settings, WindowSettings()), '', {}, {},
        code_version(), pack(INITIAL).checksum))
    return path


def test_a_new_federation_begins_with_the_given_model_and_without_torch(
    start: Start, tmp_path: Path, model_file: Path, watcher: Watcher, wait_until: Callable,
) -> None:
    for _ in range(2):  # the second time from its state
        aggregator = start_aggregator(start, tmp_path / 'new', initial_model=model_file)
        wait_until(lambda: watcher.models, 30.0, watcher.spin)
        libraries = {mapped.path for mapped in psutil.Process(aggregator.pid).memory_maps()}
        assert not [path for path in libraries if 'libtorch' in path]
        (model,) = watcher.models
        assert model.round == 0
        assert '"fusor":"max"' in model.config
        assert all(np.array_equal(tensors_of(model)[name], INITIAL[name]) for name in INITIAL)
        aggregator.send_signal(signal.SIGINT)
        assert aggregator.wait(30.0) == 0
        watcher.models.clear()
        model_file.unlink(missing_ok=True)


def test_a_given_model_that_does_not_fit_is_refused_by_name(
    tmp_path: Path, model_file: Path, ros_domain: int,
) -> None:
    process = subprocess.run(
        [sys.executable, '-m', 'utt_ros.nodes.aggregator_node', '--ros-args',
         '-p', f'state_dir:={tmp_path / "new"}', '-p', 'signed:=false',
         '-p', f'initial_model:={model_file}',
         '-p', 'ticks:=20'],
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert process.returncode == 2
    assert f'{model_file}: it is for' in process.stderr
