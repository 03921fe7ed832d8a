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

import numpy as np

from utt_ros.association.dead_reckoning import window_headings
from utt_ros.association.model_evidence import (
    no_model_evidence,
    phone_windows,
    query_model,
    tile_windows,
    windows_ending_at,
)


def test_phones_are_translated_once_a_second_and_tracks_over_their_whole_life(
    model, walkers,
) -> None:
    candidates = walkers(ticks=35, appeared=20)
    valid = window_headings(candidates, 0.0)[1]
    evidence = query_model(candidates, valid, model, 0.0)
    assert evidence.ends.tolist() == [5, 15, 25, 35]
    assert evidence.velocity.shape == (2, 4, 2)
    assert evidence.boxes.shape == (2, 4, 10, 5)
    assert evidence.ranges.shape == (2, 35)
    assert evidence.ranged[:, 15:].all()
    assert not evidence.ranged[:, :15].any()  # windows without a box


def test_without_a_model_there_is_no_evidence(walkers) -> None:
    evidence = no_model_evidence(walkers())
    assert evidence.velocity.shape == (2, 0, 2)
    assert not evidence.ranged.any()


def test_magnetic_fields_are_rotated_into_the_area_frame(walkers) -> None:
    candidates = walkers()
    *_, plain, _ = phone_windows(candidates, np.array([30]), 10, 0.0)
    *_, rotated, _ = phone_windows(candidates, np.array([30]), 10, np.pi)
    np.testing.assert_allclose(rotated[..., 6:8], -plain[..., 6:8], atol=1e-9)
    np.testing.assert_array_equal(rotated[..., :6], plain[..., :6])


def test_windows_before_the_first_tick_are_zeros() -> None:
    values = np.arange(1, 5)[None]
    assert windows_ending_at(values, np.array([2, 4]), 3, 1).tolist() == [[[0, 1, 2], [2, 3, 4]]]
    assert tile_windows(values, 3).tolist() == [[[0, 0, 1], [2, 3, 4]]]
