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

"""Operations of running areas over real DDS: a camera for an area without one, and its undoing.

Samples are of simulated sessions, in windows that are quick to train on. The model of the hall
was trained for a moment in a third area, the school.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import GetState
from nav_msgs.msg import Path as TrajectoryPath
from utt_ros.msg import SyncedSamples, TaskTwins, Tracks

from utt_ros.bridge.messages.sensors import samples_to_message, to_ns
from utt_ros.bridge.messages.task_twins import twins_from_message
from utt_ros.bridge.node.operation_client import OperationClient
from utt_ros.bridge.node.qos import COLLECTED, RELIABLE, SENSOR
from utt_ros.bridge.node.twin_services import TWINS_TOPIC
from utt_ros.geometry.camera import CameraModel
from utt_ros.models.model_card import save_model
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import initial_weights
from utt_ros.sessions.simulator.world import SessionPlan, plan_sessions, simulate_session
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.offline_sync import synchronize
from utt_ros.sync.window_buffer import cut_windows
from utt_ros.task_twins.operation_request import OperationOutcome, OperationRequest
from utt_ros.task_twins.running_operation import OperationCanceled
from utt_ros.task_twins.types import TaskTwin
from utt_ros.training.dataset import make_examples
from utt_ros.training.settings import LearningSettings
from utt_ros.training.trainer import area_trainer, use_one_thread
from utt_ros.types import SyncedBatch

pytestmark = pytest.mark.timeout(300)  # about 60 s, unless others keep the processors busy
WINDOW = WindowSettings(ticks=12, imu_rows=2, horizon=4)
MODEL = ModelSettings(width=16, heads=2, feedforward=32)
STRIDE, BATCH, RATE = 2, 32, 3e-3
SCHOOL_STEPS = 50  # enough for a half-trained model, which fine-tuning improves
BUDGET = 200  # windows
LONG_SEC = 3600.0  # of fine-tuning
SLOW_TUNING = {  # small steps in a large number, each of which improves: more than 10 s
    'window_stride': 1, 'batch': 12, 'learning_rate': 1e-6}
UTT = [sys.executable, '-c', 'import sys; from utt_ros.cli.main import main; sys.exit(main())']
DEPTH = 2  # channel of a box
LAP_TICKS = 40
LAP_NS = 100_000_000_000
LATE_SPINS = 6
LEASE_SEC = 2  # of the client that is killed: DDS waits 20 s by default
PROFILE = f"""<profiles xmlns="http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles">
<participant profile_name="short" is_default_profile="true"><rtps><builtin><discovery_config>
<leaseDuration><sec>{LEASE_SEC}</sec></leaseDuration>
<leaseAnnouncement><sec>1</sec></leaseAnnouncement>
</discovery_config></builtin></rtps></participant></profiles>"""
CAMERA_OF_STAIRS = OperationRequest('transfer', ('hall_trajectory',), ('stairs',), ('trajectory',))
TUNED = replace(CAMERA_OF_STAIRS, max_windows=BUDGET)
SLOW = replace(CAMERA_OF_STAIRS, max_seconds=LONG_SEC)
Boxes = dict[tuple[int, str], np.ndarray]  # by tick of a lap and subject: (5,)


@dataclass(frozen=True, slots=True)
class World:
    """Simulated areas, the second without a camera, and a model of a third one."""

    areas: dict[str, AreaSettings]
    samples: dict[str, list[SyncedBatch]]
    depths: dict[tuple[int, str], float]  # true ones in the stairs, by tick and subject [m]
    model: Path


@pytest.fixture(scope='module')
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Simulate the areas, and train the model."""
    use_one_thread()
    planned = plan_sessions(3, 3.0, 1, ['area1'])
    plans = {name: [item for item in planned if item.area.index == index]
             for index, name in enumerate(('hall', 'stairs', 'school'))}
    areas = {name: replace(plans[name][0].area.settings, area=name) for name in plans}
    samples = {name: read(plans[name][-1], areas[name]) for name in ('hall', 'stairs')}
    learning = LearningSettings(batch=BATCH, learning_rate=RATE, terms=('transfer', 'merge'))
    trainer = area_trainer(MODEL, WINDOW, areas['school'], learning)
    for plan in plans['school'][:2]:
        for windows in cut_windows(
                read(plan, areas['school']), WINDOW, WINDOW.ticks + WINDOW.horizon, STRIDE):
            trainer.memory.training.add(make_examples(windows, areas['school'], WINDOW))
    trainer.load(initial_weights(MODEL, WINDOW, 0))
    trainer.train(SCHOOL_STEPS)
    model = tmp_path_factory.mktemp('model') / 'school.safetensors'
    save_model(model, trainer.twin, 'simulated', {}, {})
    depths = true_depths(plans['stairs'][-1], areas['stairs'], samples['stairs'][:LAP_TICKS])
    return World(areas, samples, depths, model)


