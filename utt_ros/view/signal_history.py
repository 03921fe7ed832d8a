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

"""Modalities of one person over time: measured, and synthesized by task twins; bounded."""

from dataclasses import dataclass, field

import numpy as np

from utt_ros.types import CHANNELS, NS_PER_S, Array, Stamps

MAX_SIGNAL_ROWS = 4096
PLOT_SPAN_S = 20.0
PLOT_POINTS = 200
MEASURED, SYNTHESIZED = 'measured', 'synthesized'


class SignalTrack:
    """Ring of the newest rows of one modality with their stamps."""

    def __init__(self, channels: int) -> None:
        self._stamps_ns = np.zeros(MAX_SIGNAL_ROWS, np.int64)
        self._values = np.full((MAX_SIGNAL_ROWS, channels), np.nan)
        self._count = 0

    @property
    def newest_ns(self) -> int:
        """Return the newest stamp; 0 while there is none."""
        return int(self._stamps_ns.max()) if self._count else 0

    def add(self, stamps_ns: Stamps, values: Array) -> None:
        """Add rows (N, F); a stamp before the newest one by more than the span begins anew."""
        stamps_ns, values = stamps_ns[-MAX_SIGNAL_ROWS:], values[-MAX_SIGNAL_ROWS:]
        if not len(stamps_ns):
            return
        if self.newest_ns - int(stamps_ns[0]) > PLOT_SPAN_S * NS_PER_S:
            self._count = 0
            self._stamps_ns[:] = 0
        rows = (self._count + np.arange(len(stamps_ns))) % MAX_SIGNAL_ROWS
        self._stamps_ns[rows], self._values[rows] = stamps_ns, values
        self._count += len(stamps_ns)

    def newest(self, channel: int) -> float:
        """Return the value of a channel that was added last; NaN while there is none."""
        return float(self._values[(self._count - 1) % MAX_SIGNAL_ROWS, channel])

    def resample(self, channel: int, end_ns: int) -> Array:
        """Return the newest value (PLOT_POINTS,) in each cell of the span; NaN in empty ones."""
        line = np.full(PLOT_POINTS, np.nan)
        filled = min(self._count, MAX_SIGNAL_ROWS)
        order = np.argsort(self._stamps_ns[:filled], kind='stable')
        stamps_ns, values = self._stamps_ns[:filled][order], self._values[:filled, channel][order]
        cell_ns = PLOT_SPAN_S * NS_PER_S / PLOT_POINTS
        cells = PLOT_POINTS - 1 - ((end_ns - stamps_ns) // cell_ns).astype(np.int64)
        inside = (cells >= 0) & (cells < PLOT_POINTS) & np.isfinite(values)
        line[cells[inside]] = values[inside]
        return line


@dataclass(slots=True)
class SignalHistory:
    """Tracks of the chosen person by modality: MEASURED, and SYNTHESIZED by one twin each."""

    measured: dict[str, SignalTrack] = field(default_factory=dict)
    synthesized: dict[str, SignalTrack] = field(default_factory=dict)

    def add(self, origin: str, modality: str, stamps_ns: Stamps, values: Array) -> None:
        """Add rows (N, F) of a modality."""
        tracks = self.measured if origin == MEASURED else self.synthesized
        if modality not in tracks:
            tracks[modality] = SignalTrack(len(CHANNELS[modality]))
        tracks[modality].add(stamps_ns, values)

    def lines(self, modality: str, channel: int) -> tuple[Array, Array, Array]:
        """Return seconds before now, measured and synthesized values, each (PLOT_POINTS,)."""
        tracks = [each.get(modality) for each in (self.measured, self.synthesized)]
        end_ns = max((track.newest_ns for track in tracks if track), default=0)
        seconds = np.linspace(-PLOT_SPAN_S, 0.0, PLOT_POINTS, dtype=np.float64)
        lines: list[Array] = [
            track.resample(channel, end_ns) if track else np.full(PLOT_POINTS, np.nan, np.float64)
            for track in tracks]
        return seconds, lines[0], lines[1]

    def clear(self) -> None:
        """Forget all of it, as for another person."""
        self.measured.clear()
        self.synthesized.clear()
