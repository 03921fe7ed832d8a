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

"""Processor time of live association in a crowd."""

from collections.abc import Iterator
from pathlib import Path
from time import process_time

import numpy as np

from utt_ros.association.associator import make_associator
from utt_ros.evaluation.benchmarks.circling_walkers import CirclingWalkers
from utt_ros.models.model_card import load_model
from utt_ros.models.onnx_export import export_onnx
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.sync.association_types import PhoneSamples, Tracks
from utt_ros.sync.settings import SyncSettings
from utt_ros.twin.onnx_translator import OnnxTranslator
from utt_ros.types import NS_PER_S, Array

CROWD_SIZE = 20
COST_TICKS = 200  # the second half, when histories are full, is measured
RANGE_TICKS = 3  # between ranges of a phone
CROWD_RANGE_STD_M = 0.4
FIRST_NS = 10**18


def match_cost(
    method: str, model_file: Path | None, window: WindowSettings,
) -> tuple[float, float]:
    """Measure a match of 20 tracks and 20 phones [ms], and the share of a core at 10 Hz."""
    associator = make_associator(SyncSettings(association=method), AreaSettings(), window)
    if model_file is not None:
        associator.use_model(OnnxTranslator(export_onnx(load_model(model_file)[0]), window))
    matches, total = [], 0.0
    for tick, (tracks, phones) in enumerate(_ticks(window)):
        before, start_s = associator.matches, process_time()
        associator.associate(tracks, phones)
        took_s = process_time() - start_s
        if tick >= COST_TICKS // 2:
            total += took_s
            matches += [took_s] * (associator.matches > before)
    return 1e3 * float(np.median(matches)), total / (COST_TICKS / 2 * window.period)


def _ticks(window: WindowSettings) -> Iterator[tuple[Tracks, PhoneSamples]]:
    """Yield frames, and the samples of phones, of people who walk in circles."""
    area, walkers = AreaSettings(), CirclingWalkers(CROWD_SIZE)
    names = tuple(f'{number:02d}' for number in range(CROWD_SIZE))
    seconds: Array = window.period * np.arange(COST_TICKS, dtype=np.float64)
    row_seconds: Array = window.period / window.imu_rows * np.arange(
        COST_TICKS * window.imu_rows, dtype=np.float64)
    boxes, ranges = walkers.boxes(seconds, area), walkers.ranges(seconds, area)
    imu = np.concatenate([
        walkers.accelerations(row_seconds), walkers.rates(row_seconds),
        walkers.fields(row_seconds)], axis=-1).reshape(
            COST_TICKS, window.imu_rows, CROWD_SIZE, -1).swapaxes(1, 2)
    for tick in range(COST_TICKS):
        yield (
            Tracks(FIRST_NS + round(tick * window.period * NS_PER_S),
                   boxes[tick].astype(np.float32), ('',) * CROWD_SIZE, names,
                   np.ones(CROWD_SIZE, np.float32)),
            PhoneSamples(tuple(f'p{name}' for name in names),
                         np.stack(
                             [ranges[tick], np.full(CROWD_SIZE, CROWD_RANGE_STD_M)], 1,
                         ).astype(np.float32),
                         np.zeros(CROWD_SIZE, np.float32),
                         np.full(CROWD_SIZE, tick % RANGE_TICKS == 0),
                         imu[tick].astype(np.float32),
                         np.ones((CROWD_SIZE, window.imu_rows), bool)))
