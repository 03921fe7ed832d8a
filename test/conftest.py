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

"""What every test gets: fixed seeds, a ROS domain of its own, waits that end, no orphans."""

import os
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

# One thread each: the machine's cores are shared with the processes that tests start.
os.environ.setdefault('OMP_NUM_THREADS', '1')

import numpy as np
import psutil
import pytest
import pytest_timeout

if TYPE_CHECKING:
    from utt_ros.training.recordings import Recordings
    from utt_ros.training.training_recipe import Recipe
    from utt_ros.training.twin_models import TwinModels

SEED = 20260101
DOMAINS = range(1, 102)  # 0 is everybody's default; beyond 101 ports are ephemeral
POLL_SEC = 0.01
EXIT_SEC = 5.0
TESTS = Path(__file__).parent
ROS_ROOMS = {'bridge', 'launch', 'nodes'}
LIVE_PLACES = (
    'cli/', 'demo/', 'drivers/', 'evaluation/benchmarks/', 'orchestration/',
    'sessions/test_player', 'training/test_thread_priority', 'twin/test_graph_trial')
SLOW_ROOMS = {  # they train or run commands
    'cli', 'demo', 'evaluation', 'examples', 'flower', 'training'}
MINI = Path(__file__).parents[2] / 'shared/data/realwalk-mini'

# Shells start background jobs with SIGINT ignored, and programs that tests interrupt inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder and fixtures.

    `make quick` leaves out those of ROS and slow ones. `make test` repeats live ones that fail:
    those of ROS, those whose processes, threads or sockets need their time, and those that wait.
    A folder whose tests mostly start processes is live as a whole, computing tests in it too.
    """
    for item in items:
        place = item.path.relative_to(TESTS)
        fixtures = set(getattr(item, 'fixturenames', ()))
        uses_ros = place.parts[0] in ROS_ROOMS or bool({'ros', 'ros_domain'} & fixtures)
        if uses_ros:
            item.add_marker('ros')
        if place.parts[0] in SLOW_ROOMS:
            item.add_marker('slow')
        if uses_ros or place.as_posix().startswith(LIVE_PLACES) or 'wait_until' in fixtures:
            item.add_marker('live')
        else:
            item.add_marker(pytest.mark.flaky(reruns=0))  # prevails over --reruns


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Limit the time of a repeated test anew: pytest-timeout ends its own limit at a failure."""
    if getattr(item, 'execution_count', 1) > 1:
        settings = pytest_timeout._get_item_settings(item)
        if settings.timeout and not settings.func_only:
            item.ihook.pytest_timeout_set_timer(item=item, settings=settings)


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002 - libraries under test may still draw from it
    if 'torch' in sys.modules:
        sys.modules['torch'].manual_seed(SEED)


