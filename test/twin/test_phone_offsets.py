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

"""Offsets of phones: known ones are applied, learned ones are for later."""

import numpy as np
import pytest

from utt_ros.twin.phone_offsets import MAX_KEPT_PHONES, PhoneRangeOffsets
from utt_ros.twin.range_offsets import PhoneOffset, RangeOffsets

KNOWN = RangeOffsets(
    (), (PhoneOffset('anna', '', 0.5, 0.1), PhoneOffset('anna', 'aa:02', 0.7, 0.1)))


def test_known_offsets_are_applied_to_each_access_point() -> None:
    offsets = PhoneRangeOffsets(2, ('aa:01', 'aa:02'), KNOWN)
    offsets.start(0, 'anna')
    offsets.start(1, 'ben')
    assert offsets.applied.tolist() == [[0.5, 0.7], [0.0, 0.0]]
    offsets.start(0, 'cleo')
    assert not offsets.applied.any()


def test_what_is_learned_changes_nothing_and_is_kept_with_its_error() -> None:
    offsets = PhoneRangeOffsets(2, ('aa:01', 'aa:02'), KNOWN)
    offsets.start(0, 'anna')
    offsets.start(1, 'ben')
    for _ in range(200):
        offsets.learn(1, np.array([0, 1]), np.array([0.0, -0.6]), 1.0)
    assert offsets.applied.tolist() == [[0.5, 0.7], [0.0, 0.0]]
    kept = {(row.phone, row.ap): row for row in offsets.kept()}
    assert kept['ben', 'aa:02'].offset == pytest.approx(-0.6, abs=0.05)
    assert kept['ben', 'aa:02'].error < 0.1
    assert ('ben', 'aa:01') not in kept, 'too few ranges'
    assert kept['anna', 'aa:02'].offset == pytest.approx(0.7, abs=0.01)
    assert kept['anna', ''] == KNOWN.phones[0], 'for access points of later'


def test_phone_that_returns_goes_on_and_the_number_of_phones_is_bounded() -> None:
    offsets = PhoneRangeOffsets(1, ('',), None)
    offsets.start(0, 'anna')
    offsets.learn(0, np.array([0]), np.array([1.0]), 1000.0)
    offsets.start(0, 'ben')
    offsets.start(0, 'anna')
    offsets.learn(0, np.array([0]), np.array([3.0]), 1000.0)
    assert next(offsets.kept()).offset == pytest.approx(2.0, abs=0.05)
    for number in range(2 * MAX_KEPT_PHONES):
        offsets.start(0, f'phone{number}')
        offsets.learn(0, np.array([0]), np.array([0.1]), 1000.0)
    assert len(list(offsets.kept())) == MAX_KEPT_PHONES
