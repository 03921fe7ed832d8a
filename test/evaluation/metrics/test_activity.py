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

"""Activity recognition from the IMU."""

from dataclasses import replace

import numpy as np

from utt_ros.evaluation.ground_truth import SubjectTrajectory
from utt_ros.evaluation.metrics.activity import (
    SPAN_TICKS,
    activity_examples,
    balanced_accuracy,
)


def test_walking_and_standing_are_classified(walk: SubjectTrajectory) -> None:
    rng = np.random.default_rng(0)
    still = np.tile(walk.truth.positions_m[:1], (len(walk.truth.positions_m), 1))
    standing = replace(walk, truth=replace(walk.truth, positions_m=still),
                       imu=(walk.imu.mean((0, 1)) + 0.05 * rng.standard_normal(
                           walk.imu.shape)).astype(np.float32))
    known = np.ones(walk.imu_mask.shape, bool)
    parts = [activity_examples(each, each.imu, known) for each in (walk, standing)]
    assert [labels.mean() for _, labels in parts] == [1.0, 0.0]
    assert len(parts[0][1]) == len(walk.imu) // SPAN_TICKS
    both = tuple(np.concatenate(each) for each in zip(*parts, strict=True))
    assert balanced_accuracy(both, both) == 1.0  # type: ignore[arg-type]
    assert np.isnan(balanced_accuracy(parts[0], both))  # type: ignore[arg-type]
