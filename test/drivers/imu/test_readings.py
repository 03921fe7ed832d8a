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

import pytest

from utt_ros.drivers.imu.readings import READING_LIMITS, TESLA, make_reading
from utt_ros.errors import MeasurementError


@pytest.mark.parametrize('kind', READING_LIMITS)
def test_values_up_to_the_limit_of_their_sensor_are_taken(kind: str) -> None:
    limit = READING_LIMITS[kind]
    assert make_reading(kind, 5, (limit, -limit, 0)).values == (limit, -limit, 0.0)
    with pytest.raises(MeasurementError, match=f'{kind} .* is outside'):
        make_reading(kind, 5, (1.001 * limit, 0.0, 0.0))


def test_the_scale_applies_to_values_and_limit() -> None:
    assert make_reading('mag', 5, [20, -10, 40], TESLA).values == pytest.approx(
        (20e-6, -10e-6, 40e-6))
    with pytest.raises(MeasurementError, match=r'outside -10000\.\.10000'):
        make_reading('mag', 5, [10_001, 0, 0], TESLA)


@pytest.mark.parametrize(('stamp', 'peer_ns'), [
    (1_698_501_144_401_773_000, 1_698_501_144_401_773_000),
    ('1698501144401773000', 1_698_501_144_401_773_000),
    (' 1698501144401773000 ', 1_698_501_144_401_773_000),
    ('1698501144401773000.0', 1_698_501_144_401_773_000),
    (1.698501144401773e18, 1_698_501_144_401_773_056), (5.0, 5), (5.5, 5), ('5.75', 5),
    ('1.698501144401773E18', 1_698_501_144_401_773_000), ('1.7e+18', 1_700_000_000_000_000_000)])
def test_stamps_are_read_as_integers_texts_and_floats(stamp: object, peer_ns: int) -> None:
    assert make_reading('accel', stamp, (1, 2, 3)).peer_ns == peer_ns


@pytest.mark.parametrize(('stamp', 'values'), [
    (0, (1, 2, 3)), (2**62 + 1, (1, 2, 3)), (True, (1, 2, 3)), ('', (1, 2, 3)),
    ('-5', (1, 2, 3)), ('1e-3', (1, 2, 3)), ('0x5', (1, 2, 3)), (float('inf'), (1, 2, 3)),
    (float('nan'), (1, 2, 3)), ('5 5', (1, 2, 3)), ('9e99', (1, 2, 3)), ('9' * 30, (1, 2, 3)),
    (None, (1, 2, 3)), (5, (1, 2)), (5, 'abc'), (5, (1, 2, True)), (5, (1, 2, float('nan')))])
def test_anything_but_a_stamp_and_three_numbers_is_refused(stamp: object, values: object) -> None:
    with pytest.raises(MeasurementError):
        make_reading('accel', stamp, values)
