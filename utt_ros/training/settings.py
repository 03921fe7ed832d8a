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

"""Settings of training: rounds of the live trainer, and learning of one area."""

from dataclasses import dataclass

from utt_ros.errors import SettingsError
from utt_ros.settings import check, setting

TERMS = ('transfer', 'merge', 'split', 'motion')
MIN_BLOCK_S = 0.1


@dataclass(frozen=True, slots=True)
class TrainerSettings:
    """Schedule of the live trainer, and the folder of its state across restarts."""

    federated: bool = setting(True, 'train the models of an aggregator; false: train alone')
    federation: str = setting(
        '', 'id of the federation that the area belongs to; empty: the first one that is genuine')
    learn: bool = setting(True, 'false: models are deployed and not trained')
    local_steps: int = setting(40, 'training steps in a round', low=1, high=100_000)
    min_windows: int = setting(200, 'windows before the first training', low=1, high=1_000_000)
    window_stride: int = setting(5, 'ticks between windows of one subject', low=1, high=512)
    max_model_bytes: int = setting(64 * 2**20, 'largest payload of a model [bytes]', low=1)
    state_dir: str = setting('~/.ros/utt_ros/trainer', 'folder of the last global model')
    initial_model: str = setting(
        '', 'model file of utt train with which an area alone begins; empty: untrained')

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class LearningSettings:
    """Learning of one area; areas of a federation may differ."""

    terms: tuple[str, ...] = setting(
        TERMS, 'terms of the loss; a single one trains a specific model')
    batch: int = setting(64, 'windows per training step', low=1, high=4096)
    learning_rate: float = setting(3e-3, 'learning rate of AdamW', low=0.0, high=1.0)
    max_grad_norm: float = setting(
        1.0, 'norm that gradients are clipped to', low=1e-6, former='largest_gradient')
    capacity: int = setting(8192, 'training windows that are kept', low=1, high=1_000_000)
    held_out: int = setting(1024, 'held-out windows that are kept', low=1, high=1_000_000)
    holdout_block: float = setting(
        30.0, 'length of held-out blocks of time [s]; 0: none, so no NMSE is reported and task '
        'twins are refused', low=0.0, high=86400.0)
    holdout_every: int = setting(
        4, 'number of blocks of which the last is held out', low=2, high=1000)
    min_association: float = setting(
        0.9, 'minimum association probability of boxes used for training',
        low=0.0, high=1.0, former='least_association')
    corruption: float = setting(
        0.0, 'probability that a source of a training window is wrong: ranges 5 m too long, boxes '
        'or phone of somebody else; it trains merges alone', low=0.0, high=1.0)
    seed: int = setting(0, 'seed of batches and of data augmentation', low=0, high=2**31 - 1)

    def __post_init__(self) -> None:
        check(self)
        wrong = sorted(set(self.terms) - set(TERMS))
        if wrong or not self.terms:
            raise SettingsError(f'terms are {list(self.terms)}: one or more of {list(TERMS)}')
        if 0.0 < self.holdout_block < MIN_BLOCK_S:
            raise SettingsError(f'holdout_block is {self.holdout_block}: it must be 0 or at least '
                                f'{MIN_BLOCK_S}')
