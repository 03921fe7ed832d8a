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

"""Soak of a running federation: memory of each process and time of a tick must not grow.

A trend is the slope of block means over time with its 99 % confidence interval: means of blocks
are nearly independent, single samples are not. Growth is proven where the whole interval is above
a limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import t as student

from utt_ros.evaluation.benchmarks.area_watch import AreaWatch
from utt_ros.evaluation.benchmarks.federation_rig import FederationRig
from utt_ros.evaluation.benchmarks.live_rig import MB, ProcessSample
from utt_ros.orchestration.supervisor import Supervisor
from utt_ros.types import NS_PER_S, Array

SAMPLE_SEC = 2.0
BLOCKS = 20
CONFIDENCE = 0.99
SEC_PER_H = 3600.0
MAX_GROWTH_MB_PER_H = 1.0  # of the lower bound of the slope
MAX_SLOWER_PER_H = 0.1  # of the lower bound of the slope, relative to the mean
MAX_WARM_UP_SEC = 600.0
WARM_UP_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Trend:
    """Mean of a series and its change per hour, with the bounds of the confidence interval."""

    mean: float
    slope: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SoakReport:
    """Trends of memory [MB] by process and of the p99 of a tick [ms] by area.

    Memory of a process is its own: pages of a segment of shared memory are allocated at once by
    the process that owns it, and counted again, one by one, in each one that reads from them.
    """

    seconds: float
    own_mb: dict[str, Trend]
    compute_p99_ms: dict[str, Trend]
    restarted: tuple[str, ...]  # processes that ended meanwhile
    load: float
    rss_mb: dict[str, Trend] = field(default_factory=dict)  # with files and shared memory

    def growing(self) -> list[str]:
        """Return the processes whose own memory grows beyond doubt."""
        return [name for name, trend in self.own_mb.items() if trend.low > MAX_GROWTH_MB_PER_H]

    def slowing(self) -> list[str]:
        """Return the areas whose ticks become slower beyond doubt."""
        return [area for area, trend in self.compute_p99_ms.items()
                if trend.low > MAX_SLOWER_PER_H * trend.mean]


def warm_up_sec(seconds: float) -> float:
    """Return the time until buffers are full, which a soak of this length leaves out."""
    return min(MAX_WARM_UP_SEC, WARM_UP_SHARE * seconds)


def soak(
    rig: FederationRig, processes: Supervisor, watch: AreaWatch, seconds: float,
) -> SoakReport:
    """Observe a federation; `seconds` include the warm-up."""
    watch.pause(warm_up_sec(seconds))
    names = [spec.name for spec in rig.specs if spec.respawn]
    begin = processes.pids()
    samples = [_sample(processes, names)]
    end_ns = samples[0].time_ns + round((seconds - warm_up_sec(seconds)) * NS_PER_S)
    while samples[-1].time_ns < end_ns:
        watch.pause(SAMPLE_SEC)
        samples.append(_sample(processes, names))
    now = processes.pids()
    times_s = np.array([sample.time_ns for sample in samples]) / NS_PER_S
    lasting = [name for name in names if all(name in sample.rss for sample in samples)]
    own, rss = (
        {name: trend(times_s, [used[name] / MB for used in series]) for name in lasting}
        for series in ([sample.own for sample in samples], [sample.rss for sample in samples]))
    p99 = {area: trend([stamp / NS_PER_S for stamp, _ in inside], [value for _, value in inside])
           for area, history in watch.compute_p99.items()
           if len(inside := [item for item in history if item[0] > samples[0].time_ns]) > BLOCKS}
    return SoakReport(
        seconds, own, p99, tuple(name for name in names if begin.get(name) != now.get(name)),
        float(np.mean([sample.load for sample in samples])), rss)


def _sample(processes: Supervisor, names: Sequence[str]) -> ProcessSample:
    pids = processes.pids()
    return ProcessSample.now({name: pids[name] for name in names if name in pids})


def trend(times_s: Sequence[float] | Array, values: Sequence[float]) -> Trend:
    """Fit a line through the means of BLOCKS blocks of a series; bounds are of the slope [1/h]."""
    blocks = min(BLOCKS, len(values))
    hours = _block_means(np.asarray(times_s, np.float64) / SEC_PER_H, blocks)
    means = _block_means(np.asarray(values, np.float64), blocks)
    centred = hours - hours.mean()
    spread = float(centred @ centred)
    if blocks < 3 or spread == 0.0:
        return Trend(float(means.mean()), 0.0, -np.inf, np.inf)
    slope = float(centred @ means) / spread
    residuals = means - means.mean() - slope * centred
    error = np.sqrt(float(residuals @ residuals) / (blocks - 2) / spread)
    reach = float(student.ppf(0.5 + CONFIDENCE / 2, blocks - 2)) * error
    return Trend(float(means.mean()), slope, slope - reach, slope + reach)


def _block_means(values: Array, blocks: int) -> Array:
    return np.array([part.mean() for part in np.array_split(values, blocks)])
