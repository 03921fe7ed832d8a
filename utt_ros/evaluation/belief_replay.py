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

"""Replay of recorded ticks through the live engine: measurements that its belief expects.

The twin merges decoded measurements with those (`twin.expected_measurements`); here with windows
of predictions, row by row: each row has what the belief knew at its tick.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.twin.engine import TwinEngine
from utt_ros.twin.expected_measurements import merge_by_variance
from utt_ros.twin.model_service import REPLAY_WAIT_S
from utt_ros.twin.onnx_model import OnnxModel
from utt_ros.twin.settings import ParticleFilterSettings
from utt_ros.types import Array, FloatArray, NameArray, Stamps, SyncedBatch


@dataclass(frozen=True, slots=True)
class ExpectedTrack:
    """Expected measurements of one subject at K ticks."""

    stamps_ns: Stamps  # (K,)
    mean: Array  # (K, F)
    std: Array  # (K, F)


def replay_expected(
    area: AreaSettings, window: WindowSettings, graph: bytes, batches: Iterable[SyncedBatch],
    target: str, *, belief: ParticleFilterSettings | None = None,
) -> dict[str, ExpectedTrack]:
    """Return the measurements of `target` that the belief expects, by subject."""
    engine = TwinEngine(area, window, belief, max_wait_s=REPLAY_WAIT_S)
    engine.deploy(OnnxModel(graph, window))
    listed: dict[str, list[tuple[int, Array, Array]]] = {}
    for batch in batches:
        tick = engine.begin(engine.locate(batch), imu_of=())
        engine.predict(tick)
        engine.synthesize(tick)
        for name, item in engine.expected_measurements(target, batch.stamp_ns).items():
            listed.setdefault(name, []).append((batch.stamp_ns, item.mean, item.std))
    return {name: ExpectedTrack(np.array([item[0] for item in items], np.int64),
                                np.stack([item[1] for item in items]),
                                np.stack([item[2] for item in items]))
            for name, items in listed.items()}


def merge_windows_with_tracks(
    decoded: FloatArray, std: Array | FloatArray, keys: tuple[NameArray, NameArray, Stamps],
    tracks: dict[tuple[str, str], ExpectedTrack], window: WindowSettings,
) -> FloatArray:
    """Merge decoded windows (N, R, F) with tracks; R is a multiple of the ticks of a window.

    Decoded values have deviations `std` (F,). `keys` are sequences, subjects and last stamps (N,)
    of the windows; `tracks` are by sequence and subject.
    """
    count, rows, channels = decoded.shape
    mean, deviation = np.full((2, count, window.ticks, channels), np.nan)
    for index, (sequence, subject, last_ns) in enumerate(zip(*keys, strict=True)):
        track = tracks.get((str(sequence), str(subject)))
        if track is None:
            continue
        age = np.rint((last_ns - track.stamps_ns) / (1e9 * window.period)).astype(np.intp)
        tick = window.ticks - 1 - age
        inside = (tick >= 0) & (tick < window.ticks)
        mean[index, tick[inside]] = track.mean[inside]
        deviation[index, tick[inside]] = track.std[inside]
    means, deviations = (
        np.repeat(part, rows // window.ticks, axis=1) for part in (mean, deviation))
    return merge_by_variance(decoded, np.asarray(std, np.float32), means, deviations)
