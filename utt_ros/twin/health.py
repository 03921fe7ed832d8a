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

"""Health of an area's sensors: which are missing, and a sentence about it."""

from collections.abc import Sequence

from utt_ros.types import SyncedBatch

MAX_SENSOR_SILENCE_S = {'camera': 0.5, 'ftm': 3.0, 'imu': 1.0}  # after which a sensor is missing
MAX_IDLE_S = 2.0  # without any tick


class SensorHealth:
    """Time of the last measurement of each modality of an area, on the measurement clock."""

    def __init__(self, modalities: Sequence[str]) -> None:
        self.modalities = tuple(sorted(modalities))
        self.ticks = self.lost = 0
        self._epoch = self._sequence = -1
        self._begin_ns = self._now_ns = 0
        self._measured_ns: dict[str, int] = {}

    def update(self, batch: SyncedBatch) -> None:
        """Record a tick; a gap in the sequence counts as lost ticks."""
        if batch.epoch != self._epoch:
            self._epoch, self._begin_ns, self._measured_ns = batch.epoch, batch.stamp_ns, {}
        else:
            self.lost += max(0, batch.sequence - self._sequence - 1)
        self.ticks += 1
        self._sequence, self._now_ns = batch.sequence, batch.stamp_ns
        measured = {'camera': batch.camera_tick,
                    'ftm': bool(batch.ftm_mask.any()), 'imu': bool(batch.imu_mask.any())}
        self._measured_ns.update(
            (name, batch.stamp_ns) for name, present in measured.items() if present)

    def silence_s(self, modality: str) -> float:
        """Return the time since a modality's last measurement, or since the epoch began [s]."""
        return (self._now_ns - self._measured_ns.get(modality, self._begin_ns)) / 1e9

    def missing(self) -> list[str]:
        """Return the modalities without recent measurements."""
        if not self.ticks:
            return list(self.modalities)
        return [name for name in self.modalities
                if self.silence_s(name) > MAX_SENSOR_SILENCE_S[name]]

    def summary(self, idle_s: float, model_ready: bool) -> str:
        """Return one sentence; `idle_s` is the time since the last tick by the node's clock."""
        if not self.ticks:
            return 'no tick has arrived yet'
        if idle_s > MAX_IDLE_S:
            return f'no tick for {idle_s:.1f} s'
        missing = self.missing()
        if missing:
            silent = ', '.join(f'{name} for {self.silence_s(name):.1f} s' for name in missing)
            left = '+'.join(name for name in self.modalities if name not in missing)
            return f'no data from {silent}; positions are based on {left or "memory"}'
        if not model_ready:
            return 'no model yet: positions come from the particle filter alone'
        return f'all sensors deliver: {"+".join(self.modalities)}'
