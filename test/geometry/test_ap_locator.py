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

"""Place of an access point: found from nothing, or told to be one of two."""

from collections.abc import Callable

import numpy as np
import pytest

from utt_ros.geometry.ap_locator import locate_access_point, place_loss
from utt_ros.geometry.range_model import RangeSamples, RangeTrend

RISE_M = 1.3
TREND = RangeTrend(0.15, 0.0, 0.0)


@pytest.mark.parametrize(('place', 'wrong'), [((0.0, 0.0), (0.0, 4.0)), ((9.0, 8.0), (13.0, 8.0))])
def test_place_is_found_from_walks_on_lines_that_cross(
    ranged_walks: Callable[..., RangeSamples], rng: np.random.Generator,
    place: tuple[float, float], wrong: tuple[float, float],
) -> None:
    samples = ranged_walks(rng, np.array([place]), [0.4], seconds=400.0)
    found = locate_access_point(samples, RISE_M, TREND)
    assert np.linalg.norm(found.position_m - place) < 1.0
    assert found.rival_m is None
    assert found.loss <= place_loss(samples, np.array(place), RISE_M, TREND) < found.loss + 9
    assert place_loss(samples, np.array(wrong), RISE_M, TREND) > found.loss + 20


def test_walks_along_one_line_leave_two_places(
    ranged_walks: Callable[..., RangeSamples], rng: np.random.Generator,
) -> None:
    samples = ranged_walks(rng, np.array([[8.0, 5.0]]), [0.0], across=False)
    found = locate_access_point(samples, RISE_M, TREND)
    assert found.rival_m is not None
    assert abs(found.rival_m[1] + found.position_m[1]) < 2.0, 'its mirror image'
