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

"""Training beside the naive pipeline: a process that takes one gradient step after the other.

Loss and optimizer are those of the package, on one thread, at normal priority.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from utt_ros.bridge.node.process import StopRequest
from utt_ros.evaluation.benchmarks.circling_walkers import LOOP_SEC, CirclingWalkers
from utt_ros.evaluation.benchmarks.load_messages import AREA, RANGE_STD_M, RATES_HZ, phone_names
from utt_ros.evaluation.benchmarks.reference_model import read_twin
from utt_ros.settings import WindowSettings
from utt_ros.training.settings import LearningSettings
from utt_ros.training.trainer import area_trainer
from utt_ros.types import NS_PER_S, FloatArray, Windows


def load_windows(phones: int, window: WindowSettings) -> Windows:
    """Make one window of T + H ticks per phone and second of the load's loop."""
    parts = [_window(CirclingWalkers(phones), begin, window) for begin in range(LOOP_SEC)]
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    masks = {name: (array != 0.0).any(axis=2) for name, array in values.items()}
    ends = np.arange(LOOP_SEC) + (window.ticks + window.horizon) * window.period
    last_ns = np.repeat(ends * NS_PER_S, phones).astype(np.int64)
    return Windows(last_ns, tuple(phone_names(phones) * LOOP_SEC), values, masks)


def _window(walkers: CirclingWalkers, begin: int, window: WindowSettings) -> dict[str, FloatArray]:
    """Values (P, T_m, F_m) from second `begin` on; a range at every third tick."""
    ticks = np.arange(window.ticks + window.horizon)
    at_tick = np.asarray(begin + ticks * window.period)
    rows = np.arange(len(ticks) * window.imu_rows)
    at_row = np.asarray(begin + rows * window.period / window.imu_rows)
    ranges = walkers.ranges(at_tick, AREA)
    ftm = np.stack([ranges, np.full_like(ranges, RANGE_STD_M)], -1)
    ftm[ticks % (RATES_HZ['camera'] // RATES_HZ['ftm']) != 0] = 0.0
    imu = [walkers.accelerations(at_row), walkers.rates(at_row), walkers.fields(at_row)]
    values = {'camera': walkers.boxes(at_tick, AREA), 'ftm': ftm, 'imu': np.concatenate(imu, -1)}
    return {name: array.transpose(1, 0, 2).astype(np.float32) for name, array in values.items()}


def main(args: Sequence[str] | None = None) -> int:
    """Train until SIGINT: `training PHONES CONFIG OUT`; OUT.npy has time [ns] and windows."""
    phones, config, out = (args or sys.argv[1:])[:3]
    torch.set_num_threads(1)
    stop = StopRequest()
    twin = read_twin(Path(config))
    trainer = area_trainer(
        twin.settings, twin.window, AREA, LearningSettings(holdout_block=0.0))
    trainer.memory.observe(load_windows(int(phones), twin.window), AREA, twin.window)
    history = []
    while not stop():
        trainer.train(1)
        history.append((time.time_ns(), trainer.steps * trainer.learning.batch))
    np.save(out, np.array(history, np.int64).reshape(-1, 2))
    return 0


if __name__ == '__main__':
    sys.exit(main())
