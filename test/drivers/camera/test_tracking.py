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

"""Names of people who walk, meet, are missed, and leave."""

import numpy as np
import pytest

from utt_ros.drivers.camera.tracking import BoxTracker, TrackingSettings
from utt_ros.errors import SettingsError

START_NS = 1_700_000_000_000_000_000
STEP_NS = 100_000_000


def boxes(*centres: float) -> np.ndarray:
    return np.float32([[x, 200 + 3 * row, np.nan, 60, 160] for row, x in enumerate(centres)])


def update(
    tracker: BoxTracker, index: int, *centres: float, confidence: float = 0.9,
) -> tuple[str | None, ...]:
    return tracker.update(boxes(*centres) if centres else np.zeros((0, 5), np.float32),
                          np.full(len(centres), confidence, np.float32),
                          START_NS + index * STEP_NS)


def test_two_boxes_that_pass_each_other_keep_their_track_ids() -> None:
    tracker = BoxTracker(TrackingSettings(confirm=1))
    names = [update(tracker, index, 100 + 12 * index, 580 - 12 * index) for index in range(40)]
    assert len(set(names)) == 1
    assert len(set(names[0])) == 2


def test_a_track_id_survives_weak_and_missing_boxes() -> None:
    tracker = BoxTracker(TrackingSettings(confirm=1))
    (name,) = update(tracker, 0, 100)
    for index in range(1, 30):
        if index % 7 < 2:
            update(tracker, index)
        else:
            weak = 0.35 if index % 3 else 0.9
            assert update(tracker, index, 100 + 6 * index, confidence=weak) == (name,)


def test_a_weak_box_starts_no_track() -> None:
    tracker = BoxTracker(TrackingSettings(confirm=1))
    assert [update(tracker, index, 100, confidence=0.35) for index in range(5)] == [(None,)] * 5


def test_track_is_published_when_it_is_confirmed() -> None:
    tracker = BoxTracker(TrackingSettings(confirm=3))
    names = [update(tracker, index, 100)[0] for index in range(4)]
    assert names[:2] == [None, None]
    assert names[2] is not None
    assert names[2] == names[3]


def test_a_person_away_for_too_long_gets_a_new_track_id() -> None:
    tracker = BoxTracker(TrackingSettings(confirm=1, forget=1.0))
    (before,) = update(tracker, 0, 100)
    for index in range(1, 15):
        update(tracker, index)
    assert update(tracker, 15, 100) != (before,)


def test_a_clock_that_jumps_back_starts_new_track_ids() -> None:
    tracker = BoxTracker(TrackingSettings(confirm=1))
    (before,) = update(tracker, 1000, 100)
    assert update(tracker, 0, 100) != (before,)


def test_track_ids_do_not_repeat_in_another_run() -> None:
    names = {update(BoxTracker(TrackingSettings(confirm=1)), 0, 100) for _ in range(20)}
    assert len(names) == 20


def test_settings_have_limits() -> None:
    with pytest.raises(SettingsError, match='forget is 0'):
        TrackingSettings(forget=0.0)
