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

"""Models of an evaluation: trained once, cached, or given."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.evaluation.recipes import direct
from utt_ros.evaluation.trained_models import Study
from utt_ros.models.twin import read_weights
from utt_ros.training.recordings import Recordings
from utt_ros.training.training_recipe import Recipe


@pytest.fixture
def study(data: Recordings, recipe: Recipe, tmp_path: Path) -> Study:
    """Return an evaluation of small models on simulated walks."""
    return Study(data, tmp_path, (0,), recipe=recipe)


def test_models_are_trained_once(study: Study) -> None:
    first, card = study.trained(0, study.recipe)
    again, same = study.trained(0, study.recipe)
    assert card == same
    assert first is not again
    assert len(list((study.folder / 'models').glob('*.safetensors'))) == 1


def test_a_model_that_reads_the_past_is_loaded_from_the_cache(study: Study) -> None:
    recipe = direct(study.recipe, 'ftm')
    first, again = (study.trained(0, recipe)[0] for _ in range(2))
    assert again.settings.modalities == ('ftm', 'ftm_past')
    for name, values in read_weights(first).items():
        np.testing.assert_array_equal(read_weights(again)[name], values)


def test_a_given_model_replaces_the_trained_one_but_not_its_variants(study: Study) -> None:
    study.trained(0, study.recipe)
    (path,) = (study.folder / 'models').glob('*.safetensors')
    given = replace(study, given=path)
    weights = read_weights(study.model(0))
    assert all(np.array_equal(values, weights[name])
               for twin in (given.model(0), given.deployed(0))
               for name, values in read_weights(twin).items())
    assert given.model(0, rounds=1) is not None
    assert len(list((study.folder / 'models').glob('*.safetensors'))) == 2


def test_windows_of_the_operations_suite_are_cut_once(study: Study) -> None:
    assert study.translation_windows() is study.translation_windows()