@pytest.fixture(autouse=True)
def _same_environment() -> Iterator[None]:
    """Undo what a test, or a command that it ran in this process, set for its children."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture
def rng() -> np.random.Generator:
    """Make a seeded source of random numbers."""
    return np.random.default_rng(SEED)


def _dds_port(domain: int, offset: int) -> int:
    """Return a port of a domain as the RTPS specification lays them out (section 9.6.1)."""
    return 7400 + 250 * domain + offset


def _bind(port: int) -> socket.socket:
    held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        held.bind(('0.0.0.0', port))  # where DDS binds; nothing is read from it
    except OSError:
        held.close()
        raise
    return held


def _reserve_domain() -> tuple[int, socket.socket]:
    """Reserve a domain on this machine; closing the socket, or dying, releases it.

    RTPS uses offsets 0, 1 and from 10 on. Offset 9 is the reservation; offset 10 belongs to the
    first participant, so a domain where a stranger already talks is passed over.
    """
    start = os.getpid()
    for step in range(len(DOMAINS)):
        domain = DOMAINS[(start + step) % len(DOMAINS)]
        try:
            held = _bind(_dds_port(domain, 9))
        except OSError:
            continue
        try:
            _bind(_dds_port(domain, 10)).close()
        except OSError:
            held.close()
            continue
        return domain, held
    raise RuntimeError(f'none of the ROS domains {DOMAINS[0]}..{DOMAINS[-1]} is free')


@pytest.fixture
def ros_domain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[int]:
    """Give the test, and the processes it starts, a ROS domain that nothing else here uses."""
    domain, held = _reserve_domain()
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    monkeypatch.delenv('ROS_STATIC_PEERS', raising=False)
    monkeypatch.delenv('ROS_LOCALHOST_ONLY', raising=False)
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'ros_log'))
    before = set(psutil.Process().children(recursive=True))
    yield domain
    left = _end(set(psutil.Process().children(recursive=True)) - before)
    held.close()
    assert not left, f'left running: {left}'


@pytest.fixture
def ros(ros_domain: int) -> Iterator[int]:
    """Initialise rclpy's default context in the test's own domain."""
    import rclpy

    rclpy.init(args=[], domain_id=ros_domain)
    yield ros_domain
    rclpy.try_shutdown()


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Wait for a condition: `wait_until(predicate, timeout_sec=30.0, spin=None)`.

    `spin` is called between checks, for example `lambda: executor.spin_once(timeout_sec=0.05)`.
    Fails the test when the condition does not hold before the deadline.
    """

    def wait(
        predicate: Callable[[], object],
        timeout_sec: float = 30.0,
        spin: Callable[[], object] | None = None,
    ) -> None:
        idle = threading.Event()
        deadline = time.monotonic() + timeout_sec
        while not predicate():
            if time.monotonic() > deadline:
                pytest.fail(f'not so within {timeout_sec:g} s', pytrace=True)
            if spin is None:
                idle.wait(POLL_SEC)
            else:
                spin()

    return wait


def _end(processes: set[psutil.Process]) -> list[str]:
    """Kill the processes and describe those that were ours to stop."""
    left = []
    for process in processes:
        try:
            command = ' '.join(process.cmdline())
            # multiprocessing keeps its tracker for as long as the interpreter lives
            if process.status() == psutil.STATUS_ZOMBIE or 'resource_tracker' in command:
                continue
            left.append(f'{process.pid} {command}')
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=EXIT_SEC if left else 0)
    return left


@pytest.fixture(scope='session', autouse=True)
def _no_process_outlives_the_tests() -> Iterator[None]:
    yield
    left = _end(set(psutil.Process().children(recursive=True)))
    assert not left, f'tests left processes running: {left}'


@pytest.fixture
def make_graph() -> Callable[..., bytes]:
    """Make an ONNX graph with the inputs and outputs of a twin's model, but no wits.

    It says that everybody walks ahead at `speed`, give or take 0.2 m/s, and synthesizes the IMU
    rows that it is given, whose parts swing by `rms` at 2 steps a second. With `fragile` it fails
    as soon as somebody's heading is valid.
    """
    from onnx import TensorProto, helper, numpy_helper

    from utt_ros.motion.features import CONTEXT
    from utt_ros.motion.gait import HARMONICS, INERTIAL_CHANNELS
    from utt_ros.settings import WindowSettings
    from utt_ros.types import CHANNELS

    def make(
        speed: float = 1.2, shape: WindowSettings | None = None, *, fragile: bool = False,
        rms: float = 1e-9,
    ) -> bytes:
        shape = shape or WindowSettings()
        inputs = []
        for name, channels in CHANNELS.items():
            rows = shape.ticks * (shape.imu_rows if name == 'imu' else 1)
            inputs += [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ['S', rows, len(channels)]),
                helper.make_tensor_value_info(f'{name}_mask', TensorProto.BOOL, ['S', rows])]
        inputs.append(helper.make_tensor_value_info(
            'context', TensorProto.FLOAT, ['S', len(CONTEXT)]))
        steps = shape.period * np.arange(1, shape.horizon + 1)
        constants = {
            'none': np.zeros(1, np.float32), 'one': np.ones(1, np.float32),
            'first': np.array([0]), 'second': np.array([1]), 'third': np.array([2]),
            'begin': np.array([-shape.imu_rows]), 'end': np.array([2**31]),
            'ahead': np.array([speed, 0.0], np.float32),
            'spread': np.full(2, np.log(0.2), np.float32),
            'path': np.stack([speed * steps, 0 * steps], 1).astype(np.float32),
            'path_spread': np.full((shape.horizon, 2), np.log(0.5), np.float32),
            'steps': np.full(1, 2.0, np.float32),
            'strength': np.full((INERTIAL_CHANNELS, HARMONICS + 1), np.log(rms), np.float32)}
        nodes = [
            helper.make_node('Slice', ['context', 'first', 'second', 'second'], ['valid']),
            helper.make_node('Mul', ['valid', 'none'], ['zero']),
            helper.make_node('Sub', ['one', 'valid'], ['invalid']),
            helper.make_node('Div', ['ahead', 'invalid'] if fragile else ['ahead', 'one'],
                             ['pace']),
            helper.make_node('Add', ['zero', 'pace'], ['velocity']),
            helper.make_node('Add', ['zero', 'spread'], ['velocity_log_std']),
            helper.make_node('Unsqueeze', ['zero', 'third'], ['zeros']),
            helper.make_node('Add', ['zeros', 'path'], ['future']),
            helper.make_node('Add', ['zeros', 'path_spread'], ['future_log_std']),
            helper.make_node('Slice', ['imu', 'begin', 'end', 'second'], ['synthesized_imu']),
            helper.make_node('Identity', ['synthesized_imu'], ['transferred_imu']),
            helper.make_node('Squeeze', ['zero', 'second'], ['still']),
            helper.make_node('Add', ['still', 'steps'], ['cadence']),
            helper.make_node('Add', ['zeros', 'strength'], ['swing_log_rms'])]
        outputs = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
            for name in ('velocity', 'velocity_log_std', 'future', 'future_log_std',
                         'synthesized_imu', 'cadence', 'swing_log_rms', 'transferred_imu')]
        graph = helper.make_graph(
            nodes, 'tiny', inputs, outputs,
            [numpy_helper.from_array(value, name) for name, value in constants.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)])
        model.ir_version = 8
        return model.SerializeToString()

    return make


