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
"""A camera source of one's own, which detects people itself: moving blobs of a film.

    python examples/own_camera_source.py docs/sources/captures/two_people.mp4

A package offers it to the camera node by an entry point:

    [project.entry-points."utt_ros.camera_sources"]
    blobs = "my_package.blobs:ENTRY"
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from utt_ros.drivers.source import Source, SourceEntry
from utt_ros.drivers.types import CameraFrame, Detections
from utt_ros.errors import SourceError
from utt_ros.settings import AreaSettings, setting


@dataclass(frozen=True)
class BlobSettings:
    """Settings below `blobs` of the area file."""

    location: str = setting('0', 'number of a device, or path of a film')
    min_area: int = setting(800, 'least area of a person [px]', low=1)


class BlobCamera(Source[CameraFrame]):
    """Whatever moves before a still background is a person."""

    def __init__(self, settings: BlobSettings, area: AreaSettings) -> None:
        super().__init__()
        self._settings, self._area = settings, area
        self._film = cv2.VideoCapture()
        self._background = cv2.createBackgroundSubtractorMOG2(detectShadows=False)

    def open(self) -> None:
        """Open the device or film."""
        location = self._settings.location
        if not self._film.open(int(location) if location.isdigit() else location):
            raise SourceError(f'{location} cannot be opened: is the camera connected?')

    def read(self, timeout_s: float) -> Sequence[CameraFrame]:
        """Return the next image with its boxes; it is stamped where it arrives."""
        good, image = self._film.read()
        if not good:
            raise SourceError(f'{self._settings.location} has ended')
        return [CameraFrame(time.time_ns(), image, people=self._people(image))]

    def close(self) -> None:
        self._film.release()

    def _people(self, image: np.ndarray) -> Detections:
        moving = cv2.morphologyEx(
            self._background.apply(image), cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
        shapes, _ = cv2.findContours(moving, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        boxes = [(x + w / 2, y + h / 2, np.nan, w, h)  # depth is left to the floor
                 for x, y, w, h in map(cv2.boundingRect, shapes)
                 if w * h >= self._settings.min_area]
        return Detections(np.array(boxes, np.float32).reshape(-1, 5),
                          np.ones(len(boxes), np.float32))


ENTRY = SourceEntry('moving blobs of a camera or film', BlobSettings, BlobCamera,
                    lambda: '', detects_people=True)


def main() -> None:
    parser = argparse.ArgumentParser(description='Count the moving people of a film.')
    parser.add_argument('film')
    args = parser.parse_args()
    counts = []
    with BlobCamera(BlobSettings(location=args.film), AreaSettings()) as camera:
        while True:
            try:
                frames = camera.read(1.0)
            except SourceError:
                break
            counts += [len(frame.people.boxes) for frame in frames if frame.people]
    print(f'{len(counts)} images, {np.median(counts):.0f} people in the median image')


if __name__ == '__main__':
    main()
