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

"""The live engine over recorded ticks."""

from collections.abc import Callable

import numpy as np

from utt_ros.evaluation.engine_replay import replay_engine
from utt_ros.evaluation.ground_truth import SubjectTrajectory
from utt_ros.evaluation.metrics.position import CAMERA_GONE_S, track_errors
from utt_ros.evaluation.outages import mask_camera
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.types import SyncedBatch


def batches(walk: SubjectTrajectory) -> list[SyncedBatch]:
    return [SyncedBatch(
        int(stamp), 0, row, True, (walk.subject,), ('',), np.ones(1, np.float32),
        walk.camera[row:row + 1], walk.camera_mask[row:row + 1], walk.ftm[row:row + 1],
        np.zeros(1, np.float32), walk.ftm_mask[row:row + 1], walk.imu[row:row + 1],
        walk.imu_mask[row:row + 1]) for row, stamp in enumerate(walk.stamps_ns)]


def test_particle_filter_alone_tracks_a_walk(area: AreaSettings, walk: SubjectTrajectory) -> None:
    (track,) = replay_engine(area, WindowSettings(), None, batches(walk), [walk])
    assert np.median(track_errors(track, walk)) < 0.2
    assert track.future_displacements is not None
    assert np.isfinite(track.future_displacements).all()
    assert track.imu is not None
    assert np.isnan(track.imu).all()  # nothing is synthesized without a model


def test_masked_camera_adds_no_information(area: AreaSettings, walk: SubjectTrajectory) -> None:
    off = np.arange(len(walk.stamps_ns)) >= 100
    silent = mask_camera(batches(walk), off)
    assert [batch.camera_tick for batch in silent] == (~off).tolist()
    assert not any(batch.camera_mask.any() for batch in silent[100:])
    (track,) = replay_engine(area, WindowSettings(), None, silent, [walk])
    late = walk.camera_age_s(~off) > CAMERA_GONE_S
    assert np.median(track_errors(track, walk)[late]) > np.median(track_errors(track, walk)[:100])
    assert np.trace(track.covariance[-1]) > np.trace(track.covariance[99])


def test_a_replay_has_the_settings_of_the_belief(
    area: AreaSettings, walk: SubjectTrajectory,
) -> None:
    (default,), (sure,) = (
        replay_engine(area, WindowSettings(), None, batches(walk)[:50], [walk], belief=belief)
        for belief in (None, ParticleFilterSettings(body_spread=0.0)))
    assert np.trace(sure.covariance[49]) < 0.9 * np.trace(default.covariance[49])


def test_published_imu_and_its_mean_are_stored_separately(
    area: AreaSettings, walk: SubjectTrajectory, make_graph: Callable[..., bytes],
) -> None:
    graph = make_graph(rms=0.2)
    (track,) = replay_engine(area, WindowSettings(), graph, batches(walk)[:50], [walk])
    assert track.imu is not None
    assert track.imu_mean is not None
    assert np.isnan(track.imu[50:]).all()
    np.testing.assert_allclose(track.imu_mean[:50], walk.imu[:50], rtol=1e-5, atol=1e-6)
    assert 0.2 < (track.imu - track.imu_mean)[:50, :, 2].std() < 0.8
