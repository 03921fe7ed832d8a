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

"""Tracking of boxes from image to image: ByteTrack of edgefirst-tracker."""

from dataclasses import dataclass

import numpy as np
from edgefirst.tracker import ByteTrack, TrackInfo

from utt_ros.settings import check, setting
from utt_ros.types import NS_PER_S, FloatArray

UPDATE_WEIGHT = 1.0  # of a measurement; the library's 0.25 loses people who walk fast
ID_DIGITS = 8  # of 32: enough for ids that do not repeat after a restart


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """Thresholds of tracks."""

    begin: float = setting(
        0.5, 'minimum confidence that starts a track; lower ones continue tracks',
        low=0.0, high=1.0)
    overlap: float = setting(
        0.2, 'minimum intersection over union of a box and its predicted track',
        low=0.01, high=0.99)
    forget: float = setting(2.0, 'time after which an undetected track is removed [s]',
                            low=0.05, high=60.0)
    confirm: int = setting(3, 'number of boxes from which a track is published', low=1, high=100)

    def __post_init__(self) -> None:
        check(self)


class BoxTracker:
    """Track ids of boxes; a stamp before the last one restarts tracking with new ids."""

    def __init__(self, settings: TrackingSettings) -> None:
        self._settings = settings
        self._last_ns = 0
        self._track = self._new_tracker()

    def update(
        self, boxes: FloatArray, confidence: FloatArray, stamp_ns: int,
    ) -> tuple[str | None, ...]:
        """Return ids (N) of finite boxes (N, 5) [CAMERA_CHANNELS]; None before confirmation."""
        if stamp_ns < self._last_ns:
            self._track = self._new_tracker()
        self._last_ns = stamp_ns
        half = boxes[:, 3:5] / 2
        corners = np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)
        tracks = self._track.update(
            corners.astype(np.float32), confidence.astype(np.float32),
            np.zeros(len(boxes), np.uintp), stamp_ns)
        return tuple(
            None if info is None or _boxes_of(info) < self._settings.confirm
            else info.uuid.replace('-', '')[:ID_DIGITS] for info in tracks)

    def _new_tracker(self) -> ByteTrack:
        settings = self._settings
        return ByteTrack(
            high_conf=settings.begin, iou=settings.overlap, update=UPDATE_WEIGHT,
            lifespan_ns=int(settings.forget * NS_PER_S))


def _boxes_of(info: TrackInfo) -> int:
    """Return the number of boxes of a track; the library counts 1 at the second, too."""
    return info.count + (info.last_updated > info.created)