@pytest.fixture
def make_task_graph() -> Callable[..., bytes]:
    """Make the ONNX graph of a task twin that reads its sources and always gives `rows` (C, F).

    With `fragile` the result is not finite as soon as a source holds a number other than 0.
    """
    from onnx import TensorProto, helper, numpy_helper

    from utt_ros.settings import WindowSettings
    from utt_ros.types import CHANNELS

    def make(
        sources: tuple[str, ...], target: str, rows: object, shape: WindowSettings | None = None,
        *, fragile: bool = False,
    ) -> bytes:
        shape = shape or WindowSettings()
        inputs, nodes, sums = [], [], ['rows']
        for name in sources:
            length = shape.ticks * (shape.imu_rows if name == 'imu' else 1)
            inputs += [
                helper.make_tensor_value_info(
                    name, TensorProto.FLOAT, ['S', length, len(CHANNELS[name])]),
                helper.make_tensor_value_info(f'{name}_mask', TensorProto.BOOL, ['S', length])]
            nodes += [
                helper.make_node('ReduceSum', [name, 'axes'], [f'{name}_sum']),
                helper.make_node('Mul', [f'{name}_sum', 'factor'], [f'{name}_zero']),
                helper.make_node('Add', [sums[-1], f'{name}_zero'], [f'with_{name}'])]
            sums.append(f'with_{name}')
        nodes[-1].output[0] = f'newest_{target}'
        constants = {
            'rows': np.asarray(rows, np.float32), 'axes': np.array([1, 2]),
            'factor': np.float32(3e38 if fragile else 0.0)}
        output = helper.make_tensor_value_info(f'newest_{target}', TensorProto.FLOAT, None)
        graph = helper.make_graph(
            nodes, 'task', inputs, [output],
            [numpy_helper.from_array(value, name) for name, value in constants.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 18)])
        model.ir_version = 8
        return model.SerializeToString()

    return make


