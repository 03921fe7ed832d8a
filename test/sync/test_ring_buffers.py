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
import pytest

from utt_ros.sync.ring_buffers import Insertion, RingBuffers
from utt_ros.types import NEVER_NS


@pytest.fixture
def ring():
    ring = RingBuffers(1, 4)
    ring.grow(2)
    return ring


def stamps_of(ring, slot):
    return [stamp for stamp in range(1, 30) if ring.latest(slot, stamp) == stamp]


def test_messages_are_sorted_in_any_order_of_arrival(ring):
    assert [ring.add(0, stamp, (stamp,)) for stamp in (5, 9, 7, 1)] == [
        Insertion.IN_ORDER, Insertion.IN_ORDER, Insertion.REORDERED, Insertion.REORDERED]
    assert stamps_of(ring, 0) == [1, 5, 7, 9]
    assert [float(ring.value(0, limit)[0]) for limit in (1, 6, 8, 9)] == [1, 5, 7, 9]
    assert stamps_of(ring, 1) == []


def test_the_first_of_two_messages_with_one_stamp_is_kept(ring):
    ring.add(0, 5, (1.0,))
    ring.add(0, 6, (2.0,))
    assert ring.add(0, 5, (3.0,)) is Insertion.DUPLICATE
    assert float(ring.value(0, 5)[0]) == 1.0


def test_a_buffer_keeps_the_newest_messages_in_constant_memory(ring):
    size = ring._stamps.nbytes
    for stamp in range(1, 1000):
        ring.add(0, stamp, (stamp,))
    assert ring._stamps.nbytes == size
    kept = [stamp for stamp in range(990, 1000) if ring.latest(0, stamp) == stamp]
    assert kept[-4:] == [996, 997, 998, 999]
    assert float(ring.value(0, 997)[0]) == 997.0


def test_a_message_older_than_a_full_buffer_is_refused(ring):
    for stamp in range(10, 18):
        ring.add(0, stamp, (0.0,))
    assert ring.add(0, 1, (0.0,)) is Insertion.TOO_OLD
    assert ring.latest(0, 9) == NEVER_NS


def test_overwritten_messages_that_were_needed_are_counted(ring):
    ring.needed_ns = 3
    for stamp in range(1, 10):
        ring.add(0, stamp, (0.0,))
    assert ring.lost == 2  # 1 to 5 made room for 9


def test_interpolation_is_linear_between_neighbours(ring):
    for slot, scale in ((0, 1.0), (1, 10.0)):
        ring.add(slot, 100, (0.0,))
        ring.add(slot, 200, (scale,))
    values, mask = ring.interpolate([0, 1], np.array([100, 125, 200]), 100)
    assert mask.all()
    np.testing.assert_array_equal(values[..., 0], np.float32([[0, 0.25, 1], [0, 2.5, 10]]))


def test_gaps_and_ends_are_not_interpolated(ring):
    for stamp in (100, 200, 301):
        ring.add(0, stamp, (1.0,))
    values, mask = ring.interpolate([0, 1], np.array([99, 150, 250, 301, 302]), 100)
    assert mask[0].tolist() == [False, True, False, True, False]
    assert not mask[1].any()
    assert not values[~mask].any()


def test_a_message_at_the_instant_needs_no_later_one(ring):
    ring.add(0, 100, (7.0,))
    values, mask = ring.interpolate([0], np.array([100]), 10)
    assert mask.item()
    assert values.item() == 7.0


def test_following_returns_the_oldest_later_stamp(ring):
    for stamp in (10, 20, 30):
        ring.add(0, stamp, (0.0,))
    assert [ring.following(0, limit) for limit in (5, 10, 25)] == [10, 20, 30]
    assert ring.following(0, 30) == -NEVER_NS
    assert ring.following(1, 0) == -NEVER_NS


def test_cleared_and_added_slots_are_empty(ring):
    ring.add(0, 10, (1.0,))
    ring.add(1, 10, (2.0,))
    ring.clear(0)
    ring.grow(3)
    assert [ring.latest(slot, 99) for slot in range(3)] == [NEVER_NS, 10, NEVER_NS]
    assert ring.add(0, 5, (1.0,)) is Insertion.IN_ORDER
