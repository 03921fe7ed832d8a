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

"""Simulated walks: windows of three sensors that are informative about each other; trainers."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import TwinError, UttError
from utt_ros.federation.types import GlobalModel, TwinHandover
from utt_ros.federation.wire import pack
from utt_ros.geometry.camera import CameraModel
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.motion.gait import GAIT_FEATURES
from utt_ros.motion.velocity import VELOCITY_FEATURES
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.task_twins.operation_request import OperationOutcome, OperationRequest
from utt_ros.task_twins.running_operation import RunningOperation
from utt_ros.task_twins.types import TaskTwin
from utt_ros.training.client import FederatedClient
from utt_ros.training.columns import Columns
from utt_ros.training.dataset import make_examples
from utt_ros.training.settings import LearningSettings, TrainerSettings
from utt_ros.training.twin_adoption import TwinAdoption
from utt_ros.training.twin_deployment import TwinDeployment
from utt_ros.training.twin_models import TwinModels, open_twin_models
from utt_ros.training.twin_operations import TwinOperations
from utt_ros.types import FURTHER_FTM, Windows

Walk = Callable[..., Windows]
FIELD_T = 3e-5
SMALL = ModelSettings(width=16, heads=2, feedforward=16)
LEARNING = LearningSettings(batch=16)
NS = 1_000_000_000


@pytest.fixture
def shape() -> WindowSettings:
    """Return settings of windows that are quick to train on."""
    return WindowSettings(ticks=12, imu_rows=4, horizon=8)


@pytest.fixture
def walk(shape: WindowSettings, rng: np.random.Generator) -> Walk:
    """Return a factory of windows of N people: straight walks, phones flat in the hand.

    Speeds are 0.3 to 1.8 m/s, the step amplitude is proportional to speed, phones head forward.
    """
    def make(
        area: AreaSettings, count: int, first_s: float = 10.0, every_s: float = 0.0,
    ) -> Windows:
        ticks = shape.ticks + shape.horizon
        now = shape.ticks - 1
        speed, heading = rng.uniform(0.3, 1.8, count), rng.uniform(-np.pi, np.pi, count)
        start = np.stack([rng.uniform(5, 9, count), rng.uniform(-2, 2, count)], axis=-1)
        velocity = speed[:, None] * np.stack([np.cos(heading), np.sin(heading)], axis=-1)
        seconds = shape.period * (np.arange(ticks) - now)
        paths = start[:, None] + seconds[:, None] * velocity[:, None]
        ranges = np.linalg.norm(paths, axis=-1) + rng.normal(0, 0.2, (count, ticks))
        phone = phones(speed, heading + area.magnetic_yaw, ticks * shape.imu_rows, shape, rng)
        values = {'camera': CameraModel(area).project(paths), 'imu': phone,
                  'ftm': np.stack([ranges, np.full_like(ranges, 0.4)], axis=-1)}
        masks = {name: np.full(item.shape[:2], name in area.modalities)
                 for name, item in values.items()}
        masks['ftm'][:, 1::3] = False
        if further := area.ap_positions[1:]:
            distances = np.linalg.norm(
                paths[:, :, None] - np.array(further)[:, :2], axis=-1)  # (N, ticks, A)
            noisy = distances + rng.normal(0, 0.2, distances.shape)
            values[FURTHER_FTM] = np.stack([noisy, np.full_like(noisy, 0.4)], axis=-1)
            masks[FURTHER_FTM] = np.broadcast_to(masks['ftm'][..., None], noisy.shape).copy()
        stamps = ((first_s + every_s * np.arange(count)) * NS).astype(np.int64)
        return Windows(
            stamps, tuple(f'p{number}' for number in range(count)),
            {name: np.where(masks[name][..., None], item, 0).astype(np.float32)
             for name, item in values.items()}, masks)
    return make


def phones(
    speed: np.ndarray, compass: np.ndarray, rows: int, shape: WindowSettings,
    rng: np.random.Generator,
) -> np.ndarray:
    """Simulate IMU (N, rows, 9) of phones with y axis along `compass`, from magnetic east."""
    seconds = shape.period / shape.imu_rows * np.arange(rows)
    phase = rng.uniform(0, 2 * np.pi, len(speed))[:, None]
    imu = 0.05 * rng.standard_normal((len(speed), rows, 9))
    imu[..., 2] += 9.81 + 2 * speed[:, None] * np.sin(4 * np.pi * seconds + phase)
    imu[..., 6:] *= 1e-5
    imu[..., 6] -= FIELD_T * np.cos(compass)[:, None]  # magnetic north in the phone's frame
    imu[..., 7] += FIELD_T * np.sin(compass)[:, None]
    return imu


@pytest.fixture
def labelled_columns() -> Callable[[int], Columns]:
    """Return a factory of labels of `count` people whose phones head along y, as does the course.

    The course is at 2 m/s, 3 m/s half a second before.
    """
    def make(count: int) -> Columns:
        return {
            'heading': np.full(count, np.pi / 2, np.float32),
            'heading_valid': np.ones(count, bool),
            'velocity': np.tile(np.float32([0.0, 1.0]), (count, 1)),
            'velocity_valid': np.ones(count, bool),
            'future': np.tile(np.float32([[0.0, 1.0], [1.0, 0.0]]), (count, 1, 1)),
            'future_valid': np.ones((count, 2), bool),
            'course': np.tile(np.float32([0.0, 2.0]), (count, len(VELOCITY_FEATURES), 1)),
            'course_late': np.tile(np.float32([0.0, 3.0]), (count, len(VELOCITY_FEATURES), 1)),
            'course_valid': np.ones(count, bool),
            'camera_mask': np.ones((count, 30), bool),
            'gait': np.ones((count, len(GAIT_FEATURES)), np.float32),
        }
    return make


@dataclass
class Trainer:
    """Parts of a trainer without ROS, and couriers to other ones."""

    area: AreaSettings
    window: WindowSettings
    client: FederatedClient
    models: TwinModels
    operations: TwinOperations
    adoption: TwinAdoption
    deployment: TwinDeployment
    folder: Path  # of its task twins

    def run(self, kind: str, *sources: str, **fields: object) -> OperationOutcome:
        return self.finish(self.operations.start(OperationRequest(kind, sources, **fields)))

    def finish(self, running: RunningOperation) -> OperationOutcome:
        while not running.outcome.done():
            self.operations.step()
        return running.outcome.result()

    def state(self) -> tuple[bytes, set[str]]:
        return ((self.folder / 'registry.json').read_bytes(),
                {path.name for path in self.folder.glob('*.safetensors')})

    def receive(self, round_: int) -> None:
        """Have the area receive a model, whose weights depend on its round."""
        packed = pack(initial_weights(SMALL, self.window, round_))
        self.client.inbox.put_model(GlobalModel(
            'fed', round_, dump_config(SMALL, self.window), packed.schema, packed.checksum,
            packed.payload))
        self.client.step(0.0)
        self.models.follow()


class Couriers:
    """Ways to trainers of the same process."""

    def __init__(self) -> None:
        self.trainers: dict[str, Trainer] = {}

    def sensors(self, area: str) -> 'Future[tuple[str, ...]]':
        pending: Future[tuple[str, ...]] = Future()
        if area in self.trainers:
            pending.set_result(self.trainers[area].area.modalities)
        else:
            pending.set_exception(TwinError(f'the trainer of {area} is away'))
        return pending

    def hand_over(self, handover: TwinHandover, area: str) -> 'Future[TaskTwin]':
        pending: Future[TaskTwin] = Future()
        try:
            pending.set_result(self.trainers[area].adoption.adopt(handover, lambda: None))
        except UttError as err:
            pending.set_exception(err)
        return pending

    def withdraw(self, area: str, twin_id: str) -> None:
        self.trainers[area].models.manage('rollback', twin_id)


@pytest.fixture
def build_trainer(tmp_path: Path, shape: WindowSettings, walk: Walk) -> Callable[..., Trainer]:
    """`build_trainer('hall', ('ftm', 'imu'), 200)` makes a trainer with 200 windows."""
    couriers = Couriers()

    def make(name: str, modalities: tuple[str, ...] = ('camera', 'ftm', 'imu'),
             windows: int = 200, round_: int = 1) -> Trainer:
        area = AreaSettings(area=name, modalities=modalities)
        client = FederatedClient(
            area, shape, SMALL, LEARNING, TrainerSettings(state_dir=str(tmp_path / name)))
        models = open_twin_models(area, str(tmp_path / name), client)
        trainer = couriers.trainers[name] = Trainer(
            area, shape, client, models,
            TwinOperations(area, shape, LEARNING, client=client, models=models, courier=couriers),
            TwinAdoption(area, shape, client, models), TwinDeployment(models),
            tmp_path / name / 'twins')
        if round_:
            trainer.receive(round_)
        for buffer, count in ((client.trainer.memory.training, windows),
                              (client.trainer.memory.held_out, windows // 4)):
            if count:
                buffer.add(make_examples(walk(area, count), area, shape))
        return trainer
    return make
