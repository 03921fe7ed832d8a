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

"""Windows of the last ticks, and the choice of training windows; live and offline alike."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from utt_ros.errors import MeasurementError
from utt_ros.settings import WindowSettings
from utt_ros.types import (
    CHANNELS,
    FTM_CHANNELS,
    FURTHER_FTM,
    FloatArray,
    MaskArray,
    SyncedBatch,
    Windows,
)

INITIAL_ROWS = 8
MAX_WINDOW_SUBJECTS = 1024


class WindowBuffer:
    """Buffer of the last T ticks of every subject.

    Ticks that are missing, by the stamps, and ticks without the subject are masked zeros. A new
    epoch, a stamp that does not increase, or another number of access points empties the buffer.
    A subject that was absent for T ticks is removed.
    """

    def __init__(self, ticks: int, imu_rows: int, period: float = 0.1) -> None:
        self._ticks = ticks
        self._per_tick = {name: imu_rows if name == 'imu' else 1 for name in CHANNELS}
        self._period_ns = round(period * 1e9)
        self._values: dict[str, FloatArray] = {}  # (rows, 2 T, rows per tick, F), see _advance
        self._masks: dict[str, MaskArray] = {}
        for name, channels in CHANNELS.items():
            self._allocate(name, 0, len(channels))
        self.clear()

    @property
    def length(self) -> int:
        """Ticks since the buffer was last empty, missing ones included, T at most."""
        return min(self._length, self._ticks)

    def clear(self) -> None:
        """Empty the buffer."""
        self._end = self._ticks  # column after the newest tick
        self._length = 0
        self._epoch = self._stamp_ns = -1
        self._current: tuple[str, ...] = ()
        self._rows: dict[str, int] = {}
        self._present: dict[str, int] = {}  # subject -> number of the newest tick with it
        self._free = list(range(len(self._masks['imu'])))
        self._wipe(slice(None), slice(None))

    def push(self, batch: SyncedBatch) -> None:
        """Append the next tick.

        Raises MeasurementError when it has another number of IMU rows than the windows.
        """
        if batch.imu.shape[1] != self._per_tick['imu']:
            raise MeasurementError(f'a tick has {batch.imu.shape[1]} rows of IMU: windows have '
                                   f'{self._per_tick["imu"]}')
        further = batch.further_ftm.shape[1]
        if further != self._per_tick.get(FURTHER_FTM, 0):
            self._set_access_points(further)
        if batch.epoch != self._epoch or batch.stamp_ns <= self._stamp_ns:
            self.clear()
        gap_ns = batch.stamp_ns - self._stamp_ns if self._length else self._period_ns
        steps = max(1, (gap_ns + self._period_ns // 2) // self._period_ns)
        self._advance(min(steps, self._ticks))
        self._epoch, self._stamp_ns = batch.epoch, batch.stamp_ns
        self._length += steps
        self._current = batch.subjects
        self._write(batch)

    def windows(self, subjects: Sequence[str] | None = None) -> Windows:
        """Return windows that end with the newest tick, of its subjects or of `subjects`.

        Windows of an unknown subject are fully masked.
        """
        names = self._current if subjects is None else tuple(subjects)
        known = [index for index, name in enumerate(names) if name in self._rows]
        rows = [self._rows[names[index]] for index in known]
        span = slice(self._end - self._ticks, self._end)
        values: dict[str, FloatArray] = {}
        masks: dict[str, MaskArray] = {}
        for name, array in self._values.items():
            shape = ((self._ticks, self._per_tick[name]) if name == FURTHER_FTM
                     else (self._ticks * self._per_tick[name],))
            channels = array.shape[3]
            values[name] = np.zeros((len(names), *shape, channels), np.float32)
            masks[name] = np.zeros((len(names), *shape), bool)
            values[name][known] = array[rows, span].reshape(len(rows), *shape, channels)
            masks[name][known] = self._masks[name][rows, span].reshape(len(rows), *shape)
        stamps_ns = np.full(len(names), self._stamp_ns, np.int64)
        return Windows(stamps_ns, names, values, masks)

    def _allocate(self, name: str, rows: int, channels: int) -> None:
        shape = (rows, 2 * self._ticks, self._per_tick[name])
        self._values[name] = np.zeros((*shape, channels), np.float32)
        self._masks[name] = np.zeros(shape, bool)

    def _set_access_points(self, further: int) -> None:
        """Change the number of access points after the first, and empty the buffer."""
        self._per_tick[FURTHER_FTM] = further
        self._allocate(FURTHER_FTM, len(self._masks['imu']), len(FTM_CHANNELS))
        if not further:
            del self._values[FURTHER_FTM], self._masks[FURTHER_FTM]
        self.clear()

    def _advance(self, steps: int) -> None:
        """Append `steps` masked ticks.

        The arrays are twice as long as a window and filled from the left; when they are full they
        are compacted to the last T ticks, so a window is always contiguous.
        """
        keep = self._ticks
        if self._end + steps > 2 * keep:
            for array in (*self._values.values(), *self._masks.values()):
                array[:, :keep] = array[:, self._end - keep:self._end]
            self._wipe(slice(None), slice(keep, None))
            self._end = keep
        self._end += steps

    def _write(self, batch: SyncedBatch) -> None:
        for name in [n for n, at in self._present.items() if at <= self._length - self._ticks]:
            self._wipe(self._rows[name], slice(None))
            self._free.append(self._rows.pop(name))
            del self._present[name]
        kept = [index for index, name in enumerate(batch.subjects) if self._add_subject(name)]
        rows = [self._rows[batch.subjects[index]] for index in kept]
        column = self._end - 1
        measured = {'camera': (batch.camera[:, None], batch.camera_mask[:, None]),
                    'ftm': (batch.ftm[:, None], batch.ftm_mask[:, None]),
                    'imu': (batch.imu, batch.imu_mask),
                    FURTHER_FTM: (batch.further_ftm, batch.further_ftm_mask)}
        for name in self._values:
            values, mask = measured[name]
            self._values[name][rows, column] = values[kept] * mask[kept, :, None]
            self._masks[name][rows, column] = mask[kept]

    def _add_subject(self, name: str) -> bool:
        """Assign a row to a subject; False when there is none left."""
        if name not in self._rows:
            if not self._free:
                self._grow()
            if not self._free:
                return False
            self._rows[name] = self._free.pop(0)
        self._present[name] = self._length
        return True

    def _grow(self) -> None:
        size = len(self._masks['imu'])
        added = min(max(2 * size, INITIAL_ROWS), MAX_WINDOW_SUBJECTS) - size
        for name in self._values:
            self._values[name] = np.pad(self._values[name], ((0, added), (0, 0), (0, 0), (0, 0)))
            self._masks[name] = np.pad(self._masks[name], ((0, added), (0, 0), (0, 0)))
        self._free += range(size, size + added)

    def _wipe(self, rows: int | slice, ticks: slice) -> None:
        for name in self._values:
            self._values[name][rows, ticks] = 0.0
            self._masks[name][rows, ticks] = False


class WindowCutter:
    """Choice of training windows, the same for the live trainer and for recorded sessions.

    The first tick with T - 1 ticks before it and a subject ends a window, and so does the next one
    at least `stride` ticks later. An epoch restarts the choice.
    """

    def __init__(self, settings: WindowSettings, ticks: int, stride: int) -> None:
        self._buffer = WindowBuffer(ticks, settings.imu_rows, settings.period)
        self._ticks, self._stride = ticks, stride
        self._epoch: int | None = None
        self._wait = 0  # ticks until the next window may end

    def push(self, batch: SyncedBatch) -> Windows | None:
        """Append the next tick; return the windows of its subjects when it ends some.

        Raises MeasurementError when it has another number of IMU rows than the windows.
        """
        self._buffer.push(batch)
        self._wait = self._wait - 1 if batch.epoch == self._epoch else 0
        self._epoch = batch.epoch
        if self._buffer.length < self._ticks or not batch.subjects or self._wait > 0:
            return None
        self._wait = self._stride
        return self._buffer.windows()


def cut_windows(
    batches: Iterable[SyncedBatch], settings: WindowSettings, ticks: int | None = None,
    stride: int = 1,
) -> Iterator[Windows]:
    """Yield the windows that a `WindowCutter` chooses, those of one last tick at a time.

    `ticks` is T, by default that of the settings.
    """
    cutter = WindowCutter(settings, settings.ticks if ticks is None else ticks, stride)
    for batch in batches:
        if (windows := cutter.push(batch)) is not None:
            yield windows
