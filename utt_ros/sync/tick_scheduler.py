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

"""Scheduler of ticks: at camera frames, or at virtual ticks of the clock without frames."""

from bisect import insort
from operator import attrgetter

from utt_ros.sync.association_types import Tracks
from utt_ros.types import NEVER_NS

MIN_SPACING = 0.7  # of a period, between ticks; an earlier frame is surplus
MAX_PENDING_FRAMES = 64


class TickScheduler:
    """Ticks of one epoch in order of stamps.

    `camera_timeout_ns` is None for an area without a camera. Virtual ticks lie on multiples of the
    period. With a lag of more than MIN_SPACING, messages of such a delay make frames overtake each
    other: then a tick is known once the lag has passed, and what precedes it has arrived.
    """

    def __init__(self, period_ns: int, lag_ns: int, camera_timeout_ns: int | None) -> None:
        self._period_ns = period_ns
        self._spacing_ns = int(period_ns * MIN_SPACING)
        self._lag_ns = lag_ns
        self._hold_ns = lag_ns if lag_ns > self._spacing_ns else 0
        self._camera_timeout_ns = camera_timeout_ns
        self._first_ns = -NEVER_NS  # oldest stamp of the epoch
        self._frame_ns = NEVER_NS  # newest frame taken, whether it became a tick or not
        self._virtual_ns = -NEVER_NS  # next virtual tick, unless a frame precedes it
        self._frames: list[Tracks] = []
        self.last_ns = NEVER_NS  # newest tick

    def start(self, stamp_ns: int) -> None:
        """Register the stamp of a measurement; virtual ticks start after the oldest one."""
        if stamp_ns < self._first_ns:
            self._first_ns = stamp_ns
            self._plan()

    def add_frame(self, tracks: Tracks) -> str | None:
        """Queue a camera frame; return the counter of a frame that is refused or out of order."""
        stamp_ns = tracks.stamp_ns
        if stamp_ns == self.last_ns or any(
                stamp_ns == frame.stamp_ns for frame in self._frames):
            return 'duplicate'
        if stamp_ns < self.last_ns:
            return 'late'
        if len(self._frames) == MAX_PENDING_FRAMES:
            return 'overflow'
        insort(self._frames, tracks, key=attrgetter('stamp_ns'))
        return None if self._frames[-1] is tracks else 'reordered'

    def next(self, now_ns: int) -> tuple[int, bool] | None:
        """Return the stamp of the next tick and whether it is a frame; None when not yet known.

        `now_ns` is the time of the area. In an area with a camera a virtual tick is known once
        frames that would replace it must have arrived.
        """
        if self._frames and self._frames[0].stamp_ns <= self._virtual_ns:
            stamp_ns = self._frames[0].stamp_ns
            is_held = self._hold_ns and now_ns < stamp_ns + self._hold_ns
            return None if is_held else (stamp_ns, True)
        grace_ns = self._hold_ns if self._camera_timeout_ns is None else self._lag_ns
        if now_ns < self._virtual_ns + grace_ns:
            return None
        return self._virtual_ns, False

    def take_frame(self) -> Tracks | None:
        """Remove the next frame; None when it follows a tick too closely to be one."""
        frame = self._frames.pop(0)
        self._frame_ns = frame.stamp_ns
        is_spaced = frame.stamp_ns >= self.last_ns + self._spacing_ns
        if is_spaced:
            self.last_ns = frame.stamp_ns
        self._plan()
        return frame if is_spaced else None

    def take_virtual(self) -> None:
        """Remove the next tick, a virtual one."""
        self.last_ns = self._virtual_ns
        self._plan()

    def skip(self, until_ns: int) -> None:
        """Skip virtual ticks up to the first one not before `until_ns`."""
        self._plan_at(max(until_ns, self._virtual_ns + 1))

    def _plan(self) -> None:
        if self._camera_timeout_ns is None:
            earliest_ns = self._first_ns + self._lag_ns
        else:
            earliest_ns = max(self._first_ns, self._frame_ns) + self._camera_timeout_ns
        self._plan_at(max(earliest_ns, self.last_ns + self._spacing_ns))

    def _plan_at(self, earliest_ns: int) -> None:
        self._virtual_ns = -(-earliest_ns // self._period_ns) * self._period_ns
