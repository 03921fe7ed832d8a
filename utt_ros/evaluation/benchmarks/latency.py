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

"""Latency statistics from published and received stamps; no ROS, no clock, no process."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from utt_ros.types import NS_PER_MS, NS_PER_S, Stamps

PERCENTILES = {'p50': 50.0, 'p90': 90.0, 'p99': 99.0, 'max': 100.0}
OUTPUTS = ('imu', 'position', 'trajectory')  # by their number in the records of the observer
PENDING = -1
LAG_NS = (10_000_000, 30_000_000)  # range around the lag of the synchronizer, 20 ms


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU and memory use of one process during the measurement."""

    cpu_percent: float  # of one core
    rss_mb: float  # at the end


@dataclass(frozen=True, slots=True)
class LiveResult:
    """Results of one scenario, within its measured seconds unless noted."""

    title: str
    phones: int
    seconds: float
    latency_ms: dict[str, float]  # frame published -> last output of a subject received
    position_ms: dict[str, float]  # frame published -> position received
    trajectory_ms: dict[str, float]
    newest_input_ms: dict[str, float]  # the same from the newest input of the prediction
    predictions_per_s: float
    ticks: int  # camera frames published
    predicted: int  # of ticks x phones
    sent: dict[str, int]  # messages by kind, whole run
    lost: int | None  # messages lost, whole run; None: not counted by the pipeline
    usage: dict[str, Usage]  # by process
    counted: tuple[str, ...]  # processes of the pipeline, without training
    windows_per_s: float  # trained; 0 without a trainer
    lateness_ms: dict[str, float]  # of the load generator
    load: tuple[float, float]  # mean number of runnable processes (1 min), before and after

    @property
    def missing(self) -> int:
        """Return the number of predictions that did not arrive."""
        return self.ticks * self.phones - self.predicted

    @property
    def cpu_percent(self) -> float:
        """Return the CPU use of the pipeline without training, of one core."""
        return sum(self.usage[name].cpu_percent for name in self.counted)

    @property
    def rss_mb(self) -> float:
        """Return the memory of the pipeline without training."""
        return sum(self.usage[name].rss_mb for name in self.counted)


def last_arrivals(
    records: Stamps, ticks_ns: Stamps, phones: int, outputs: int,
) -> Stamps:
    """Arrival times (K, P) [ns] of the last output of every tick and phone, or PENDING.

    `records` (N, 4): phone, output, stamp, time of arrival; `ticks_ns` (K,) increasing. A record
    belongs to the tick of its stamp; the newest row of a synthesized IMU to the tick LAG_NS later.
    Other records are ignored.
    """
    received = np.full((len(ticks_ns), phones, outputs), PENDING, np.int64)
    if len(records) and len(ticks_ns):
        tick = np.minimum(np.searchsorted(ticks_ns, records[:, 2]), len(ticks_ns) - 1)
        age_ns = ticks_ns[tick] - records[:, 2]
        known = (age_ns == 0) | ((LAG_NS[0] <= age_ns) & (age_ns < LAG_NS[1]))
        phone, output, _, arrived = records[known].T
        np.maximum.at(received, (tick[known], phone, output), arrived)
    return np.where((received == PENDING).any(axis=2), PENDING, received.max(axis=2))


def latencies_ms(arrived: Stamps, since_ns: Stamps) -> npt.NDArray[np.float64]:
    """Latencies (N,) [ms] from `since_ns` (K, P) to arrival; pending ones are left out."""
    known = (arrived != PENDING) & (since_ns != PENDING)
    return np.asarray((arrived - since_ns)[known] / NS_PER_MS)


def newest_inputs(joined: Stamps, ticks_ns: Stamps, phones: int) -> Stamps:
    """Stamps (K, P) of the newest input of each prediction.

    `joined` (N, 3): phone, tick, stamp.
    """
    return last_arrivals(np.insert(joined, 1, 0, axis=1), ticks_ns, phones, 1)


def latency_percentiles(values: npt.NDArray[np.float64]) -> dict[str, float]:
    """Percentiles of `values`; NaN without values."""
    if not len(values):
        return dict.fromkeys(PERCENTILES, float('nan'))
    return {name: float(np.percentile(values, share)) for name, share in PERCENTILES.items()}


def counter_rate(history: list[tuple[int, float]], begin_ns: int, end_ns: int) -> float:
    """Rate [1/s] of a counter within an interval, from (time [ns], count); 0 if unknown."""
    inside = [item for item in history if begin_ns <= item[0] <= end_ns]
    if len(inside) < 2 or inside[-1][0] == inside[0][0]:
        return 0.0
    return (inside[-1][1] - inside[0][1]) * NS_PER_S / (inside[-1][0] - inside[0][0])
