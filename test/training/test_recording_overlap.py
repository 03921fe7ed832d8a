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

"""Recordings that clash or overlap."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import SessionError
from utt_ros.settings import AreaSettings
from utt_ros.training.recording_overlap import check_clashes, copied_sequences
from utt_ros.types import PhoneStreams, Session

HALL = AreaSettings('hall')


def session(*phones: np.ndarray, stamp_s: int = 1) -> Session:
    def streams(inertial: np.ndarray) -> PhoneStreams:
        stamps = (stamp_s * 50 + np.arange(len(inertial))) * 20_000_000
        return PhoneStreams(stamps[:0], np.zeros((0, 2), np.float32), stamps,
                            inertial.astype(np.float32), stamps[:0], np.zeros((0, 3), np.float32))

    return Session('hall', 'some', '', None,
                   {f'phone{number}': streams(rows) for number, rows in enumerate(phones)}, {})


def measured(seed: int, rows: int = 1000) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(0.0, 3.0, (rows, 6)), 4)


def test_a_walk_is_found_at_another_time_in_other_company() -> None:
    held_out = {'a/1': session(measured(0)), 'a/2': session(measured(1), measured(2))}
    others = {'b/1': session(measured(3), measured(2), stamp_s=5000), 'b/2': session(measured(4))}
    assert copied_sequences(others, held_out) == {'b/1': 'a/2'}
    assert copied_sequences(others, {}) == {}


def test_a_part_of_a_walk_is_a_copy_and_a_few_equal_rows_are_not() -> None:
    held_out = {'a/1': session(measured(0))}
    part = {'b/1': session(measured(0)[800:])}
    assert copied_sequences(part, held_out) == {'b/1': 'a/1'}
    few = {'b/1': session(np.concatenate([measured(0)[:90], measured(1)]))}
    assert copied_sequences(few, held_out) == {}


def test_phones_that_lie_still_are_not_taken_for_one_another() -> None:
    still = np.round(np.random.default_rng(0).normal(0.0, 0.3, (2, 3000, 6)))
    still[..., 3:] = 0.0
    assert copied_sequences({'b/1': session(still[0])}, {'a/1': session(still[1])}) == {}


def test_a_sequence_without_inertial_rows_is_no_copy() -> None:
    empty = session(np.zeros((0, 6)))
    assert copied_sequences({'b/1': empty}, {'a/1': empty, 'a/2': session(measured(0))}) == {}


def test_one_area_may_be_in_two_folders_with_different_sequences() -> None:
    check_clashes([(Path('one'), [(HALL, 's1')]), (Path('two'), [(HALL, 's2')])])


@pytest.mark.parametrize(('area', 'name', 'error'), [
    (HALL, 's1', 'one and two both have the sequence hall/s1'),
    (replace(HALL, phone_height=1.0), 's2',
     "one and two have different settings of the area 'hall'")])
def test_clashes_are_refused_with_both_folders(
    area: AreaSettings, name: str, error: str,
) -> None:
    with pytest.raises(SessionError, match=error):
        check_clashes([(Path('one'), [(HALL, 's1')]), (Path('two'), [(area, name)])])
