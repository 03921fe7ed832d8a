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

"""Errors of global models on the held-out sessions of an area, computed offline."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from utt_ros.demo.position_scores import PublishedPositions
from utt_ros.demo.scenes import DemoArea
from utt_ros.errors import SessionError
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.operations import operations, unique_pairs
from utt_ros.models.settings import load_config
from utt_ros.models.twin import build_twin
from utt_ros.sessions.session_bags import read_session
from utt_ros.settings import WindowSettings, from_mapping
from utt_ros.sync.offline_sync import synchronize
from utt_ros.sync.window_buffer import cut_windows
from utt_ros.training.columns import Columns
from utt_ros.training.dataset import make_examples
from utt_ros.training.metrics import nmse_by_operation, relative_errors, training_means
from utt_ros.training.replay_buffer import ReplayBuffer
from utt_ros.twin.engine import TwinEngine
from utt_ros.twin.model_service import REPLAY_WAIT_S
from utt_ros.twin.onnx_model import OnnxModel
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.twin.tick_types import TickPredictions

MAX_WINDOWS = 4096


def held_out_windows(area: DemoArea, bags: Sequence[Path], window: WindowSettings) -> Columns:
    """Cut sessions into windows that do not overlap. Raises SessionError when there is none."""
    return cut_sessions(area, bags, window, window.ticks).all()


def cut_sessions(
    area: DemoArea, bags: Sequence[Path], window: WindowSettings, stride: int,
) -> ReplayBuffer:
    """Cut sessions into windows that begin every `stride` ticks.

    Raises SessionError when there is none.
    """
    kept = ReplayBuffer(MAX_WINDOWS)
    for bag in bags:
        batches = synchronize(
            read_session(bag), modalities=area.settings.modalities, windows=window,
            access_points=area.settings.ap_addresses)
        ticks = window.ticks + window.horizon
        for windows in cut_windows(batches, window, ticks, stride=stride):
            kept.add(make_examples(windows, area.settings, window))
    if not len(kept):
        seconds = window.period * (window.ticks + window.horizon)
        raise SessionError(
            f'no session of area {area.name!r} has {seconds:.1f} s of consecutive measurements')
    return kept


def nmse_by_checkpoint(
    checkpoints: Sequence[Checkpoint], area: DemoArea,
) -> list[dict[str, float]]:
    """Compute NMSE_var by operation of each global model, over the test sessions of the area.

    The mean predictor that scales it is fitted to the training sessions of the area.
    """
    model, window = load_config(checkpoints[0].config)
    modalities = area.settings.modalities
    required = operations(modalities)
    means = training_means(held_out_windows(area, area.train, window), modalities)
    test = held_out_windows(area, area.test, window)
    results = []
    for checkpoint in checkpoints:
        twin = build_twin(model, window, checkpoint.tensors)
        errors = relative_errors(twin, test, unique_pairs(required), means)
        results.append(nmse_by_operation(errors, required))
    return results


def untrained_positions(initial: Checkpoint, area: DemoArea) -> list[PublishedPositions]:
    """Estimate positions with the initial model in each replayed session, offline.

    Engine and samples are the same as live; there are no beliefs of other areas.
    """
    model, window = load_config(initial.config)
    payload = export_onnx(build_twin(model, window, initial.tensors))
    positions = []
    for bag in area.replayed:
        belief = from_mapping(ParticleFilterSettings, area.belief)
        engine = TwinEngine(area.settings, window, belief, max_wait_s=REPLAY_WAIT_S)
        engine.deploy(OnnxModel(payload, window))
        batches = synchronize(
            read_session(bag), modalities=area.settings.modalities, windows=window,
            access_points=area.settings.ap_addresses)
        positions.append(_stack([engine.step(batch) for batch in batches]))
    return positions


def _stack(ticks: Sequence[TickPredictions]) -> PublishedPositions:
    """Stack predictions of ticks: one row per subject and tick."""
    counts = [len(tick.subjects) for tick in ticks]
    stamps_ns = np.repeat([tick.stamp_ns for tick in ticks], counts).astype(np.int64)
    return PublishedPositions(
        np.array([name for tick in ticks for name in tick.subjects], dtype=np.str_), stamps_ns,
        np.concatenate([tick.position for tick in ticks]).astype(np.float64),
        np.concatenate([tick.covariance for tick in ticks]).astype(np.float64),
        np.zeros_like(stamps_ns))
