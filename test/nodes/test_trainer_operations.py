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

"""Transfer, merge and split of running trainers, over real DDS."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from utt_ros.action import Merge, Split, Transfer
from utt_ros.msg import DeployedTwin, SyncedSamples, TaskTwins
from utt_ros.srv import AdoptTwin, ManageTwin

from utt_ros.bridge.messages.sensors import samples_to_message
from utt_ros.bridge.messages.task_twins import (
    twin_from_message,
    twins_from_message,
    twins_to_message,
)
from utt_ros.bridge.messages.virtual_measurements import task_deployment_from_message
from utt_ros.bridge.node.qos import COLLECTED, RELIABLE, STATE
from utt_ros.bridge.node.twin_services import TWINS_TOPIC
from utt_ros.federation.keys import KeyFolder
from utt_ros.federation.signing import SealVerifier
from utt_ros.task_twins.types import TaskTwin
from utt_ros.types import SyncedBatch

SMALL = {
    'ticks': 8, 'horizon': 4, 'imu_rows': 2, 'model.width': 16, 'model.heads': 2,
    'model.feedforward': 16, 'federated': 'false', 'learn': 'false', 'window_stride': 1,
    'batch': 16, 'holdout_block': 3.0, 'signed': 'true'}
ALL = ('camera', 'ftm', 'imu')
TICKS = 260  # two cycles of held-out blocks
LONG = 3600.0  # more time than any test has


class Areas:
    """Stand-ins of synchronizers and operators around trainers."""

    def __init__(
        self, rng: np.random.Generator, wait_until: Callable[..., None], name: str = 'areas',
    ) -> None:
        self.node = Node(name)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        self.wait_until = wait_until
        self.twins: dict[str, tuple[TaskTwin, ...]] = {}
        self.feedback: list[Any] = []
        self._rng, self._clients = rng, list[ActionClient]()
        self._ticks: dict[str, int] = {}  # fed so far, by area
        self.node.create_subscription(TaskTwins, TWINS_TOPIC, self._on_twins, COLLECTED)

    def _on_twins(self, message: TaskTwins) -> None:
        self.twins[message.area] = twins_from_message(message)

    def spin(self) -> None:
        self.executor.spin_once(timeout_sec=0.02)

    def known(self, area: str) -> dict[str, TaskTwin]:
        return {twin.id: twin for twin in self.twins.get(area, ())}

    def await_model(self, area: str) -> None:
        self.wait_until(
            lambda: any(twin.model.checksum for twin in self.twins.get(area, ())), 60.0, self.spin)

    def feed(self, area: str, seen: tuple[str, ...] = ALL, ticks: int = TICKS) -> None:
        """Publish samples of two people whose ranges agree with their boxes."""
        publisher = self.node.create_publisher(SyncedSamples, f'/{area}/synced', RELIABLE)
        self.wait_until(publisher.get_subscription_count, 30.0, self.spin)
        has = {name: np.full(2, name in seen) for name in ALL}
        first = self._ticks.get(area, 0) + 1
        self._ticks[area] = first + ticks - 1
        for tick in range(first, first + ticks):
            depth = 5 + np.sin(tick / 9 + np.arange(2))
            boxes = np.stack([640 + 40 * depth, 360 + depth, depth, 400 / depth, 1000 / depth], 1)
            imu = self._rng.normal(size=(2, 2, 9)) * [*[1.0] * 6, *[1e-5] * 3]
            batch = SyncedBatch(
                tick * 100_000_000, 0, tick, True, ('anna', 'ben'), ('1', '2'),
                np.ones(2, np.float32), np.float32(boxes) * has['camera'][:, None], has['camera'],
                np.float32(np.stack([depth, np.full(2, 0.3)], 1)), np.zeros(2, np.float32),
                has['ftm'], np.float32(imu), np.repeat(has['imu'][:, None], 2, axis=1))
            publisher.publish(samples_to_message(batch, area))
            self.spin()
        self.node.destroy_publisher(publisher)

    def goal(self, action: Any, area: str, **fields: Any) -> Any:
        """Send a goal; return its handle when it is accepted."""
        name = action.__name__.lower()
        client = ActionClient(self.node, action, f'/{area}/trainer/{name}')
        self._clients.append(client)
        self.wait_until(client.server_is_ready, 30.0, self.spin)
        pending = client.send_goal_async(
            action.Goal(**fields), lambda message: self.feedback.append(message.feedback))
        self.wait_until(pending.done, 30.0, self.spin)
        assert pending.result().accepted
        return pending.result()

    def result(self, handle: Any) -> Any:
        """Return status and result of a goal."""
        pending = handle.get_result_async()
        self.wait_until(pending.done, 90.0, self.spin)
        return pending.result()

    def do(self, action: Any, area: str, **fields: Any) -> Any:
        return self.result(self.goal(action, area, **fields)).result

    def pretend_to_be(self, area: str, refusal: str) -> None:
        """Answer as the trainer of an area with an IMU that adopts nothing."""
        def refuse(_: AdoptTwin.Request, response: AdoptTwin.Response) -> AdoptTwin.Response:
            response.message = refusal
            return response

        self.node.create_service(AdoptTwin, f'/{area}/trainer/adopt_twin', refuse)
        self._pretended = self.node.create_publisher(TaskTwins, TWINS_TOPIC, STATE)
        native = TaskTwin(f'{area}_tracking', area, 'tracking', ('imu',))
        self._pretended.publish(
            twins_to_message(area, [native], self.node.get_clock().now().to_msg()))

    def close(self) -> None:
        self.executor.shutdown()
        for client in self._clients:
            client.destroy()
        self.node.destroy_node()


@pytest.fixture
def areas(ros: int, rng: np.random.Generator, wait_until: Callable) -> Iterator[Areas]:
    made = Areas(rng, wait_until)
    yield made
    made.close()


@pytest.fixture
def start(start_node: Callable, tmp_path: Path) -> Callable:
    """`start('north', ('ftm', 'imu'))` runs a trainer, which has keys of the federation."""
    def run(area: str, modalities: tuple[str, ...] = ALL, **parameters: object):
        given = SMALL | {
            'area': area, 'modalities': str(list(modalities)).replace(' ', ''),
            'state_dir': tmp_path / area} | parameters
        return start_node('trainer', '--ros-args', '-r', f'__ns:=/{area}', *(
            word for name, value in given.items() for word in ('-p', f'{name}:={value}')))
    return run


@pytest.fixture
def north(start: Callable, areas: Areas, tmp_path: Path) -> Any:
    """Return a trainer with all sensors, a model and windows."""
    process = start('north')
    areas.await_model('north')
    areas.feed('north')
    return process


def registry(tmp_path: Path, area: str = 'north') -> bytes:
    return (tmp_path / area / 'twins/registry.json').read_bytes()


def deployed(areas: Areas, area: str, keys: Path) -> dict[str, Any]:
    """Return the newest deployments by id, as they arrive."""
    found: dict[str, Any] = {}
    verifier = SealVerifier(KeyFolder(keys))

    def take(message: DeployedTwin) -> None:
        found[message.id] = task_deployment_from_message(message, verifier, area)

    areas.node.create_subscription(DeployedTwin, f'/{area}/deployed_twins', take, COLLECTED)
    return found


def test_transfer_makes_a_twin_that_serves_until_it_is_paused(
    north: Any, areas: Areas, operator: Any, tmp_path: Path,
) -> None:
    graphs = deployed(areas, 'north', tmp_path / 'keys')
    result = areas.do(Transfer, 'north', source='north_position', target_task='trajectory',
                      max_windows=200, max_seconds=20.0)
    assert result.success, result.message
    (twin,) = map(twin_from_message, result.twins)
    assert (twin.id, twin.status, twin.sources) == ('north_trajectory_2', 'serving', ('ftm',))
    assert (twin.operation, twin.parents, twin.judged_in) == (
        'transfer', ('north_position',), 'north')
    assert (twin.windows, result.windows) == (200, 200)
    assert twin.judged_windows > 20
    assert twin.mean_nmse < 0.6 * result.nmse_before[0]
    assert {'tune', 'judge'} & {each.phase for each in areas.feedback}
    areas.wait_until(lambda: 'north_trajectory_2' in graphs, 30.0, areas.spin)
    graph = graphs['north_trajectory_2']
    assert (graph.sources, graph.target, len(graph.std)) == (('ftm',), 'camera', 5)
    onnxruntime.InferenceSession(graph.graph, providers=['CPUExecutionProvider'])
    areas.wait_until(
        lambda: areas.known('north').get(twin.id) == twin, 30.0, areas.spin)
    operator.call(ManageTwin, '/north/trainer/manage_twin', verb='pause', id=twin.id)
    areas.wait_until(lambda: not graphs[twin.id].graph, 30.0, areas.spin)


def test_canceled_operation_leaves_everything_as_it_was(
    north: Any, areas: Areas, tmp_path: Path,
) -> None:
    before = registry(tmp_path)
    goal = areas.goal(
        Merge, 'north', sources=['north_position', 'north_tracking'], target_task='trajectory',
        max_seconds=LONG)
    areas.wait_until(
        lambda: any(each.step > 2 for each in areas.feedback), 30.0, areas.spin)
    refused = areas.do(Split, 'north', source='north_position', target_tasks=['tracking'])
    assert refused.message == ('merge of north_position and north_tracking is in work in north: '
                               'one operation at a time')
    goal.cancel_goal_async()
    end = areas.result(goal)
    assert end.status == GoalStatus.STATUS_CANCELED
    assert end.result.message == 'merge of north_position and north_tracking was canceled'
    assert not end.result.success
    assert registry(tmp_path) == before
    assert not list((tmp_path / 'north/twins').glob('*.safetensors'))
    graphs = deployed(areas, 'north', tmp_path / 'keys')
    assert areas.do(Transfer, 'north', source='north_position', target_task='tracking').success
    areas.wait_until(lambda: 'north_tracking_2' in graphs, 60.0, areas.spin)


@pytest.mark.parametrize('victim', ['trainer', 'client'])
def test_kill_half_way_leaves_the_registry_as_it_was(
    north: Any, areas: Areas, start: Callable, tmp_path: Path, victim: str,
) -> None:
    before = registry(tmp_path)
    other = Areas(np.random.default_rng(0), areas.wait_until, 'doomed')
    other.goal(
        Merge, 'north', sources=['north_position', 'north_tracking'], target_task='trajectory',
        max_seconds=LONG)
    areas.wait_until(lambda: any(each.step > 2 for each in other.feedback), 30.0, other.spin)
    if victim == 'trainer':
        north.process.kill()
        north.expect(-9)
        north.wait()
        start('north')
        areas.twins.clear()
        areas.await_model('north')
        areas.feed('north')
    other.close()  # the operation of a client that has vanished ends

    def is_free() -> bool:
        return areas.do(
            Transfer, 'north', source='north_tracking', target_task='position').success

    assert registry(tmp_path) == before
    graphs = deployed(areas, 'north', tmp_path / 'keys')
    areas.wait_until(is_free, 60.0)
    areas.wait_until(lambda: graphs, 60.0, areas.spin)
    assert sorted(areas.known('north')) == [
        'north_position', 'north_position_2', 'north_tracking', 'north_trajectory']


def test_wrong_requests_are_answered_with_a_sentence_and_change_nothing(
    north: Any, areas: Areas, operator: Any, tmp_path: Path,
) -> None:
    areas.do(Transfer, 'north', source='north_position', target_task='trajectory')
    operator.call(
        ManageTwin, '/north/trainer/manage_twin', verb='remove', id='north_trajectory_2')
    before = registry(tmp_path)
    position = {'source': 'north_position'}
    for action, fields, sentence in (
        (Transfer, {'source': 'north_positon', 'target_task': 'tracking'},
         "there is no task twin 'north_positon': close to it: north_position"),
        (Transfer, {'source': 'south_position', 'target_task': 'tracking'},
         "there is no task twin 'south_position'"),
        (Transfer, {'source': 'north_trajectory_2', 'target_task': 'tracking'},
         'task twin north_trajectory_2 is retired'),
        (Transfer, position, 'north_position makes position of north already'),
        (Transfer, position | {'target_task': 'swimming'},
         "target task 'swimming' is unknown: it must be one of trajectory, position, tracking"),
        (Transfer, position | {'target_task': 'tracking', 'max_nmse': -0.1},
         'max_nmse is -0.1: it must be finite, at least 0'),
        (Transfer, position | {'target_task': 'tracking', 'max_seconds': float('nan')},
         'max_seconds is nan: it must be finite, 0 to 86400'),
        (Transfer, position | {'target_task': 'tracking', 'target_area': '/'},
         "target area '/' is not a name"),
        (Merge, {'sources': ['north_position']},
         'merge has 1 source twins: it must have 2 to 64 different ones'),
        (Merge, {'sources': ['north_position', 'north_tracking']},
         'the sources make position and tracking: name the target task'),
        (Merge, {'sources': ['north_position', 'north_tracking'], 'target_task': 'tracking'},
         'north_tracking reads imu, which a twin of tracking makes: it cannot be its source'),
        (Split, position | {'target_tasks': ['tracking', 'tracking']},
         'split names tracking twice'),
        (Transfer, position | {'target_task': 'tracking', 'max_nmse': 1e-6},
         'max_nmse is 1e-06, so it is not put in service'),
        (Transfer, position | {'target_task': 'tracking', 'target_area': 'east'},
         'the trainer of east is away: nobody offers /east/trainer/adopt_twin within 10 s'),
    ):
        result = areas.do(action, 'north', **fields)
        assert not result.success
        assert sentence in result.message
        assert registry(tmp_path) == before, sentence


def test_without_windows_there_is_nothing_to_judge_on(start: Callable, areas: Areas) -> None:
    start('north', ('ftm', 'imu'))
    areas.await_model('north')
    for task, sentence in (
            ('tracking', 'no data to judge on: north holds no windows out that have imu'),
            ('trajectory', 'no data to judge on: north does not measure camera')):
        result = areas.do(Transfer, 'north', source='north_position', target_task=task)
        assert not result.success
        assert sentence in result.message


def test_an_area_without_camera_gets_its_trajectory_twin_from_another(
    north: Any, areas: Areas, start: Callable, operator: Any, tmp_path: Path,
) -> None:
    start('south', ('ftm', 'imu'))
    areas.await_model('south')
    graphs = deployed(areas, 'south', tmp_path / 'keys')
    fields = {'source': 'north_trajectory', 'target_area': 'south', 'max_windows': 200}
    results = [areas.do(Transfer, 'north', **fields) for _ in range(2)]
    assert all(result.success for result in results), results
    first, second = (twin_from_message(result.twins[0]) for result in results)
    assert (second.id, second.area, second.sources) == (
        'south_trajectory_3', 'south', ('ftm', 'imu'))
    assert (second.judged_in, second.parents, second.replaces) == (
        'north', ('north_trajectory',), 'south_trajectory_2')
    assert results[0].bytes > (tmp_path / 'south/twins' / first.model.file).stat().st_size // 2
    areas.wait_until(lambda: second.id in graphs, 30.0, areas.spin)
    assert 'south_trajectory_3' not in areas.known('north')
    back = operator.call(ManageTwin, '/south/trainer/manage_twin', verb='rollback', id=second.id)
    assert back.success
    areas.wait_until(lambda: areas.known('south')[first.id].status == 'serving', 30.0, areas.spin)
    areas.wait_until(lambda: first.id in graphs and graphs[first.id].graph, 30.0, areas.spin)
    assert not graphs[second.id].graph


def test_what_one_area_adopted_is_rolled_back_when_another_refuses(
    north: Any, areas: Areas, start: Callable, tmp_path: Path,
) -> None:
    start('south', ('imu',))
    areas.await_model('south')
    areas.pretend_to_be('west', 'no space left')
    before = registry(tmp_path)
    lost = areas.do(Split, 'north', source='north_tracking', target_areas=['south', 'west'],
                    target_tasks=['trajectory'])
    assert lost.message == 'west: no space left'
    areas.wait_until(
        lambda: 'south_trajectory_2' in areas.known('south')
        and areas.known('south')['south_trajectory_2'].status == 'retired', 30.0, areas.spin)
    assert registry(tmp_path) == before


def test_deactivated_trainer_ends_its_operation_and_refuses_others(
    north: Any, areas: Areas, operator: Any, tmp_path: Path,
) -> None:
    before = registry(tmp_path)
    fields = {'source': 'north_position', 'target_task': 'trajectory', 'max_seconds': LONG}
    goal = areas.goal(Transfer, 'north', **fields)
    assert operator.change('/north/trainer', 'deactivate')
    end = areas.result(goal)
    assert (end.status, end.result.message) == (
        GoalStatus.STATUS_ABORTED, 'transfer of north_position was canceled')
    assert areas.do(Transfer, 'north', **fields).message == '/north/trainer is not active'
    assert operator.change('/north/trainer', 'activate')
    areas.goal(Transfer, 'north', **fields)
    assert north.stop() == 0
    assert registry(tmp_path) == before


def test_a_twin_that_follows_gets_the_models_of_its_area(
    start: Callable, areas: Areas, tmp_path: Path,
) -> None:
    start('north', learn='true', local_steps=2, min_windows=200)
    areas.await_model('north')
    graphs = deployed(areas, 'north', tmp_path / 'keys')
    areas.feed('north')
    result = areas.do(Transfer, 'north', source='north_tracking', target_task='position')
    (twin,) = map(twin_from_message, result.twins)
    assert (twin.follows, twin.windows, result.windows) == (True, 0, 0)
    assert twin.mean_nmse == result.nmse_before[0]
    rounds = set()

    def is_renewed() -> bool:
        areas.feed('north', ticks=10)
        rounds.update(each.round for each in graphs.values())
        return len(rounds) > 1

    areas.wait_until(is_renewed, 60.0)
