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

"""The suite on simulated walkers, with few training steps."""

from pathlib import Path

import numpy as np
import pytest

from utt_ros.evaluation.association import scorer_training
from utt_ros.evaluation.baselines import baseline_training
from utt_ros.evaluation.metrics.association import IdpScore
from utt_ros.evaluation.suites import association_suite
from utt_ros.evaluation.trained_models import Study


@pytest.fixture
def study(data, recipe, tmp_path: Path, monkeypatch) -> Study:
    monkeypatch.setattr(baseline_training, 'ROUNDS', 1)
    monkeypatch.setattr(baseline_training, 'STEPS', 1)
    monkeypatch.setattr(baseline_training, 'AREA_STEPS', 1)
    monkeypatch.setattr(scorer_training, 'SCORER_STEPS', 50)
    return Study(data, tmp_path, recipe=recipe)


def test_every_method_has_a_row_per_encounter_set_over_the_same_tracks(study: Study) -> None:
    made = {unit.key: unit.run().rows for unit in association_suite.association_units(study)
            if 'deep' in unit.key or 'utt' in unit.key}
    tracks = {}
    for rows in made.values():
        for row in rows:
            tracks.setdefault(row.operation, set()).add(row.n_windows)
            assert np.isnan(row.value) or 0.0 <= row.value <= 1.0
    assert set(tracks) >= {f'fixed {age} s' for age in (1, 3, 5, 10)} | {'crowd 3 s'}
    assert all(len(counts) == 1 for counts in tracks.values())


def test_the_mean_over_fixed_windows_counts_each_window_once() -> None:
    rows = association_suite.idp_rows('some', 0, {
        'fixed 1 s': IdpScore(1, 2), 'fixed 3 s': IdpScore(4, 4), 'crowd 3 s': IdpScore(0, 9)})
    assert rows[-1].operation == 'fixed mean'
    assert rows[-1].value == 0.75
    assert rows[-1].n_windows == 6


def test_an_area_without_all_sensors_has_no_unit(study: Study, monkeypatch) -> None:
    monkeypatch.setattr(association_suite, 'MODALITIES', ('camera', 'lidar'))
    assert association_suite.association_units(study) == []
