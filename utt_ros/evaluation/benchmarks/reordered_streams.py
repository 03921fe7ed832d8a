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

"""Reordered arrival of a simulated session, and its windows compared with those in order."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from utt_ros.sessions.simulator.live_world import live_session_plan
from utt_ros.sessions.simulator.world import simulate_session
from utt_ros.settings import WindowSettings
from utt_ros.sync.offline_sync import replay_session
from utt_ros.sync.settings import SyncSettings
from utt_ros.sync.synchronizer import Synchronizer
from utt_ros.sync.window_buffer import cut_windows
from utt_ros.types import NS_PER_S, Stamps, SyncedBatch, Windows


@dataclass(frozen=True, slots=True)
class ReorderReport:
    """Windows of a reordered session that equal those of the session in order, bit for bit."""

    equal: int
    total: int
    reordered: int  # messages
    late: int  # messages


def reorder_streams(
    jitter_s: float = 0.2, lag_s: float = 0.25, max_wait_s: float = 0.4, seconds: float = 20.0,
    seed: int = 0,
) -> ReorderReport:
    """Delay every message of a session at random by up to `jitter_s`, camera frames included."""
    session = simulate_session(live_session_plan(seed, seconds))
    settings = SyncSettings(lag=lag_s, max_wait=max_wait_s)
    rng = np.random.default_rng(seed)

    def delay(stamps_ns: Stamps) -> Stamps:
        return rng.integers(0, round(jitter_s * NS_PER_S) + 1, len(stamps_ns))

    expected = dict(_windows(replay_session(Synchronizer(settings), session)))
    live = Synchronizer(settings)
    found = dict(_windows(replay_session(live, session, delay=delay)))
    return ReorderReport(
        sum(found.get(key) == image for key, image in expected.items()), len(expected),
        live.counters['reordered'], live.counters['late'])


def _windows(batches: Iterator[SyncedBatch]) -> Iterator[tuple[tuple[int, str], bytes]]:
    """Yield each window's stamp and subject, and the bytes of its values and masks."""
    for windows in cut_windows(batches, WindowSettings()):
        for row, subject in enumerate(windows.subjects):
            yield (int(windows.stamps_ns[row]), subject), _image(windows, row)


def _image(windows: Windows, row: int) -> bytes:
    return b''.join(
        part[row].tobytes() for name in sorted(windows.values)
        for part in (windows.values[name], windows.masks[name]))
