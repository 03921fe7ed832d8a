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

"""The trainer over real DDS: it is a process, fed with synced samples and models."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from utt_ros.msg import (
    DeployedModel,
    GlobalModel,
    RoundStatus,
    SyncedSamples,
    TrainingMetrics,
)

from utt_ros.bridge.messages.federation import (
    deployment_from_message,
    model_to_message,
    report_from_message,
    round_status_to_message,
)
from utt_ros.bridge.messages.sensors import samples_to_message
from utt_ros.bridge.node.qos import COLLECTED, CONTESTED, RELIABLE, STATE
from utt_ros.bridge.node.round_publishers import STATE_TOPIC
from utt_ros.errors import UttError
from utt_ros.federation import types
from utt_ros.federation.checkpoints import read_checkpoint
from utt_ros.federation.keys import AGGREGATOR, KeyFolder
from utt_ros.federation.signing import KeySigner, sealed
from utt_ros.federation.wire import pack
from utt_ros.models.model_card import save_model
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import UnifiedTwin, initial_weights
from utt_ros.nodes.trainer_node import TrainerNode
from utt_ros.settings import WindowSettings
from utt_ros.training.client import FederatedClient
from utt_ros.types import SyncedBatch

ROOT = Path(__file__).parents[2]
WINDOW = WindowSettings(ticks=8, horizon=4, imu_rows=2)
MODEL = ModelSettings(width=16, heads=2, feedforward=16)
PARAMETERS = {
    'ticks': 8, 'horizon': 4, 'imu_rows': 2, 'model.width': 16, 'model.heads': 2,
    'model.feedforward': 16, 'local_steps': 2, 'min_windows': 16, 'window_stride': 1, 'batch': 16,
    'holdout_block': 3.0,
}
Start = Callable[..., subprocess.Popen]


@pytest.fixture
def start(ros_domain: int, tmp_path: Path) -> Iterator[Start]:
    """Start a trainer of area 'north'."""
    processes = []

    def run(**parameters: object) -> subprocess.Popen:
        given = PARAMETERS | {
            'area': 'north', 'state_dir': tmp_path / 'state', 'keys': tmp_path / 'keys',
        } | parameters
        command = [sys.executable, '-m', 'utt_ros.nodes.trainer_node', '--ros-args']
        command += ['-r', '__ns:=/north']
        command += [word for name, value in given.items() for word in ('-p', f'{name}:={value}')]
        processes.append(subprocess.Popen(command, cwd=ROOT))
        return processes[-1]
    yield run
    for process in processes:
        process.kill()
        process.wait()


class Outside:
    """Stand-ins of the synchronizer, the aggregator and the twin around a trainer."""

    def __init__(self, rng: np.random.Generator, keys: KeyFolder) -> None:
        self.signer = KeySigner(keys, AGGREGATOR)
        self.deployments: list[types.Deployment] = []
        self.reports: list[types.Report] = []
        self.diagnostics: dict[str, str] = {}
        self.node = node = Node('outside')
        self._rng, self._tick = rng, 0
        self.samples = node.create_publisher(SyncedSamples, '/north/synced', RELIABLE)
        self.models = node.create_publisher(GlobalModel, '/utt/model', STATE)
        node.create_subscription(DeployedModel, '/north/deployed_model', self._on_deployed, STATE)
        node.create_subscription(
            TrainingMetrics, '/north/training_metrics', self._on_metrics, RELIABLE)
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, RELIABLE)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)

    def _on_deployed(self, message: DeployedModel) -> None:
        self.deployments.append(deployment_from_message(message))

    def _on_metrics(self, message: TrainingMetrics) -> None:
        self.reports.append(report_from_message(message))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        status = message.status[0]
        self.diagnostics = {item.key: item.value for item in status.values}
        self.diagnostics['message'] = status.message

    def spin(self) -> None:
        self._executor.spin_once(timeout_sec=0.02)

    def feed(self) -> None:
        """One tick of two people, seen by all sensors."""
        self._tick += 1
        seen = np.ones(2, bool)
        camera = np.float32([[300 + self._tick % 500, 360, 5, 80, 200]] * 2)
        imu = self._rng.normal(size=(2, 2, 9)) * [*[1.0] * 6, *[1e-5] * 3]
        batch = SyncedBatch(
            self._tick * 100_000_000, 0, self._tick, True, ('anna', 'ben'), ('1', '2'),
            np.ones(2, np.float32), camera, seen, np.float32([[5.0, 0.3]] * 2),
            np.zeros(2, np.float32), seen, np.float32(imu), np.ones((2, 2), bool))
        self.samples.publish(samples_to_message(batch, 'north'))
        self.spin()

    def send(self, model: types.GlobalModel) -> None:
        self.publish(sealed(model, self.signer))

    def publish(self, model: types.GlobalModel) -> None:
        self.models.publish(model_to_message(model, self.node.get_clock().now().to_msg()))

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()


@pytest.fixture
def outside(ros: int, rng: np.random.Generator, tmp_path: Path) -> Iterator[Outside]:
    made = Outside(rng, KeyFolder(tmp_path / 'keys'))
    yield made
    made.close()


def schedulers(pid: int) -> set[int]:
    return {os.sched_getscheduler(int(task.name)) for task in Path(f'/proc/{pid}/task').iterdir()}


def global_model(round_: int, seed: int = 1) -> types.GlobalModel:
    packed = pack(initial_weights(MODEL, WINDOW, seed))
    return types.GlobalModel(
        'fed', round_, dump_config(MODEL, WINDOW), packed.schema, packed.checksum, packed.payload)


def ticks_later(outside: Outside, wait_until: Callable, ticks: int) -> dict[str, str]:
    """Feed until the diagnostics count that many ticks more; return them."""
    wait_until(lambda: 'ticks' in outside.diagnostics, 30.0, outside.feed)
    end = int(outside.diagnostics['ticks']) + ticks
    wait_until(lambda: int(outside.diagnostics['ticks']) >= end, 30.0, outside.feed)
    return outside.diagnostics


def test_standalone_trainer_deploys_graphs_that_run(
    start: Start, outside: Outside, wait_until: Callable,
) -> None:
    trainer = start(federated='false')
    wait_until(lambda: outside.deployments, 60.0, outside.spin)
    outside.samples.publish(b'\x00\x01\x00\x00no samples at all')
    wait_until(
        lambda: outside.deployments[-1].round >= 2 and outside.reports[-1].nmse, 60.0,
        outside.feed)
    newest = outside.deployments[-1]
    assert newest.config == dump_config(MODEL, WINDOW)
    session = onnxruntime.InferenceSession(newest.graph, providers=['CPUExecutionProvider'])
    given = {item.name: np.zeros(
        [2, *item.shape[1:]], bool if 'bool' in item.type else np.float32)
        for item in session.get_inputs()}
    assert all(np.isfinite(values).all() for values in session.run(None, given))
    wait_until(lambda: outside.diagnostics.get('samples_refused') == '1', 30.0, outside.spin)
    assert os.SCHED_OTHER in schedulers(trainer.pid)
    trainer.send_signal(signal.SIGINT)
    assert trainer.wait(30.0) == 0


@pytest.fixture
def busy_cores() -> Iterator[None]:
    """Keep every core busy, in the same session: the kernel may share the time by session."""
    loops = [subprocess.Popen([sys.executable, '-c', 'while True: pass'])
             for _ in os.sched_getaffinity(0)]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


@pytest.mark.usefixtures('busy_cores')
def test_trainer_makes_its_first_model_trains_and_ends_beside_programs_that_keep_every_core_busy(
    start: Start, outside: Outside, wait_until: Callable,
) -> None:
    trainer = start(federated='false')
    wait_until(lambda: outside.deployments and outside.deployments[-1].round >= 2, 110.0,
               outside.feed)
    began_s = time.monotonic()
    trainer.send_signal(signal.SIGTERM)
    assert trainer.wait(30.0) in {0, -signal.SIGALRM}
    assert time.monotonic() - began_s < 5.0


def test_bad_models_are_refused_and_the_next_good_one_deployed(
    start: Start, outside: Outside, wait_until: Callable,
) -> None:
    trainer = start()
    good = global_model(3)
    hostile = ('[' * 8000, good.config.replace('0.1', '9' * 401), '{"model":{}}')
    for count, config in enumerate(hostile, 1):
        outside.send(replace(good, round=2, config=config))
        wait_until(lambda: outside.diagnostics.get('problems') == str(count), 60.0, outside.spin)  # noqa: B023
    outside.publish(replace(good, round=9))
    wait_until(lambda: outside.diagnostics.get('models_refused') == '1', 60.0, outside.spin)
    assert "is refused: it is not signed by 'aggregator'" in outside.diagnostics['message']
    assert not outside.deployments
    outside.send(good)
    wait_until(lambda: outside.deployments, 30.0, outside.spin)
    assert (outside.deployments[0].federation, outside.deployments[0].round) == ('fed', 3)
    trainer.send_signal(signal.SIGTERM)
    assert trainer.wait(30.0) == 0


def test_model_that_strangers_displaced_is_had_again(
    start: Start, outside: Outside, wait_until: Callable,
) -> None:
    trainer = start()
    stranger = outside.node.create_publisher(GlobalModel, '/utt/model', COLLECTED)
    states = outside.node.create_publisher(RoundStatus, STATE_TOPIC, RELIABLE)
    for publisher in (outside.models, stranger, states):
        wait_until(publisher.get_subscription_count, 60.0, outside.spin)
    trainer.send_signal(signal.SIGSTOP)  # so that its queue overflows
    good = global_model(3)
    forged = model_to_message(replace(good, round=9), outside.node.get_clock().now().to_msg())
    for count in range(6 * CONTESTED.depth):
        if count == 3 * CONTESTED.depth:
            outside.send(good)
        stranger.publish(forged)
    trainer.send_signal(signal.SIGCONT)
    wait_until(lambda: int(outside.diagnostics.get('models_refused', '0')) > 0, 60.0,
               outside.spin)
    outside.node.destroy_publisher(stranger)
    status = types.RoundStatus('fed', 3, 'waiting', 1, 0.0, {}, {}, 0, 0, 0.0)

    def tell() -> None:
        states.publish(round_status_to_message(
            status, outside.node.get_clock().now().to_msg(), outside.signer.sign(status)))
        outside.spin()

    wait_until(lambda: outside.deployments, 60.0, tell)
    assert outside.deployments[0].round == 3


def test_training_is_paused_and_goes_on_and_a_checkpoint_is_written_meanwhile(
    start: Start, outside: Outside, wait_until: Callable, operator, tmp_path: Path,
) -> None:
    start(federated='false')
    wait_until(lambda: len(outside.deployments) >= 2, 60.0, outside.feed)
    assert operator.switch('/north/trainer/pause_training', on=True) == (
        True, 'training is paused: models are still deployed, and windows kept')
    running = ticks_later(outside, wait_until, 30)
    assert running['message'] == 'training is paused'
    paused = ticks_later(outside, wait_until, 30)  # the step in progress has ended
    assert int(paused['steps']) - int(running['steps']) <= 1
    later = ticks_later(outside, wait_until, 50)  # longer than a held-out block
    assert later['steps'] == paused['steps']
    assert int(later['windows']) > int(paused['windows'])
    path = tmp_path / 'state' / 'model.safetensors'
    path.unlink()
    done, answer = operator.trigger('/north/trainer/save_checkpoint')
    assert (done, answer) == (
        True, f'the model of round {later["round"]} is written to {path}')
    assert read_checkpoint(path).round == int(later['round'])
    assert operator.switch('/north/trainer/pause_training', on=False) == (
        True, 'training goes on')
    wait_until(
        lambda: int(outside.diagnostics['steps']) > int(later['steps']), 30.0, outside.feed)


def test_newer_models_wait_while_one_is_pinned(
    start: Start, outside: Outside, wait_until: Callable, operator,
) -> None:
    start()
    pin = '/north/trainer/pin_model'
    assert operator.switch(pin, on=True) == (False, 'there is no model yet')
    assert operator.trigger('/north/trainer/save_checkpoint') == (False, 'there is no model yet')
    outside.send(global_model(3))
    wait_until(lambda: outside.deployments, 60.0, outside.spin)
    assert operator.switch(pin, on=True) == (
        True, 'the model of round 3 is pinned: newer ones wait')
    outside.send(global_model(4))
    outside.send(global_model(5, seed=2))
    wait_until(
        lambda: outside.diagnostics.get('message')
        == 'the model of round 3 is pinned: that of round 5 waits', 30.0, outside.spin)
    assert outside.diagnostics['round'] == '3'
    assert operator.switch(pin, on=False) == (True, 'that of round 5 follows')
    wait_until(lambda: outside.deployments[-1].round == 5, 30.0, outside.spin)
    assert [each.round for each in outside.deployments] == [3, 5]


def test_learning_is_set_while_running_and_wrong_values_are_refused(
    start: Start, outside: Outside, wait_until: Callable, operator,
) -> None:
    start(federated='false', learn='false')
    wait_until(lambda: outside.deployments, 60.0, outside.spin)
    idle = ticks_later(outside, wait_until, 60)
    assert (idle['steps'], idle['message']) == ('0', 'learn is false')
    assert int(idle['windows']) >= 16
    for name, value, reason in (
            ('local_steps', 0, 'local_steps is 0: it must be at least 1'),
            ('min_windows', 2_000_000, 'min_windows is 2000000: it must be at most 1000000'),
            ('learn', 3, 'Wrong parameter type'),
            ('batch', 8, 'read-only')):
        result = operator.set_parameter('/north/trainer', name, value)
        assert not result.successful
        assert reason in result.reason
    assert operator.set_parameter('/north/trainer', 'learn', True).successful
    wait_until(lambda: outside.deployments[-1].round >= 1, 30.0, outside.feed)


def test_deactivated_trainer_hears_nothing_and_trains_nothing_until_it_is_active_again(
    start: Start, outside: Outside, wait_until: Callable, operator,
) -> None:
    trainer = start(federated='false')
    wait_until(lambda: len(outside.deployments) >= 2, 60.0, outside.feed)
    assert operator.change('/north/trainer', 'deactivate')
    wait_until(lambda: not outside.samples.get_subscription_count(), 30.0, outside.spin)
    wait_until(
        lambda: outside.diagnostics.get('message', '').startswith('not active'), 10.0,
        outside.spin)
    before, reported = outside.diagnostics, outside.diagnostics
    for _ in range(3):  # the first report may still count the step in hand
        before, reported = reported, outside.diagnostics
        wait_until(lambda: outside.diagnostics is not reported, 30.0, outside.feed)  # noqa: B023
    assert (outside.diagnostics['steps'], outside.diagnostics['ticks']) == (
        before['steps'], before['ticks'])
    assert operator.change('/north/trainer', 'activate')
    wait_until(
        lambda: int(outside.diagnostics['steps']) > int(before['steps']), 30.0, outside.feed)
    assert operator.change('/north/trainer', 'deactivate')
    trainer.send_signal(signal.SIGINT)
    assert trainer.wait(30.0) == 0


def test_trainer_that_does_not_start_by_itself_deploys_nothing_before_its_activation(
    start: Start, outside: Outside, wait_until: Callable, operator,
) -> None:
    trainer = start(federated='false', autostart='false')
    wait_until(lambda: outside.diagnostics.get('message', '').startswith('not active'), 60.0,
               outside.spin)
    assert not outside.deployments
    assert operator.trigger('/north/trainer/save_checkpoint') == (False, 'there is no model yet')
    assert operator.change('/north/trainer', 'configure')
    assert operator.change('/north/trainer', 'activate')
    wait_until(lambda: outside.deployments, 60.0, outside.spin)
    trainer.send_signal(signal.SIGTERM)
    assert trainer.wait(30.0) == 0


def test_a_failure_of_the_training_thread_ends_the_node(
    ros: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait_until: Callable,
) -> None:
    def fail(_participant: FederatedClient, _wait_sec: float) -> None:
        raise RuntimeError('out of memory')

    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.setattr(FederatedClient, 'step', fail)
    node = TrainerNode()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    with pytest.raises(UttError, match='out of memory'):
        wait_until(lambda: False, 30.0, lambda: executor.spin_once(timeout_sec=0.1))
    executor.shutdown()
    node.destroy_node()


def test_standalone_trainer_deploys_the_given_model_and_refuses_one_of_other_windows(
    start: Start, outside: Outside, tmp_path: Path, wait_until: Callable[..., None],
) -> None:
    path = tmp_path / 'model.safetensors'
    wider = replace(MODEL, width=24)
    save_model(path, UnifiedTwin(wider, WINDOW), '', {}, {})
    start(federated='false', initial_model=path)
    wait_until(lambda: outside.deployments, 40.0, outside.spin)
    assert outside.deployments[0].round == 0
    assert outside.deployments[0].config == dump_config(wider, WINDOW)
    refused = start(federated='false', initial_model=path, ticks=20, state_dir=tmp_path / 'other')
    assert refused.wait(40.0) == 2