@pytest.fixture
def serve_area(ros: int, tmp_path: Path) -> Iterator[Callable[..., 'TwinModels']]:
    """Serve task twins as trainers do: `serve_area('hall', ('ftm', 'imu'))`, in a thread.

    It returns the models, untrained, with their `node`; state folders are tmp_path/state/<area>.
    """
    from types import SimpleNamespace

    from rclpy.executors import SingleThreadedExecutor
    from rclpy.node import Node

    from utt_ros.bridge.node.twin_services import TwinServices
    from utt_ros.federation.checkpoints import Checkpoint
    from utt_ros.models.settings import ModelSettings, dump_config
    from utt_ros.models.twin import initial_weights
    from utt_ros.settings import AreaSettings, WindowSettings
    from utt_ros.training.twin_models import open_twin_models

    model, shape = ModelSettings(width=16, heads=2, feedforward=16), WindowSettings(ticks=8)
    current = Checkpoint('fed', 3, dump_config(model, shape), initial_weights(model, shape, 1))
    executor, nodes, closed = SingleThreadedExecutor(), [], threading.Event()

    def spin() -> None:
        while not closed.is_set():
            executor.spin_once(timeout_sec=0.05)

    thread = threading.Thread(target=spin, name='areas')
    thread.start()

    def serve(area: str, modalities: tuple[str, ...]) -> 'TwinModels':
        models = open_twin_models(
            AreaSettings(area=area, modalities=modalities), str(tmp_path / 'state' / area),
            SimpleNamespace(current=current))
        models.follow()
        models.node = Node('trainer', namespace=area)
        nodes.append(models.node)
        TwinServices(models.node, area, models)
        executor.add_node(models.node)
        return models

    yield serve
    closed.set()
    thread.join()
    executor.shutdown()
    for node in nodes:
        node.destroy_node()


@pytest.fixture
def make_bag() -> Callable[..., Path]:
    """`make_bag(folder, '/hall/camera/tracks', ...)` writes a bag with one message per topic."""
    from utt_ros.sessions.bag_io import write_bag
    from utt_ros.sessions.bag_streams import BagStream

    def make(folder: Path, *topics: str) -> Path:
        folder.parent.mkdir(parents=True, exist_ok=True)
        kinds = {'tracks': 'utt_ros/msg/Tracks', 'ftm': 'utt_ros/msg/FtmRange',
                 'odom': 'nav_msgs/msg/Odometry', 'data_raw': 'sensor_msgs/msg/Imu',
                 'mag': 'sensor_msgs/msg/MagneticField'}
        write_bag(folder, [
            BagStream(topic, kinds.get(topic.rpartition('/')[2], 'std_msgs/msg/Empty'), True,
                      np.array([1_000_000_000]), [bytes((0, 1, 0, 0))])
            for topic in topics], {})
        return folder

    return make


@pytest.fixture(scope='session')
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write bags of two simulated areas, the second without a camera: three half minutes each."""
    from utt_ros.sessions.session_bags import write_area, write_session
    from utt_ros.sessions.simulator.world import plan_sessions, simulate_session

    folder = tmp_path_factory.mktemp('sessions')
    for planned in plan_sessions(2, 1.5, 1, ['area1']):
        area = planned.area.settings
        write_area(area, folder / area.area)
        write_session(simulate_session(planned), area, folder / area.area / planned.name)
    return folder


@pytest.fixture(scope='session')
def data(sessions: Path, tmp_path_factory: pytest.TempPathFactory) -> 'Recordings':
    """Load the bags of `sessions`."""
    from utt_ros.training.recordings import load_recordings
    from utt_ros.training.trainer import use_one_thread

    use_one_thread()
    return load_recordings(sessions, tmp_path_factory.mktemp('cache'))


@pytest.fixture
def recipe() -> 'Recipe':
    """Return the recipe of a small model that trains for two short rounds."""
    from utt_ros.models.settings import ModelSettings
    from utt_ros.training.training_recipe import Recipe

    return Recipe(
        model=ModelSettings(width=8, heads=2, feedforward=8), rounds=2, local_steps=2, batch=8)


@pytest.fixture
def mini() -> Path:
    """Return the folder of small recordings beside the checkout, or skip the test."""
    if not MINI.is_dir():
        pytest.skip('there are no recordings beside the checkout')
    return MINI


@pytest.fixture(scope='module')
def chromium() -> Iterator[Any]:
    """Start Chromium, or skip the tests. Not longer than a module: asyncio has to wait for it."""
    from utt_ros.errors import UttError
    from utt_ros.evaluation.benchmarks.browser_frames import open_chromium

    try:
        with open_chromium() as browser:
            yield browser
    except UttError as err:
        pytest.skip(str(err))
