"""When samples are taken: at camera frames, or at ticks of the clock while there are none."""

from bisect import insort
from operator import attrgetter

from utt_ros.sync.association_types import Tracks
from utt_ros.sync.ring_buffers import NEVER

MIN_SPACING = 0.7  # of a period: a frame that follows a tick sooner is no tick
PENDING_FRAMES = 64


class Ticks:
    """The ticks of one epoch, in order of stamps.

    `camera_timeout_ns` is None for an area without a camera. Ticks of the clock lie on multiples
    of the period.
    """

    def __init__(self, period_ns: int, lag_ns: int, camera_timeout_ns: int | None) -> None:
        self._period_ns = period_ns
        self._spacing_ns = int(period_ns * MIN_SPACING)
        self._lag_ns = lag_ns
        self._camera_timeout_ns = camera_timeout_ns
        self._first_ns = -NEVER  # oldest stamp of the epoch
        self._frame_ns = NEVER  # newest frame that came up, whether it became a tick or not
        self._virtual_ns = -NEVER  # next tick of the clock, unless a frame comes before
        self._frames: list[Tracks] = []
        self.last_ns = NEVER  # newest tick

    def begin(self, stamp_ns: int) -> None:
        """Take notice that something was measured then."""
        if stamp_ns < self._first_ns:
            self._first_ns = stamp_ns
            self._plan()

    def add_frame(self, tracks: Tracks) -> str | None:
        """Queue a camera frame; return a counter's name when it is out of place or refused."""
        stamp_ns = tracks.stamp_ns
        if stamp_ns == self.last_ns or any(stamp_ns == each.stamp_ns for each in self._frames):
            return 'duplicated'
        if stamp_ns < self.last_ns:
            return 'late'
        if len(self._frames) == PENDING_FRAMES:
            return 'overflow'
        insort(self._frames, tracks, key=attrgetter('stamp_ns'))
        return None if self._frames[-1] is tracks else 'reordered'

    def next(self, now_ns: int) -> tuple[int, bool] | None:
        """Stamp of the next tick and whether it is a frame; None when none is known yet.

        When the area's time is `now_ns`. A tick of the clock in an area with a camera is known
        once frames that would take its place must have arrived.
        """
        if self._frames and self._frames[0].stamp_ns <= self._virtual_ns:
            return self._frames[0].stamp_ns, True
        silence_ns = 0 if self._camera_timeout_ns is None else self._lag_ns
        if now_ns < self._virtual_ns + silence_ns:
            return None
        return self._virtual_ns, False

    def take_frame(self) -> Tracks | None:
        """Remove the next tick, a frame; None when it follows another too soon to be a tick."""
        frame = self._frames.pop(0)
        self._frame_ns = frame.stamp_ns
        in_time = frame.stamp_ns >= self.last_ns + self._spacing_ns
        if in_time:
            self.last_ns = frame.stamp_ns
        self._plan()
        return frame if in_time else None

    def take_virtual(self) -> None:
        """Remove the next tick, one of the clock."""
        self.last_ns = self._virtual_ns
        self._plan()

    def skip(self, until_ns: int) -> None:
        """Leave out ticks of the clock: go on with the first one not before `until_ns`."""
        self._plan_at(max(until_ns, self._virtual_ns + 1))

    def _plan(self) -> None:
        if self._camera_timeout_ns is None:
            earliest_ns = self._first_ns + self._lag_ns
        else:
            earliest_ns = max(self._first_ns, self._frame_ns) + self._camera_timeout_ns
        self._plan_at(max(earliest_ns, self.last_ns + self._spacing_ns))

    def _plan_at(self, earliest_ns: int) -> None:
        self._virtual_ns = -(-earliest_ns // self._period_ns) * self._period_ns
