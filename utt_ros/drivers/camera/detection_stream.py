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

"""People in a stream of another package's detections: classes, track ids, size of the image."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import numpy as np

from utt_ros.drivers.camera.detection_messages import (
    AXES,
    FORMATS,
    BoxProjection,
    MessageDetection,
)
from utt_ros.drivers.types import CameraFrame, Detections
from utt_ros.errors import SettingsError
from utt_ros.sensor_limits import is_ros_stamp
from utt_ros.settings import AreaSettings, check, setting
from utt_ros.types import NS_PER_S, FloatArray, MaskArray

ANY_CLASS = '*'
MAX_PAUSE_NS = 2 * NS_PER_S  # between two messages; beyond, ids may be of other people
MAX_CLASSES = 20  # named in the status
MAX_LABEL_LENGTH = 64
PLANE = (0, 1, 3, 4)  # channels of a box in pixels


@dataclass(frozen=True, slots=True)
class DetectionTopicSettings:
    """Topic of the detections, and what its boxes, classes and ids mean."""

    topic: str = setting('camera/detections', 'topic of the detections')
    type: str = setting('vision_msgs/msg/Detection2DArray', 'type of that topic')
    person: tuple[str, ...] = setting(
        ('person', '0'), 'names or ids of the classes that are people, in any case; *: all')
    ids: bool = setting(
        True, 'use ids of the detections as track ids, where they have some; false: track boxes')
    axes: str = setting(
        'optical', 'axes of 3D boxes: optical (z ahead) or body (x ahead) of the camera')
    width: int = setting(0, 'width of the image of the boxes; 0: the image_width of the area [px]',
                         low=0, high=16384)
    height: int = setting(
        0, 'height of the image of the boxes; 0: the image_height of the area [px]',
        low=0, high=16384)

    def __post_init__(self) -> None:
        check(self)
        if not self.topic:
            raise SettingsError('topic is empty: it must be the topic of the detections')
        for name, known in (('type', FORMATS), ('axes', AXES)):
            value = getattr(self, name)
            if value not in known:
                raise SettingsError(
                    f'{name} is {value!r}: it must be one of {", ".join(sorted(known))}')
        if not any(map(str.strip, self.person)):
            raise SettingsError('person is empty: name a class, or * for all')


class DetectionStream:
    """Frames of people from messages of one topic; `counters` receives refusals by key.

    Ids of the sender restart with it, so a random token of the stream precedes them; it changes
    after a pause, or when stamps start again.
    """

    def __init__(
        self, settings: DetectionTopicSettings, area: AreaSettings, counters: 'Counter[str]',
    ) -> None:
        self._settings, self._area, self._counters = settings, area, counters
        self._read = FORMATS[settings.type]
        self._projection = BoxProjection(area, settings.axes, settings.width, settings.height)
        self._people = {name.strip().lower() for name in settings.person}
        self._last_ns = 0
        self._token = ''
        self._has_ids = False
        self._classes: dict[str, None] = {}  # in order of appearance
        self._has_people = False
        self._box_trouble = ''

    @property
    def classes(self) -> str:
        """Classes of the detections so far."""
        return ', '.join(name or 'none' for name in self._classes.copy())

    @property
    def trouble(self) -> str:
        """Newest reason why people are left out; empty when there is none."""
        if self._has_people or not self._classes:
            return self._box_trouble
        return f'no class is one of people: {self.classes}: set detections.person'

    def frame(self, message: Any, stamp_ns: int) -> CameraFrame | None:
        """Return the people of a message; None, counted, for one out of order."""
        if not is_ros_stamp(stamp_ns):
            self._counters['implausible'] += 1
            return None
        elapsed_ns = stamp_ns - self._last_ns
        if -MAX_PAUSE_NS < elapsed_ns <= 0:
            self._counters['backward' if elapsed_ns else 'duplicate'] += 1
            return None
        if not 0 < elapsed_ns <= MAX_PAUSE_NS:
            self._token = token_hex(2)
            self._has_ids = False
        self._last_ns = stamp_ns
        people = [item for item in self._read(message, self._projection) if self._is_person(item)]
        boxes = np.array([item.box for item in people], np.float32).reshape(-1, 5)
        inside = self._inside(boxes)
        people = [item for item, is_inside in zip(people, inside, strict=True) if is_inside]
        return CameraFrame(stamp_ns, None, people=self._tracked(people, boxes[inside]))

    def _is_person(self, item: MessageDetection) -> bool:
        label = item.label.strip()[:MAX_LABEL_LENGTH]
        if len(self._classes) < MAX_CLASSES:
            self._classes.setdefault(label)
        if not item.is_detected:
            self._counters['predicted'] += 1
        elif not {ANY_CLASS, label.lower()} & self._people:
            self._counters['other_class'] += 1
        else:
            self._has_people = True
            return True
        return False

    def _inside(self, boxes: FloatArray) -> MaskArray:
        """Return a mask (N,) of boxes that overlap the image; count the others."""
        area = self._area
        u, v, width, height = boxes[:, PLANE].T
        with np.errstate(invalid='ignore'):
            inside = ((np.abs(2 * u - area.image_width) < area.image_width + width)
                      & (np.abs(2 * v - area.image_height) < area.image_height + height))
        for box in boxes[~inside][:1]:
            self._box_trouble = (
                f'a box at ({box[0]:.0f}, {box[1]:.0f}) px is outside the image of '
                f'{area.image_width} x {area.image_height} px: set detections.width and height to '
                'the size of its image, or for 3D boxes detections.axes')
        self._counters['bad_box'] += int((~inside).sum())
        return np.asarray(inside)

    def _tracked(self, people: Sequence[MessageDetection], boxes: FloatArray) -> Detections:
        """Return people with the ids of the sender, once it has sent some, or without ids."""
        confidence = np.array([item.confidence for item in people], np.float32)
        self._has_ids |= self._settings.ids and any(item.track_id for item in people)
        if not self._has_ids:
            return Detections(boxes, confidence)
        rows: dict[str, int] = {}
        for row in np.argsort(-confidence, kind='stable').tolist():
            track_id = people[row].track_id[:MAX_LABEL_LENGTH]
            if not track_id or track_id in rows:
                self._counters['duplicate' if track_id else 'no_track_id'] += 1
            else:
                rows[track_id] = row
        chosen = np.array(list(rows.values()), np.intp)
        return Detections(boxes[chosen], confidence[chosen],
                          tuple(f'{self._token}-{track_id}' for track_id in rows))
