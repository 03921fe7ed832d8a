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

"""Columns of recorded windows, and the past as a modality of its own."""

import subprocess
import sys

import numpy as np

from utt_ros.models.modalities import modality
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.offline_dataset import PAST_MODALITIES, paired_examples, past
from utt_ros.training.recordings import Recordings

IMPORT_ALL = """
from importlib import import_module
from pkgutil import walk_packages
import utt_ros.evaluation
import utt_ros.training
from utt_ros.models.modalities import REGISTRY
before = REGISTRY.names()
for room in (utt_ros.training, utt_ros.evaluation):
    for module in walk_packages(room.__path__, f'{room.__name__}.'):
        import_module(module.name)
assert REGISTRY.names() == before, REGISTRY.names()
"""


def test_past_and_window_are_halves_of_one_stretch(data: Recordings) -> None:
    columns = paired_examples(data, 'train', 'area0', 7)
    whole = data.windows('train', 'area0', stride=7, ticks=2 * data.window.ticks).windows
    for name, values in whole.values.items():
        halves = np.concatenate([columns[past(name)], columns[name]], axis=1)
        assert np.array_equal(halves, values)


def test_the_past_is_scaled_like_the_modality(data: Recordings) -> None:
    model = ModelSettings(modalities=('camera', 'camera_past'), width=8, heads=2, feedforward=8)
    twin = UnifiedTwin(model, data.window, PAST_MODALITIES)
    assert twin.modalities['camera_past'].scale == modality('camera').scale


def test_importing_training_and_evaluation_registers_no_modality() -> None:
    subprocess.run([sys.executable, '-c', IMPORT_ALL], check=True, timeout=120)
