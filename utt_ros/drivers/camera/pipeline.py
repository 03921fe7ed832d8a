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

"""Detection pipeline: detection, tracking and depth of people in camera images."""

from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter

import numpy as np
import numpy.typing as npt

from utt_ros.drivers.camera.depth import box_depths
from utt_ros.drivers.camera.detection import DetectionSettings, make_detector
from utt_ros.drivers.camera.tracking import BoxTracker, TrackingSettings
from utt_ros.drivers.source import Source
from utt_ros.drivers.types import CameraFrame, Detections
from utt_ros.errors import MeasurementError, SourceError
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings

MAX_PEOPLE = 200
MAX_PX = 1e5
DURATION_WEIGHT = 0.1  # of the newest duration in their mean


class DetectionPipeline(Source[CameraFrame]):
    """Camera whose images carry detected and tracked people with their depths.

    It runs in the thread that reads the camera, which meanwhile keeps its newest image and counts
    the others. An image on which the detector fails has no detections and makes no tick. Raises
    SettingsError when the detector cannot be used.
    """

    def __init__(
        self, source: Source[CameraFrame], area: AreaSettings, detection: DetectionSettings,
        tracking: TrackingSettings,
    ) -> None:
        super().__init__()
        self._source, self._area = source, area
        self.counters = source.counters
        self._detector = make_detector(detection)
        self._tracker = BoxTracker(tracking)
        self._model = CameraModel(area)
        self._is_first = True
        self._duration_s = 0.0
        self._people = 0
        self._trouble = ''

    def open(self) -> None:
        self._is_first = True
        self._source.open()

    def read(self, timeout_s: float) -> list[CameraFrame]:
        """Return images with people. Raises SourceError on a lost camera or a wrong image size."""
        frames = self._source.read(timeout_s)
        return [self._process(frame) for frame in frames if self._fits(frame)]

    def close(self) -> None:
        self._source.close()

    def status(self) -> Mapping[str, object]:
        """Return the number of people and the duration of detection."""
        source = self._source.status()
        return {**source, 'trouble': source.get('trouble') or self._trouble,
                'people': self._people, 'detection_ms': f'{1000 * self._duration_s:.1f}'}

    def _fits(self, frame: CameraFrame) -> bool:
        expected = (self._area.image_height, self._area.image_width)
        for plane in (frame.image, frame.depth):
            if plane is None or plane.shape[:2] == expected:
                continue
            if self._is_first:
                raise SourceError(
                    f'images have {plane.shape[1]} x {plane.shape[0]} px, the area '
                    f'{expected[1]} x {expected[0]}: correct image_width, image_height and the '
                    'focal lengths of the area, or request its size from the camera')
            self.counters['wrong_size'] += 1
            self._trouble = (f'an image of {plane.shape[1]} x {plane.shape[0]} px where the area '
                             f'has {expected[1]} x {expected[0]}')
            return False
        self._is_first = False
        return True

    def _process(self, frame: CameraFrame) -> CameraFrame:
        begin_s = perf_counter()
        try:
            people = self._detect(frame)
        except MeasurementError as err:
            self.counters['detection_failed'] += 1
            self._trouble = str(err)
            people = None
        if people is not None:
            people = self._with_depth(frame, self._tracked(self._valid(people), frame.stamp_ns))
            self._people = len(people.boxes)
        self._duration_s += DURATION_WEIGHT * (perf_counter() - begin_s - self._duration_s)
        return replace(frame, people=people)

    def _detect(self, frame: CameraFrame) -> Detections | None:
        if self._detector is None or frame.image is None:
            return frame.people
        return self._detector.detect(frame.image)

    def _valid(self, people: Detections) -> Detections:
        """Remove invalid boxes; keep the MAX_PEOPLE most confident ones."""
        plane = people.boxes[:, [0, 1, 3, 4]]
        with np.errstate(invalid='ignore'):
            good = (np.abs(plane) <= MAX_PX).all(axis=1) & (plane[:, 2:] >= 1).all(axis=1)
            good &= (people.confidence >= 0) & (people.confidence <= 1)
        self.counters['bad_box'] += int((~good).sum())
        rows = np.flatnonzero(good)
        order = np.argsort(-people.confidence[rows], kind='stable')
        return _select(people, rows[order[:MAX_PEOPLE]])

    def _tracked(self, people: Detections, stamp_ns: int) -> Detections:
        """Keep people with a track id."""
        if people.track_ids is not None:
            return people
        names = self._tracker.update(people.boxes, people.confidence, stamp_ns)
        tracked = np.array([row for row, name in enumerate(names) if name], np.intp)
        return _select(replace(people, track_ids=tuple(name or '' for name in names)), tracked)

    def _with_depth(self, frame: CameraFrame, people: Detections) -> Detections:
        boxes = people.boxes.copy()
        depth = (self._model.floor_depth(boxes) if frame.depth is None
                 else box_depths(frame.depth, boxes))
        boxes[:, 2] = np.where(np.isnan(boxes[:, 2]), depth, boxes[:, 2])
        return replace(people, boxes=boxes)


def _select(people: Detections, rows: npt.NDArray[np.intp]) -> Detections:
    ids = people.track_ids
    return Detections(people.boxes[rows], people.confidence[rows],
                  None if ids is None else tuple(ids[row] for row in rows))
