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

"""Personalised tensors and scaling: never sent, never overwritten."""

from collections.abc import Mapping

import numpy as np
import torch

from utt_ros.evaluation.federated.personalisation import PersonalisedLearner, scale_locally
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin, read_weights
from utt_ros.settings import WindowSettings
from utt_ros.training.simulated_rounds import FederationPlan, run_federation

BEGIN = {'decoders.w': np.zeros(2, np.float32), 'fusor.w': np.zeros(2, np.float32)}


class Jump:
    """Learner of an area that jumps to its optimum."""

    def __init__(self, optimum: float) -> None:
        self.optimum = optimum
        self.window_count = 1
        self.modalities = ('imu',)

    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        self.loaded = dict(weights)

    def train(self, steps: int) -> float:
        return 0.0

    def update(self) -> dict[str, np.ndarray]:
        return {name: np.full_like(values, self.optimum) for name, values in BEGIN.items()}


def test_personal_tensors_stay_and_the_rest_is_shared() -> None:
    learners = {'a': Jump(1.0), 'b': Jump(3.0)}
    areas = {name: PersonalisedLearner(learner) for name, learner in learners.items()}
    result = run_federation(areas, BEGIN, FederationPlan(rounds=2))
    np.testing.assert_array_equal(result.weights['decoders.w'], 2.0)
    np.testing.assert_array_equal(result.weights['fusor.w'], 0.0)
    for name, optimum in (('a', 1.0), ('b', 3.0)):
        model = areas[name].merge(result.weights)
        np.testing.assert_array_equal(model['fusor.w'], optimum)
        np.testing.assert_array_equal(model['decoders.w'], 2.0)
        np.testing.assert_array_equal(learners[name].loaded['fusor.w'], optimum)


def test_personal_tensors_are_not_on_the_wire() -> None:
    whole = run_federation({'a': Jump(1.0)}, BEGIN, FederationPlan(rounds=1))
    parts = run_federation({'a': PersonalisedLearner(Jump(1.0))}, BEGIN, FederationPlan(rounds=1))
    assert parts.rounds[0].bytes_up['a'] < whole.rounds[0].bytes_up['a']


def test_local_scaling_is_that_of_measured_windows_and_changes_no_weight(
    rng: np.random.Generator,
) -> None:
    shape = WindowSettings(ticks=8, imu_rows=2, horizon=4)
    twin = UnifiedTwin(ModelSettings(width=8, heads=2, feedforward=8), shape)
    before = read_weights(twin)
    camera = twin.encoders['camera'].scale.scale.clone()
    mask = rng.random((50, 8)) < 0.5
    ftm = np.stack([rng.normal(12.0, 3.0, (50, 8)), np.full((50, 8), 0.4)], -1).astype(np.float32)
    columns = {'ftm': np.where(mask[..., None], ftm, 1e6).astype(np.float32), 'ftm_mask': mask}
    for name, rows in (('camera', 8), ('imu', 16)):
        columns[name] = np.zeros((50, rows, 5), np.float32)
        columns[f'{name}_mask'] = np.zeros((50, rows), bool)
    steady = twin.encoders['ftm'].scale.scale[1].clone()
    scale_locally(twin, columns)
    for network in (twin.encoders['ftm'], twin.decoders['ftm']):
        measured = ftm[mask][:, 0]
        assert torch.isclose(network.scale.offset[0], torch.tensor(measured.mean()))
        assert torch.isclose(network.scale.scale[0], torch.tensor(measured.std()))
        assert network.scale.scale[1] == steady  # a channel that does not move
    assert torch.equal(twin.encoders['camera'].scale.scale, camera)
    after = read_weights(twin)
    assert all(np.array_equal(after[name], before[name]) for name in before)