def true_depths(
    plan: SessionPlan, area: AreaSettings, batches: list[SyncedBatch],
) -> dict[tuple[int, str], float]:
    truth, camera, depths = simulate_session(plan).truth, CameraModel(area), {}
    for tick, batch in enumerate(batches):
        for name in batch.subjects:
            near = np.abs(truth[name].stamps_ns - batch.stamp_ns).argmin()
            depths[tick, name] = camera.project(truth[name].positions_m[near])[DEPTH]
    return depths


def read(plan: SessionPlan, area: AreaSettings) -> list[SyncedBatch]:
    return list(synchronize(simulate_session(plan), modalities=area.modalities, windows=WINDOW))


class Building:
    """Nodes of the areas as processes, and everything that these publish."""

    def __init__(
        self, world: World, start_node: Callable, listener: Any, wait_until: Callable,
        folder: Path,
    ) -> None:
        self.folder, self._world = folder, world
        self._start, self._listener, self._wait = start_node, listener, wait_until
        self._twins: dict[str, tuple[TaskTwin, ...]] = {}
        self._values: dict[str, dict[str, str]] = {}  # newest diagnostics, by node
        self._since_ns = 0
        self._laps, self._frames, self._paths = 0, dict[str, list[Tracks]](), list[Any]()
        self._publishers = {}
        node = listener.node
        node.create_subscription(TaskTwins, TWINS_TOPIC, self._on_twins, COLLECTED)
        node.create_subscription(DiagnosticArray, '/diagnostics', self._on_values, RELIABLE)
        for name in {who for batch in world.samples['stairs'] for who in batch.subjects}:
            node.create_subscription(
                TrajectoryPath, f'/stairs/twins/{name}/trajectory', self._paths.append, RELIABLE)

    def _on_twins(self, message: TaskTwins) -> None:
        self._twins[message.area] = twins_from_message(message)

    def _on_values(self, message: DiagnosticArray) -> None:
        if to_ns(message.header.stamp) > self._since_ns:
            for status in message.status:
                self._values[status.name] = {item.key: item.value for item in status.values}

    def wait(self, condition: Callable[[], object], timeout_sec: float = 90.0) -> None:
        self._wait(condition, timeout_sec, self._listener.spin)

    def await_value(self, area: str, key: str, check: Callable[[str], bool]) -> None:
        """Wait until diagnostics of a trainer, from now on, have a value that passes."""
        self._since_ns = self._listener.node.get_clock().now().nanoseconds
        self._values.clear()
        self.wait(lambda: check(self._values.get(f'{area}: trainer', {}).get(key, '-1')))

    def start_trainer(self, area: str, **parameters: object) -> Any:
        """Start a trainer; the novice begins untrained, the others with the school's model."""
        self._twins.pop(area, None)
        if area != 'novice':
            parameters['initial_model'] = self._world.model
        settings = self._world.areas['stairs' if area == 'stairs' else 'hall']
        return self._run('trainer', area, settings, {
            'state_dir': self.folder / area, 'federated': 'false', 'learn': 'false',
            'window_stride': STRIDE, 'batch': BATCH, 'learning_rate': RATE, 'holdout_block': 5.0,
            'model.width': MODEL.width, 'model.heads': MODEL.heads,
            'model.feedforward': MODEL.feedforward, **parameters})

    def start_twin(self) -> None:
        self._run('twin', 'stairs', self._world.areas['stairs'], {})

    def _run(self, node: str, area: str, settings: AreaSettings, given: dict) -> Any:
        given |= {
            'area': area, 'modalities': str(list(settings.modalities)).replace(' ', ''),
            'magnetic_yaw': settings.magnetic_yaw, 'signed': 'true', 'ticks': WINDOW.ticks,
            'imu_rows': WINDOW.imu_rows, 'horizon': WINDOW.horizon}
        return self._start(node, '--ros-args', '-r', f'__ns:=/{area}', *(
            word for name, value in given.items() for word in ('-p', f'{name}:={value}')))

    def await_models(self, *areas: str) -> None:
        for area in areas:
            self.wait(lambda area=area: area in self._twins and all(
                twin.model.checksum for twin in self._twins[area]))

    def feed(self, *areas: str) -> None:
        """Publish the samples of the hall to the trainers of areas, as fast as these follow."""
        samples = self._world.samples['hall']
        for area in areas:
            client = self._listener.node.create_client(GetState, f'/{area}/trainer/get_state')
            self.wait(client.service_is_ready)
            for count, batch in enumerate(samples, 1):
                self._publisher(area, 1).publish(samples_to_message(batch, area))
                if count % 20 == 0 or count == len(samples):  # the queue of a reader holds 50
                    self.wait(client.call_async(GetState.Request()).done)
            self.await_value(  # the first samples may be lost
                area, 'ticks', lambda value: int(value) > 0.9 * len(samples))

    def lap(self) -> None:
        """Publish the same samples of the stairs again, later, as fast as the twin follows."""
        self._laps += 1
        publisher, self._paths[:] = self._publisher('stairs', 2), ()
        for batch in self._world.samples['stairs'][:LAP_TICKS]:
            stamp_ns = batch.stamp_ns + self._laps * LAP_NS
            publisher.publish(samples_to_message(
                replace(batch, stamp_ns=stamp_ns, epoch=self._laps), 'stairs'))
            self.wait(lambda stamp_ns=stamp_ns: self._paths and to_ns(
                self._paths[-1].header.stamp) >= stamp_ns)
        for _ in range(LATE_SPINS):  # boxes are published after predictions
            self._listener.spin()

    def boxes(self, twin_id: str) -> Boxes:
        """Return the boxes of a task twin of the stairs in a new lap, of which few may be lost."""
        if twin_id not in self._frames:
            self._frames[twin_id] = self._listener.hear(
                Tracks, f'/stairs/twins/{twin_id}/camera/tracks', SENSOR)
        frames = self._frames[twin_id]
        self.lap()
        self._wait(lambda: len(self._ticks(frames)) > 0.8 * LAP_TICKS, 90.0, self.lap)
        return self.newest_boxes(twin_id)

    def newest_boxes(self, twin_id: str) -> Boxes:
        """Return the boxes of a task twin, heard before, in the newest lap."""
        frames = self._frames[twin_id]
        return {(tick, track.subject): np.array(
            [track.center_x, track.center_y, track.depth, track.width, track.height])
            for tick, frame in self._ticks(frames).items() for track in frame.tracks}

    def _ticks(self, frames: list[Tracks]) -> dict[int, Tracks]:
        """Return the frames of the newest lap, by tick."""
        ticks = {batch.stamp_ns + self._laps * LAP_NS: tick
                 for tick, batch in enumerate(self._world.samples['stairs'][:LAP_TICKS])}
        stamps = [to_ns(frame.header.stamp) for frame in frames]
        return {ticks[stamp]: frame for stamp, frame in zip(stamps, frames, strict=True)
                if stamp in ticks}

    def _publisher(self, area: str, readers: int) -> Any:
        if area not in self._publishers:
            self._publishers[area] = self._listener.node.create_publisher(
                SyncedSamples, f'/{area}/synced', RELIABLE)
        self.wait(lambda: self._publishers[area].get_subscription_count() >= readers)
        return self._publishers[area]

    def state(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Return all task twins, as the areas publish them, and their files."""
        paths = (path for area in self._twins for path in (self.folder / area / 'twins').iterdir())
        files = {str(path.relative_to(self.folder)): path.read_bytes() for path in paths}
        return dict(self._twins), files


@pytest.fixture
def building(
    world: World, start_node: Callable, listener: Any, wait_until: Callable, tmp_path: Path,
) -> Building:
    return Building(world, start_node, listener, wait_until, tmp_path)


@pytest.fixture
def client(ros_domain: int) -> Iterator[OperationClient]:
    with OperationClient(90.0) as made:
        yield made


def operate(client: OperationClient, request: OperationRequest) -> OperationOutcome:
    return client.operate(request, lambda _: None, lambda: False)[0]


def test_transfer_gives_an_area_a_camera_that_is_better_than_its_alternatives(
    building: Building, client: OperationClient, world: World,
) -> None:
    building.start_trainer('hall')
    building.start_trainer('stairs')
    building.start_trainer('novice', learning_rate=2 * RATE)  # of which fine-tuning takes half
    building.start_twin()
    building.await_models('hall', 'stairs', 'novice')
    building.feed('hall', 'novice')
    zero_shot = operate(client, CAMERA_OF_STAIRS)
    tuned = operate(client, TUNED)
    scratch = operate(client, OperationRequest(
        'merge', ('novice_position', 'novice_tracking'), ('novice',), ('trajectory',), BUDGET))
    (twin,), (alternative,), (untuned,) = tuned.twins, scratch.twins, zero_shot.twins
    assert (twin.id, twin.area, twin.status) == ('stairs_trajectory_3', 'stairs', 'serving')
    assert (twin.sources, twin.target) == (alternative.sources, alternative.target) == (
        ('ftm', 'imu'), 'camera')
    assert tuned.windows == scratch.windows == BUDGET
    assert twin.judged_windows == untuned.judged_windows > 100
    assert tuned.nmse_before == pytest.approx((untuned.mean_nmse,))
    assert twin.mean_nmse < 0.9 * untuned.mean_nmse
    assert twin.mean_nmse < 0.9 * alternative.mean_nmse < 0.9 * scratch.nmse_before[0]
    boxes = building.boxes(twin.id)
    depths = np.array([boxes[key][DEPTH] for key in boxes])
    true = np.array([world.depths[key] for key in boxes])
    assert np.mean((depths - true) ** 2) < 0.7 * np.var(true)


def test_an_operation_that_ends_half_way_changes_nothing_and_a_rollback_undoes_one(
    building: Building, client: OperationClient,
) -> None:
    hall = building.start_trainer('hall', **SLOW_TUNING)
    stairs = building.start_trainer('stairs')
    building.start_twin()
    building.await_models('hall', 'stairs')
    building.feed('hall')
    (former,) = operate(client, CAMERA_OF_STAIRS).twins
    assert building.boxes(former.id)
    (twin,) = operate(client, replace(CAMERA_OF_STAIRS, sources=('hall_position',))).twins
    assert twin.replaces == former.id
    assert building.boxes(twin.id)
    before = building.state()
    assert before[0]['stairs'][-1] == twin

    def assert_unchanged() -> None:
        assert building.boxes(twin.id)
        assert not building.newest_boxes(former.id)
        assert building.state() == before

    steps = []
    with pytest.raises(OperationCanceled):
        client.operate(
            SLOW, lambda at: steps.append(at.step), lambda: max(steps, default=0) > 2)
    assert_unchanged()

    doomed = begin_in_background(building)
    doomed.kill()
    doomed.wait()
    building.await_value('hall', 'operation', lambda note: not note)
    assert_unchanged()

    left = begin_in_background(building)
    for trainer in (hall, stairs):
        trainer.expect(-9)
        trainer.process.kill()
        trainer.wait()
    for area in ('hall', 'stairs'):
        building.start_trainer(area)
    building.await_models('hall', 'stairs')
    assert left.wait(60.0) == 1
    assert_unchanged()

    client.manage('rollback', twin.id)
    assert building.boxes(former.id)
    assert not building.newest_boxes(twin.id)


def begin_in_background(building: Building) -> subprocess.Popen:
    """Return `utt transfer` as a process whose operation is being worked on."""
    building.await_value('hall', 'operation', lambda note: not note)
    (building.folder / 'profile.xml').write_text(PROFILE)
    process = subprocess.Popen(
        [*UTT, 'transfer', 'hall_trajectory', '--to-task', 'trajectory',
         '--to-area', 'stairs', '--seconds', f'{LONG_SEC:g}', '--wait', '60'],
        env=os.environ | {'FASTRTPS_DEFAULT_PROFILES_FILE': str(building.folder / 'profile.xml')})
    building.await_value('hall', 'operation', lambda note: note.endswith(': tune'))
    return process
