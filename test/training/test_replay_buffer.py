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

"""Replay buffer, and held-out blocks of time."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.training.replay_buffer import ReplayBuffer, ReplayMemory, hold_out
from utt_ros.training.settings import LearningSettings
from utt_ros.types import Windows

S = 1_000_000_000
AREA = AreaSettings()
Walk = Callable[..., Windows]


def columns(*values: int) -> dict[str, np.ndarray]:
    return {'a': np.array(values), 'b': np.array(values, np.float32)[:, None] * np.ones((1, 3))}


def test_the_newest_examples_replace_the_oldest() -> None:
    buffer = ReplayBuffer(4)
    for values in ((1, 2, 3), (4, 5, 6)):
        buffer.add(columns(*values))
    assert len(buffer) == 4
    assert sorted(buffer.all()['a']) == [3, 4, 5, 6]
    np.testing.assert_array_equal(buffer.all()['b'][:, 0], buffer.all()['a'])


def test_more_examples_than_fit_leave_the_last_ones() -> None:
    buffer = ReplayBuffer(3)
    buffer.add(columns(0))
    buffer.add(columns(*range(1, 12)))
    assert sorted(buffer.all()['a']) == [9, 10, 11]
    assert buffer.added == 12


def test_memory_is_allocated_once() -> None:
    buffer = ReplayBuffer(8)
    buffer.add(columns(1))
    before = buffer.all()['b'].base
    for value in range(50):
        buffer.add(columns(value))
    assert buffer.all()['b'].base is before


def test_equal_seeds_draw_equal_batches_of_copies() -> None:
    buffer = ReplayBuffer(8)
    buffer.add(columns(*range(6)))
    first, second = (buffer.draw(5, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first['a'], second['a'])
    first['a'][:] = -1
    assert (buffer.all()['a'] >= 0).all()


def test_every_fourth_block_is_held_out() -> None:
    ends = S * np.array([10, 86, 88, 95, 97, 119, 121, 126, 129])
    train, held = hold_out(ends, 6 * S, guard_ns=3 * S, block_ns=30 * S, every=4)
    assert train.tolist() == [True, True, False, False, False, False, False, False, True]
    assert held.tolist() == [False, False, False, False, True, True, False, False, False]


@given(
    st.integers(0, 10**15), st.integers(0, 10**15), st.integers(1, 20 * S), st.integers(0, 10 * S),
    st.integers(2, 6))
def test_no_window_for_training_is_closer_than_the_guard_to_one_held_out(
    one: int, other: int, length: int, guard: int, every: int,
) -> None:
    ends = np.array([one, one - one % (30 * S) + other % (60 * S)])
    train, held = hold_out(ends, length, guard, 30 * S, every)
    assert not (train & held).any()
    if train[0] and held[1]:
        assert ends[0] + guard < ends[1] - length or ends[1] + guard < ends[0] - length


@pytest.mark.parametrize('every', [2, 4])
def test_the_held_out_share_is_that_of_the_settings(every: int) -> None:
    ends = S * np.arange(0, 120_000)
    _, held = hold_out(ends, 0, 0, 30 * S, every)
    assert held.mean() == pytest.approx(1 / every, rel=0.01)


def test_blocks_of_length_0_hold_out_nothing() -> None:
    train, held = hold_out(S * np.arange(0, 240), 6 * S, guard_ns=3 * S, block_ns=0, every=4)
    assert train.all()
    assert not held.any()


def test_windows_without_a_measurement_up_to_now_are_discarded(
    shape: WindowSettings, walk: Walk,
) -> None:
    windows = walk(AREA, 2)
    for name, mask in windows.masks.items():
        per_tick = shape.imu_rows if name == 'imu' else 1
        mask[1, : shape.ticks * per_tick] = False
    memory = ReplayMemory(LearningSettings())
    memory.observe(windows, AREA, shape)
    assert len(memory.training) == 1


def test_blocks_of_time_are_held_out_and_their_neighbours_are_in_neither_buffer(
    shape: WindowSettings, walk: Walk,
) -> None:
    memory = ReplayMemory(LearningSettings(holdout_block=30.0, holdout_every=4))
    for first_s in (10.0, 100.0, 110.0):  # the fourth block begins at 90 s
        memory.observe(walk(AREA, 5, first_s=first_s), AREA, shape)
    memory.observe(walk(AREA, 5, first_s=90.5), AREA, shape)  # across the border
    assert (len(memory.training), len(memory.held_out)) == (5, 10)
