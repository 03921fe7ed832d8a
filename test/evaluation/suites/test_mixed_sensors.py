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

"""A federation whose areas have different sensors."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from utt_ros.evaluation.results import TO_FEDAVG, Row
from utt_ros.evaluation.suites.mixed_sensors import without_sensors
from utt_ros.evaluation.trained_models import Study
from utt_ros.training.offline_trainer import make_trainers
from utt_ros.training.recordings import Recordings
from utt_ros.training.training_recipe import Recipe

RunUnit = Callable[[str, str], tuple[Row, ...]]


def four_areas(data: Recordings) -> Recordings:
    """Return the recordings of one area as those of areas a, b, c and d."""
    first = next(iter(data.areas))
    recordings = [item for item in data.recordings if item.area.area == first]
    return replace(data, recordings=tuple(
        replace(item, area=replace(item.area, area=name)) for name in 'abcd'
        for item in recordings))


def test_areas_in_turn_lack_no_sensor_or_one(data: Recordings, recipe: Recipe) -> None:
    mixed = without_sensors(four_areas(data))
    trainers = make_trainers(mixed, recipe, 0)
    assert {area: trainer.modalities for area, trainer in trainers.items()} == {
        'a': ('camera', 'ftm', 'imu'), 'b': ('ftm', 'imu'), 'c': ('camera', 'imu'),
        'd': ('camera', 'ftm')}
    assert mixed.fingerprint != data.fingerprint


def test_gates_are_compared_with_fedavg_in_areas_that_have_the_sensors(
    study: Study, run_unit: RunUnit,
) -> None:
    rows = run_unit('federation', 'federation-mixed-seed0')
    assert {row.method for row in rows} == {'mixed_windows', 'mixed_gated'}
    windows = study.translation_windows()
    without = sorted(study.data.areas)[1]  # it lacks the camera
    for row in rows:
        everywhere = windows.rows_for(row.sources.split('+'), row.target)
        lacking = sum(windows.sequences[index].startswith(f'{without}/') for index in everywhere)
        assert row.n_windows == len(everywhere) - lacking * ('camera' in row.sources + row.target)
    ratios = {(row.sources, row.target): row.value for row in rows if row.metric == TO_FEDAVG}
    assert len(ratios) == 9
    errors = {(row.method, row.sources): row.value for row in rows
              if row.metric == 'nmse_var_range_m'}
    for sources in ('camera', 'imu', 'camera+imu'):  # of ranges one channel is informative
        assert ratios[sources, 'ftm'] == pytest.approx(
            errors['mixed_gated', sources] / errors['mixed_windows', sources])
