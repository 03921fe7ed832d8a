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

"""Samples that no phone can measure are offences, whatever is wrong about them."""

from math import inf, isnan, nan

import pytest

from utt_ros import sensor_limits as limits
from utt_ros.sync.sample_checks import inertial_offence, magnetic_offence, range_offence

REST = (0.0, 0.0, 9.8, 0.0, 0.0, 0.0)


def test_samples_within_the_limits_are_no_offence() -> None:
    assert inertial_offence('a', REST) is None
    assert inertial_offence('a', (limits.MAX_ACCEL_MPS2, *REST[:2], 0, 0, 0)) is None
    assert magnetic_offence('a', (3e-5, 0.0, -4e-5)) is None
    assert range_offence('a', 5.0, 0.5) is None
    assert range_offence('a', limits.RANGE_LIMITS_M[1], limits.MAX_RANGE_STD_M) is None


def test_a_remark_names_the_value_and_the_limit() -> None:
    offence = magnetic_offence('a', (0.0, 2 * limits.MAX_MAGNETIC_T, 0.0))
    assert offence is not None
    assert offence[1] == (f"magnetic field of 'a': {2 * limits.MAX_MAGNETIC_T:g} T of at most "
                          f'{limits.MAX_MAGNETIC_T:g}')
    offence = inertial_offence('a', (3e4, 4e4, 0.0, 0.0, 0.0, 0.0))
    assert offence is not None
    assert 'accel 50000 m/s^2' in offence[1]
    assert f'of at most {limits.MAX_ACCEL_MPS2:g} m/s^2' in offence[1]
    offence = range_offence('a', 3500.0, 0.5)
    assert offence is not None
    assert 'range 3500 m outside -50..300' in offence[1]


@pytest.mark.parametrize('wrong', [nan, inf, -inf])
def test_values_that_are_not_finite_are_told_from_large_ones(wrong: float) -> None:
    for offence in (inertial_offence('a', (*REST[:5], wrong)),
                    magnetic_offence('a', (wrong, 0, 0)),
                    range_offence('a', wrong, 0.5), range_offence('a', 5.0, wrong)):
        assert offence is not None
        assert isnan(offence[0]) or abs(offence[0]) == inf
