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

"""Updates that DDS delivers again after a subscription was made anew."""

from dataclasses import replace

from utt_ros.federation.latched_updates import LatchedUpdates
from utt_ros.federation.types import Update

NORTH = Update('fed', 'north', 3, 20, ('imu',), '[]', '1' * 64, b'weights')


def test_accepted_update_is_recognized_once_after_a_new_subscription() -> None:
    latched = LatchedUpdates(8)
    latched.accept(NORTH)
    assert not latched.is_repeated(NORTH)  # sent twice by its area
    latched.resubscribe()
    assert latched.is_repeated(NORTH)
    assert not latched.is_repeated(NORTH)


def test_newer_update_is_not_a_repetition() -> None:
    latched = LatchedUpdates(8)
    latched.accept(NORTH)
    latched.resubscribe()
    assert not latched.is_repeated(replace(NORTH, round=4))
    assert not latched.is_repeated(NORTH)


def test_areas_are_bounded_and_the_oldest_is_forgotten() -> None:
    latched = LatchedUpdates(2)
    updates = [replace(NORTH, area=area) for area in ('north', 'south', 'east')]
    for update in updates:
        latched.accept(update)
    latched.resubscribe()
    assert [latched.is_repeated(update) for update in updates] == [False, True, True]
