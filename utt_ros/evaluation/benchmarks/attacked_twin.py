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

"""Hostile graphs against a twin that works: each is refused or dropped, and no tick waits long."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from threading import Thread

import numpy as np

from utt_ros.errors import ModelError
from utt_ros.evaluation.benchmarks.hostile_graphs import HOSTILE_KINDS, hostile_graph
from utt_ros.geometry.camera import CameraModel
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.twin.engine import TwinEngine
from utt_ros.twin.graph_trial import GraphTrial
from utt_ros.twin.onnx_model import OnnxModel
from utt_ros.types import NS_PER_S, SyncedBatch

ATTACKED_MODEL = ModelSettings(width=16, heads=2, feedforward=16)
AREA = AreaSettings(area='attacked')
START_NS = 1_700_000_000 * NS_PER_S
GENUINE, HOSTILE = 1, 2  # rounds
OUTCOME_SEC = 60.0  # limit for a refusal or a drop


@dataclass(frozen=True, slots=True)
class GraphAttack:
    """Outcome of one hostile graph."""

    kind: str
    reason: str  # of the refusal or the drop; empty: it serves
    silent_s: float  # longest time between the ends of two ticks, which are 0.1 s apart


def attack_twin(kinds: Iterable[str] = HOSTILE_KINDS) -> list[GraphAttack]:
    """Deploy hostile graphs to a twin, one after the other, as its node does."""
    window = WindowSettings()
    genuine = export_onnx(UnifiedTwin(ATTACKED_MODEL, window))
    trial = GraphTrial(window)
    try:
        return [_attack(kind, genuine, window, trial) for kind in kinds]
    finally:
        trial.close()


def _attack(
    kind: str, genuine: bytes, window: WindowSettings, trial: GraphTrial,
) -> GraphAttack:
    engine, good = TwinEngine(AREA, window), OnnxModel(genuine, window)
    engine.deploy(good, GENUINE)
    batches = walking_batches(window)
    engine.step(next(batches))
    payload, refusals = hostile_graph(kind, genuine), list[str]()

    def use() -> None:
        try:
            trial.check(payload)
            engine.deploy(OnnxModel(payload, window, good, is_tried=True), HOSTILE)
        except ModelError as err:
            refusals.append(str(err))

    worker = Thread(target=use, daemon=True)
    worker.start()
    begin_s = ended_s = time.monotonic()
    silent_s, reason = 0.0, ''
    while not reason and ended_s - begin_s < OUTCOME_SEC:
        engine.step(next(batches))
        now_s = time.monotonic()
        silent_s, ended_s = max(silent_s, now_s - ended_s), now_s
        reason = refusals[0] if refusals else engine.failure if engine.models.dropped else ''
        time.sleep(max(0.0, window.period - (time.monotonic() - ended_s)))
    worker.join()
    return GraphAttack(kind, reason if engine.models.round == GENUINE else '', silent_s)


def walking_batches(window: WindowSettings) -> Iterator[SyncedBatch]:
    """Yield ticks of two people who walk along x, with phones that point ahead."""
    camera, count = CameraModel(AREA), 2
    imu = np.zeros((count, window.imu_rows, 9), np.float32)
    imu[..., 2], imu[..., 6:] = 9.81, (0.0, 28e-6, -30e-6)
    known = np.ones(count, bool)
    sequence = 0
    while True:
        x = 5.0 + 0.1 * (sequence % 50)
        position = np.array([[x, 1.0], [x, -1.0]])
        ranges = np.hypot(np.hypot(*position.T), 1.3)
        yield SyncedBatch(
            START_NS + round(sequence * window.period * NS_PER_S), 0, sequence, True,
            ('ann', 'bob'), ('', ''), np.ones(count, np.float32),
            camera.project(position).astype(np.float32), known,
            np.stack([ranges, np.full(count, 0.3)], 1).astype(np.float32),
            np.full(count, 0.1, np.float32), known, imu, np.ones(imu.shape[:2], bool))
        sequence += 1
