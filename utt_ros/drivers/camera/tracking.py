"""Who is who from one picture to the next: ByteTrack of edgefirst-tracker."""

from dataclasses import dataclass

import numpy as np
from edgefirst.tracker import ByteTrack, TrackInfo

from utt_ros.settings import check, setting
from utt_ros.types import NS_PER_S, FloatArray

FOLLOW = 1.0  # weight of a measurement in the filter; the library's 0.25 loses who walks fast
ID_DIGITS = 8  # of 32: enough for ids that do not repeat when the driver starts again


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """How boxes become tracks."""

    begin: float = setting(
        0.5, 'confidence that a new track begins with; weaker ones continue tracks',
        low=0.0, high=1.0)
    overlap: float = setting(
        0.2, 'intersection over union of a box with where its track should be',
        low=0.01, high=0.99)
    forget: float = setting(2.0, 'time after which an unseen person is forgotten [s]',
                            low=0.05, high=60.0)
    confirm: int = setting(3, 'boxes of a track before it is published', low=1, high=100)

    def __post_init__(self) -> None:
        check(self)


class Tracker:
    """Names for boxes. A clock that jumps back begins anew, with new names."""

    def __init__(self, settings: TrackingSettings) -> None:
        self._settings = settings
        self._last_ns = 0
        self._track = self._begin()

    def update(
        self, boxes: FloatArray, confidence: FloatArray, stamp_ns: int,
    ) -> tuple[str | None, ...]:
        """Names (N) of finite boxes (N, 5) [CAMERA_CHANNELS]; None for what is no track (yet)."""
        if stamp_ns < self._last_ns:
            self._track = self._begin()
        self._last_ns = stamp_ns
        half = boxes[:, 3:5] / 2
        corners = np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)
        found = self._track.update(
            corners.astype(np.float32), confidence.astype(np.float32),
            np.zeros(len(boxes), np.uintp), stamp_ns)
        return tuple(
            None if info is None or _boxes_of(info) < self._settings.confirm
            else info.uuid.replace('-', '')[:ID_DIGITS] for info in found)

    def _begin(self) -> ByteTrack:
        settings = self._settings
        return ByteTrack(
            high_conf=settings.begin, iou=settings.overlap, update=FOLLOW,
            lifespan_ns=int(settings.forget * NS_PER_S))


def _boxes_of(info: TrackInfo) -> int:
    """How many boxes a track has had; the library counts 1 at the second, too."""
    return info.count + (info.last_updated > info.created)
