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

"""Replay of recorded ticks through the live engine: track estimates of every trajectory."""

from collections.abc import Iterable, Sequence

import numpy as np

from utt_ros.evaluation.ground_truth import SubjectTrajectory, TrackEstimate
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.twin.engine import TwinEngine
from utt_ros.twin.model_service import REPLAY_WAIT_S
from utt_ros.twin.onnx_model import OnnxModel
from utt_ros.twin.range_offsets import RangeOffsets
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.types import SyncedBatch


def replay_engine(
    area: AreaSettings, window: WindowSettings, graph: bytes | None,
    batches: Iterable[SyncedBatch], walks: Sequence[SubjectTrajectory],
    *, belief: ParticleFilterSettings | None = None, offsets: RangeOffsets | None = None,
) -> list[TrackEstimate]:
    """Estimate each trajectory with an engine and model (ONNX; None: particle filter alone).

    The engine has the settings `belief`, and begins with `offsets` of ranges, if they are given.
    """
    engine = TwinEngine(area, window, belief, offsets=offsets, max_wait_s=REPLAY_WAIT_S)
    if graph is not None:
        engine.deploy(OnnxModel(graph, window))
    rows = {(walk.subject, int(stamp)): (number, row) for number, walk in enumerate(walks)
            for row, stamp in enumerate(walk.stamps_ns)}
    tracks = [empty_track(len(walk.stamps_ns), window) for walk in walks]
    for batch in batches:
        outputs = engine.step(batch)
        for index, name in enumerate(outputs.subjects):
            number, row = rows.get((name, outputs.stamp_ns), (-1, 0))
            if number < 0:
                continue
            track = tracks[number]
            track.position[row] = outputs.position[index]
            track.covariance[row] = outputs.covariance[index]
            if track.future_displacements is not None:
                track.future_displacements[row] = (
                    outputs.trajectory[index] - outputs.position[index])
            for imu, imu_rows in ((outputs.imu, track.imu), (outputs.imu_mean, track.imu_mean)):
                if imu is not None and imu_rows is not None:
                    imu_rows[row] = imu[index]
    return tracks


def empty_track(ticks: int, window: WindowSettings) -> TrackEstimate:
    """Return a track of `ticks` ticks without estimates: all NaN."""
    imu = (ticks, window.imu_rows, 9)
    shapes = ((ticks, 2), (ticks, 2, 2), (ticks, window.horizon, 2), imu, imu)
    return TrackEstimate(*(np.full(shape, np.nan, np.float32) for shape in shapes))
