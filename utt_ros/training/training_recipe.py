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

"""Settings of offline training: model, terms, schedule and federation."""

from dataclasses import dataclass, field, replace

from utt_ros.errors import SettingsError
from utt_ros.models.operations import Operation, operations
from utt_ros.models.settings import ModelSettings
from utt_ros.settings import check, setting
from utt_ros.training.settings import TERMS

PLANS = ('federated', 'centralised')
CENTRAL_BATCH = 2  # batches of one area in a batch of all data


@dataclass(frozen=True, slots=True)
class Recipe:
    """Model, terms of the loss, data plan and length of a training."""

    model: ModelSettings = field(default_factory=ModelSettings)
    plan: str = setting('federated', f'where data are: {" or ".join(PLANS)}')
    terms: tuple[str, ...] = setting(TERMS, 'terms of the loss')
    wanted: tuple[Operation, ...] = ()  # instead of the operations of the terms
    rounds: int = setting(30, 'maximum number of rounds', low=1, high=100_000)
    local_steps: int = setting(6, 'steps of an area in a round', low=1, high=100_000)
    batch: int = setting(32, 'windows of an area per step', low=1, high=4096)
    learning_rate: float = setting(3e-3, 'initial learning rate', low=0.0, high=1.0)
    patience: int = setting(8, 'rounds without improvement before training stops', low=1)
    corruption: float = setting(
        0.0, 'probability that a source of a training window is wrong', low=0.0, high=1.0)
    server: str = setting('fedavg', 'server optimizer')
    server_rate: float = setting(0.01, 'step size of an adaptive server', low=1e-9, high=1e3)
    weighting: str = setting('windows', 'weighting of areas')

    def __post_init__(self) -> None:
        check(self)
        if self.plan not in PLANS:
            raise SettingsError(f'plan is {self.plan!r}: it must be {" or ".join(PLANS)}')

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Operations that the model is trained for, and validated on."""
        return self.wanted or tuple(operations(
            self.model.modalities, [term for term in self.terms if term != 'motion']))


def centralised(recipe: Recipe) -> Recipe:
    """Return the recipe with all data in one place, in larger batches."""
    return replace(recipe, plan='centralised', batch=CENTRAL_BATCH * recipe.batch)


def deployable(base: Recipe) -> Recipe:
    """Return the recipe of a model for use: comparisons train all methods half as long [R]."""
    return replace(base, rounds=2 * base.rounds, patience=2 * base.patience)
