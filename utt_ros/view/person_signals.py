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

"""Signals of the chosen person: what sensors measured, and what task twins synthesized of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from utt_ros.errors import MeasurementError
from utt_ros.types import CHANNELS, Array, stamp_to_ns
from utt_ros.view.camera_picture import MEASURED_RGB, SYNTHESIZED_RGB
from utt_ros.view.scene_messages import (
    read_boxes,
    read_inertial,
    read_magnetic_fields,
    read_ranges,
    read_scene_message,
)
from utt_ros.view.shown_topics import SIGNALS, ShownTopic
from utt_ros.view.signal_history import MEASURED, SYNTHESIZED, SignalHistory

TWIN_ITSELF = 'twin'  # synthesizes IMU of everybody in its area, without a task twin
MAX_IMU_ROWS = 50  # of a tick
MAX_RING_M = 100.0
INERTIAL, MAGNETIC = slice(0, 6), slice(6, 9)  # columns of the modality imu


class PersonSignals:
    """History of one person in one area, from the topics that `wants` names."""

    def __init__(self) -> None:
        self.history = SignalHistory()
        self.root = self.subject = ''
        self.twins: dict[str, str] = {}  # task twin that synthesizes, by modality

    def choose(self, root: str, subject: str, twins: dict[str, str]) -> bool:
        """Set the person, by namespace of the area and name, and the twins by modality.

        Return whether signals of another choice are to be read.
        """
        if (root, subject, twins) == (self.root, self.subject, self.twins):
            return False
        self.root, self.subject, self.twins = root, subject, dict(twins)
        self.clear()
        return bool(subject)

    def newest_ranges(self) -> dict[tuple[int, int, int], float]:
        """Return the newest ranges of the chosen person [m] by the colour of their origin."""
        tracks = ((MEASURED_RGB, self.history.measured),
                  (SYNTHESIZED_RGB, self.history.synthesized))
        return {color: value for color, by_modality in tracks if 'ftm' in by_modality
                if 0.0 < (value := by_modality['ftm'].newest(0)) < MAX_RING_M}

    def clear(self) -> None:
        """Forget the history."""
        self.history.clear()

    def wants(self, topic: ShownTopic) -> bool:
        """Return whether a topic tells about the chosen person."""
        if topic.root != self.root or not self.subject:
            return False
        if topic.kind == 'synced':
            return True
        if topic.kind == 'twin_imu':
            return topic.subject == self.subject and self.twins.get('imu') == TWIN_ITSELF
        modality = _MODALITY.get(topic.kind)
        return (modality is not None and topic.twin == self.twins.get(modality)
                and topic.subject in ('', self.subject))

    def receive(self, topic: ShownTopic, messages: Sequence[bytes]) -> bool:
        """Take messages of a topic; return whether it is about signals of the chosen person."""
        if topic.kind not in SIGNALS and topic.kind != 'virtual_camera':
            return False
        if not self.wants(topic):
            return topic.kind != 'virtual_camera'  # a picture shows its boxes as well
        if topic.kind == 'synced':
            for data in messages:
                self._add_synced(read_scene_message(data, topic.type))
        elif topic.kind == 'virtual_camera':
            for data in messages:
                self._add_boxes(data)
            return False
        elif topic.kind == 'virtual_ftm':
            self.history.add(SYNTHESIZED, 'ftm', *read_ranges(messages))
        elif topic.kind == 'virtual_mag':
            self._add_imu(MAGNETIC, *read_magnetic_fields(messages))
        else:
            self._add_imu(INERTIAL, *read_inertial(messages))
        return True

    def _add_imu(self, columns: slice, stamps_ns: Any, values: Array) -> None:
        rows = np.full((len(stamps_ns), len(CHANNELS['imu'])), np.nan)
        rows[:, columns] = values
        self.history.add(SYNTHESIZED, 'imu', stamps_ns, rows)

    def _add_boxes(self, data: bytes) -> None:
        seen = read_boxes(data)
        rows = [row for row, name in enumerate(seen.names) if name == self.subject]
        stamps_ns = np.full(len(rows), seen.stamp_ns, np.int64)
        self.history.add(SYNTHESIZED, 'camera', stamps_ns, seen.boxes[rows].astype(np.float64))

    def _add_synced(self, message: Any) -> None:
        """Add the measurements of a tick, where there are any."""
        subjects = list(message.subjects)
        if self.subject not in subjects:
            return
        row, count = subjects.index(self.subject), len(subjects)
        stamps_ns = np.array([stamp_to_ns(message.header.stamp)], np.int64)
        for modality in ('camera', 'ftm'):
            values = _table(message, modality, (count, len(CHANNELS[modality])))
            mask = _table(message, f'{modality}_mask', (count,))
            if mask[row]:
                self.history.add(MEASURED, modality, stamps_ns, values[row][None])
        length = int(message.imu_rows)
        if not 1 <= length <= MAX_IMU_ROWS:
            raise MeasurementError(f'imu_rows is {length}: it must be 1..{MAX_IMU_ROWS}')
        imu = _table(message, 'imu', (count, length, len(CHANNELS['imu'])))[row]
        there = _table(message, 'imu_mask', (count, length))[row] != 0
        steps_ns = np.arange(1 - length, 1) * (100_000_000 // length)
        self.history.add(MEASURED, 'imu', (stamps_ns + steps_ns)[there], imu[there])


_MODALITY = {'virtual_camera': 'camera', 'virtual_ftm': 'ftm', 'virtual_imu': 'imu',
             'virtual_mag': 'imu'}


def _table(message: Any, name: str, shape: tuple[int, ...]) -> Array:
    values = np.asarray(getattr(message, name), np.float64)
    if values.size != np.prod(shape, dtype=np.int64):
        raise MeasurementError(f'{name} has {values.size} values: {shape} expected')
    return values.reshape(shape)
