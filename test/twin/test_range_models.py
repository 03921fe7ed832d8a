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

"""An area learns the offsets of its access points and phones together."""

import numpy as np
import pytest

from utt_ros.access_point_list import AccessPoint
from utt_ros.settings import AreaSettings
from utt_ros.twin.range_models import AreaRangeModels
from utt_ros.twin.range_offsets import PhoneOffset, RangeOffsets
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.types import Array

SETTINGS = ParticleFilterSettings(max_subjects=4)
ROW = np.array([2])
AREA = AreaSettings(area='hall', access_points=(
    AccessPoint('ap0', (0.0, 0.0, 2.5)), AccessPoint('ap1', (12.0, 8.0, 2.5))))


def ranges_at(models: AreaRangeModels, places: Array, offset_m: float) -> Array:
    """Ranges of a phone to the second access point: one metre more for each four."""
    away = np.hypot(*(places - models.models[1].position).T)
    return 1.25 * np.hypot(away, 2.5 - AREA.phone_height) + offset_m


def learned(models: AreaRangeModels, offset_m: float, rng: np.random.Generator) -> None:
    models.start_phone(2, 'ann')
    for _ in range(3000):
        place = rng.uniform([2, -4], [14, 8], (1, 2))
        ranges = models.without_phones(1, ROW, ranges_at(models, place, offset_m))
        models.learn(1, ROW, ranges, place)


def test_the_trend_of_one_access_point_is_learned_alone(rng: np.random.Generator) -> None:
    models = AreaRangeModels(AREA, SETTINGS, None)
    assert models.trends.tolist() == [[-0.5, 0.1]] * 2
    learned(models, -1.0, rng)
    assert models.trends[0].tolist() == [-0.5, 0.1]
    assert models.trends[1] @ [1.0, 8.0] == pytest.approx(-1.0 + 0.25 * 8, abs=0.2)
    known = models.known_offsets()
    assert [row.ap for row in known.access_points] == ['ap1']
    assert {row.phone for row in known.phones} == {'ann'}


def test_the_known_offset_of_a_phone_is_taken_off_its_ranges_alone() -> None:
    models = AreaRangeModels(AREA, SETTINGS, RangeOffsets((), (PhoneOffset('ann', '', 3.0),)))
    models.start_phone(2, 'ann')
    models.start_phone(0, 'bob')
    assert models.without_phones(1, np.array([2, 0]), np.array([8.0, 8.0])).tolist() == [5.0, 8.0]
