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

"""Computing time of a twin's tick, without processes, topics and messages around it.

CPU time depends less on what else a machine does than latencies over DDS do.
"""

import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from utt_ros.evaluation.benchmarks.circling_walkers import CirclingWalkers
from utt_ros.evaluation.benchmarks.load_messages import AREA, RANGE_STD_M, RATES_HZ, phone_names
from utt_ros.evaluation.benchmarks.reference_model import make_twin
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings
from utt_ros.settings import WindowSettings
from utt_ros.twin.engine import TwinEngine
from utt_ros.twin.onnx_model import OnnxModel
from utt_ros.types import NS_PER_S, Array, SyncedBatch

START_NS = 1_700_000_000 * NS_PER_S
PARTS = ('positions', 'trajectories', 'between ticks')
_Milliseconds = npt.NDArray[np.float64]


def measure_tick(phones: int, ticks: int) -> dict[str, _Milliseconds]:
    """Measure CPU time [ms] of `ticks` ticks after those of a window, by part; of all threads.

    Also that of all parts, and of all where the synthesized IMU of everybody is read as well: it
    is computed in another thread, while trajectories are.
    """
    window = WindowSettings()
    payload = export_onnx(make_twin(ModelSettings(), window))
    unread, read = (_run(payload, phones, ticks, is_imu_read=flag) for flag in (False, True))
    parts = {name: unread[:, column] for column, name in enumerate(PARTS)}
    return {**parts, 'all': unread.sum(1), 'all, and synthesized IMU': read.sum(1)}


def _run(payload: bytes, phones: int, ticks: int, *, is_imu_read: bool) -> _Milliseconds:
    """Return CPU times (ticks, PARTS) [ms]."""
    window = WindowSettings()
    engine = TwinEngine(AREA, window)
    engine.deploy(OnnxModel(payload, window))
    readers = None if is_imu_read else ()
    spent = []
    for batch in circling_batches(phones, window.ticks + ticks):
        moments_s = [time.process_time()]
        located = engine.locate(batch)
        moments_s.append(time.process_time())
        pending = engine.begin(located, readers)
        engine.predict(pending)
        engine.synthesize(pending)
        moments_s.append(time.process_time())
        engine.prepare_next()
        moments_s.append(time.process_time())
        spent.append(np.diff(moments_s))
    return 1e3 * np.array(spent[window.ticks:])


def circling_batches(phones: int, ticks: int) -> Iterator[SyncedBatch]:
    """Yield ticks of the load of `utt bench live`, as a synchronizer would."""
    walkers, window, names = CirclingWalkers(phones), WindowSettings(), tuple(phone_names(phones))
    at_tick = window.period * np.arange(ticks)
    at_row = window.period / window.imu_rows * np.arange(ticks * window.imu_rows)
    boxes, ranges = walkers.boxes(at_tick, AREA), walkers.ranges(at_tick, AREA)
    rows = np.concatenate([walkers.accelerations(at_row), walkers.rates(at_row),
                           walkers.fields(at_row)], axis=-1)  # (ticks * C, P, 9)
    imu: Array = rows.reshape(ticks, window.imu_rows, phones, 9).transpose(0, 2, 1, 3)
    everybody = np.ones(phones, bool)
    for number in range(ticks):
        ranged = everybody & (number % (RATES_HZ['camera'] // RATES_HZ['ftm']) == 0)
        ftm = np.stack([ranges[number], np.full(phones, RANGE_STD_M)], axis=-1)
        yield SyncedBatch(
            START_NS + round(at_tick[number] * NS_PER_S), 0, number, True, names, ('',) * phones,
            np.ones(phones, np.float32), boxes[number].astype(np.float32), everybody,
            (ftm * ranged[:, None]).astype(np.float32), np.zeros(phones, np.float32), ranged,
            np.ascontiguousarray(imu[number], np.float32), np.ones(imu.shape[1:3], bool))
