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

"""Data, seeds and trained models shared by all suites; models are trained once and cached."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from utt_ros.errors import ModelError, SettingsError
from utt_ros.evaluation.metrics.translation import TranslationWindows, cut_translation_windows
from utt_ros.models.model_card import code_digest, load_model, save_model
from utt_ros.models.operations import Pair
from utt_ros.models.saved_model import DataStatistics, read_saved_model
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.offline_dataset import PAST_MODALITIES
from utt_ros.training.offline_trainer import train_model, training_summary
from utt_ros.training.recordings import Recordings
from utt_ros.training.residuals import card_deviations, residual_deviations
from utt_ros.training.training_recipe import Recipe, deployable
from utt_ros.types import Array

MODELS = 'models'


@dataclass(frozen=True, slots=True)
class Study:
    """Data, seeds and models of one evaluation."""

    data: Recordings
    folder: Path  # of caches, shared by processes
    seeds: tuple[int, ...] = (0,)
    split: str = 'test'
    given: Path | None = None  # model file to evaluate instead of trained models
    recipe: Recipe = field(default_factory=Recipe)
    statistics: DataStatistics | None = None  # of the given model, for data without a train split
    _windows: list[TranslationWindows] = field(
        default_factory=list, init=False, repr=False)  # at most one

    def translation_windows(self) -> TranslationWindows:
        """Return the windows of the operations suite; cut once."""
        if not self._windows:
            self._windows.append(
                cut_translation_windows(self.data, self.split, self.statistics))
        return self._windows[0]

    @property
    def trainable(self) -> bool:
        """Whether models can be trained: the data have a train split."""
        return self.statistics is None

    def model(self, seed: int, **variant: Any) -> UnifiedTwin:
        """Return the model of the paper's method; `variant` changes fields of its recipe.

        Without a variant it is the given model, if there is one. See `trained`.
        """
        if self.given is not None and not variant:
            return load_model(self.given, PAST_MODALITIES)[0]
        return self.trained(seed, replace(self.recipe, **variant))[0]

    def deployed(self, seed: int) -> UnifiedTwin:
        """Return the model for tasks: the paper's method, fully trained, or the given model."""
        if self.given is not None:
            return load_model(self.given, PAST_MODALITIES)[0]
        return self.trained(seed, deployable(self.recipe))[0]

    def trained(self, seed: int, recipe: Recipe) -> tuple[UnifiedTwin, dict[str, Any]]:
        """Return the model of a recipe, trained or cached, and its training summary.

        Another process that needs the same model waits for this one.
        """
        path = self.folder / MODELS / f'{self.key(seed, recipe)}.safetensors'
        path.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(path.with_suffix('.lock')):
            try:
                twin, card = load_model(path, PAST_MODALITIES)
            except ModelError:
                trained = train_model(self.data, recipe, seed)
                card = save_model(
                    path, trained.twin, self.data.fingerprint,
                    training_summary(trained, recipe, seed), {'score': trained.score})
                twin = trained.twin
        return twin, card.training

    def residual_deviations(self, seed: int, pair: Pair) -> Array:
        """Return deviations (F,) of a decoding of `model`: measured on val, or those of its card.

        NaN where the card of a given model has none.
        """
        if self.given is not None:
            return card_deviations(read_saved_model(self.given)[1].metrics, pair)
        return residual_deviations(self.model(seed), self.data, (pair,))[pair]

    def key(self, seed: int, recipe: Recipe, *part: str) -> str:
        """Return the key of what is cached of a recipe: its model, or a named part of results."""
        text = json.dumps(
            [code_digest(), self.data.fingerprint, repr(self.data.window), seed, asdict(recipe),
             *part], sort_keys=True, default=str)
        return sha256(text.encode()).hexdigest()[:24]


def given_statistics(path: Path | None, data: Recordings) -> DataStatistics:
    """Return the training statistics of a given model, for data without a train split.

    Raises SettingsError without a model; ModelError when its card has no statistics, or the data
    have a modality that it was not trained with.
    """
    if path is None:
        raise SettingsError('the data have no train split: only a model of utt train can be '
                            'evaluated on them, with --model')
    _, card = read_saved_model(path)
    if card.statistics is None:
        raise ModelError(f'{path}: its card has no statistics of training data, which data '
                         'without a train split need: train it again')
    unknown = [name for name in data.modalities if name not in card.statistics.means]
    if unknown:
        raise ModelError(f'{path}: it was trained without {unknown[0]}, which the data have')
    return card.statistics


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold a lock on a file; released also when the process dies."""
    with path.open('w') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
