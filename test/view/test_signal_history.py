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

"""Signals over time are bounded, and aligned for a plot."""

import numpy as np
import pytest

from utt_ros.types import NS_PER_S
from utt_ros.view.signal_history import (
    MAX_SIGNAL_ROWS,
    MEASURED,
    PLOT_POINTS,
    PLOT_SPAN_S,
    SYNTHESIZED,
    SignalHistory,
    SignalTrack,
)


def seconds(*moments):
    return np.array([round(moment * NS_PER_S) for moment in moments], np.int64)


def test_values_stand_at_their_time_and_gaps_are_empty():
    history = SignalHistory()
    history.add(MEASURED, 'ftm', seconds(100, 110), np.array([[5.0, 0.1], [6.0, 0.1]]))
    history.add(SYNTHESIZED, 'ftm', seconds(110), np.array([[5.5, 0.1]]))
    axis, measured, synthesized = history.lines('ftm', 0)
    assert (axis[0], axis[-1]) == (-PLOT_SPAN_S, 0.0)
    assert (measured[-1], synthesized[-1]) == (6.0, 5.5)
    assert np.flatnonzero(np.isfinite(measured)).tolist() == [PLOT_POINTS // 2 - 1,
                                                              PLOT_POINTS - 1]


def test_track_keeps_the_newest_rows():
    track = SignalTrack(1)
    for begin in range(0, 3 * MAX_SIGNAL_ROWS, 1000):
        stamps_ns = seconds(*(0.001 * (begin + np.arange(1000))))
        track.add(stamps_ns, np.arange(begin, begin + 1000)[:, None].astype(float))
    line = track.resample(0, track.newest_ns)
    assert track.newest(0) == line[-1]
    filled = np.flatnonzero(np.isfinite(line))
    assert PLOT_POINTS - filled[0] == pytest.approx(MAX_SIGNAL_ROWS * 0.001 * 10, abs=1.5)


def test_stamps_that_jump_back_begin_anew():
    track = SignalTrack(1)
    track.add(seconds(1000), np.array([[1.0]]))
    track.add(seconds(10), np.array([[2.0]]))
    assert track.newest_ns == 10 * NS_PER_S
    assert np.isfinite(track.resample(0, track.newest_ns)).sum() == 1


def test_unknown_modalities_are_empty_lines():
    _, measured, synthesized = SignalHistory().lines('imu', 3)
    assert not np.isfinite(np.stack([measured, synthesized])).any()
