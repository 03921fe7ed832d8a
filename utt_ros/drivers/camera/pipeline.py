"""A camera with somebody who watches: pictures come with the people in them."""

from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter

import numpy as np
import numpy.typing as npt

from utt_ros.drivers.camera.depth import depth_of_boxes
from utt_ros.drivers.camera.detection import DetectionSettings, make_detector
from utt_ros.drivers.camera.tracking import Tracker, TrackingSettings
from utt_ros.drivers.source import Source
from utt_ros.drivers.types import People, Picture
from utt_ros.errors import MeasurementError, SourceError
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings

MAX_PEOPLE = 200
MAX_PX = 1e5
SMOOTH = 0.1  # weight of the newest duration


class Watched(Source[Picture]):
    """Detects, follows and places people in the thread that reads the camera.

    While it works nobody waits: cameras keep their newest picture and count the others. A picture
    that the detector fails on comes without people, which is no tick. Raises SettingsError when
    the detector cannot be used.
    """

    def __init__(
        self, source: Source[Picture], area: AreaSettings, detection: DetectionSettings,
        tracking: TrackingSettings,
    ) -> None:
        super().__init__()
        self._source, self._area = source, area
        self.counters = source.counters
        self._detector = make_detector(detection)
        self._tracker = Tracker(tracking)
        self._model = CameraModel(area)
        self._is_first = True
        self._duration_s = 0.0
        self._people = 0

    def open(self) -> None:
        """Open the camera."""
        self._is_first = True
        self._source.open()

    def read(self, timeout_s: float) -> list[Picture]:
        """Pictures with people. Raises SourceError when the camera is lost or of another size."""
        pictures = self._source.read(timeout_s)
        return [self._watch(picture) for picture in pictures if self._fits(picture)]

    def close(self) -> None:
        """Let go of the camera."""
        self._source.close()

    def status(self) -> Mapping[str, object]:
        """Tell how long it takes and how many people there are."""
        return {**self._source.status(), 'people': self._people,
                'detection_ms': f'{1000 * self._duration_s:.1f}'}

    def _fits(self, picture: Picture) -> bool:
        expected = (self._area.image_height, self._area.image_width)
        for plane in (picture.image, picture.depth):
            if plane is None or plane.shape[:2] == expected:
                continue
            if self._is_first:
                raise SourceError(
                    f'pictures have {plane.shape[1]} x {plane.shape[0]} px, the area says '
                    f'{expected[1]} x {expected[0]}: correct image_width, image_height and the '
                    'focal lengths of the area, or ask the camera for its size')
            self.counters['wrong_size'] += 1
            return False
        self._is_first = False
        return True

    def _watch(self, picture: Picture) -> Picture:
        begin_s = perf_counter()
        try:
            people = self._find(picture)
        except MeasurementError:
            self.counters['detection_failed'] += 1
            people = None
        if people is not None:
            people = self._placed(picture, self._followed(self._sound(people), picture.stamp_ns))
            self._people = len(people.boxes)
        self._duration_s += SMOOTH * (perf_counter() - begin_s - self._duration_s)
        return replace(picture, people=people)

    def _find(self, picture: Picture) -> People | None:
        if self._detector is None or picture.image is None:
            return picture.people
        return self._detector.detect(picture.image)

    def _sound(self, people: People) -> People:
        """Only boxes that are boxes, the surest MAX_PEOPLE of them."""
        plane = people.boxes[:, [0, 1, 3, 4]]
        with np.errstate(invalid='ignore'):
            good = (np.abs(plane) <= MAX_PX).all(axis=1) & (plane[:, 2:] >= 1).all(axis=1)
            good &= (people.confidence >= 0) & (people.confidence <= 1)
        self.counters['bad_box'] += int((~good).sum())
        rows = np.flatnonzero(good)
        order = np.argsort(-people.confidence[rows], kind='stable')
        return _rows(people, rows[order[:MAX_PEOPLE]])

    def _followed(self, people: People, stamp_ns: int) -> People:
        """Only people with a name."""
        if people.track_ids is not None:
            return people
        names = self._tracker.update(people.boxes, people.confidence, stamp_ns)
        named = np.array([row for row, name in enumerate(names) if name], np.intp)
        return _rows(replace(people, track_ids=tuple(name or '' for name in names)), named)

    def _placed(self, picture: Picture, people: People) -> People:
        boxes = people.boxes.copy()
        found = (self._model.floor_depth(boxes) if picture.depth is None
                 else depth_of_boxes(picture.depth, boxes))
        boxes[:, 2] = np.where(np.isnan(boxes[:, 2]), found, boxes[:, 2])
        return replace(people, boxes=boxes)


def _rows(people: People, rows: npt.NDArray[np.intp]) -> People:
    ids = people.track_ids
    return People(people.boxes[rows], people.confidence[rows],
                  None if ids is None else tuple(ids[row] for row in rows))
