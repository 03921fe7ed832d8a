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

"""Camera source: devices, network streams and video files, by OpenCV."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Event, Thread
from time import monotonic, time_ns

import cv2
import numpy as np

from utt_ros.drivers.camera.http_stream import open_stream
from utt_ros.drivers.source import Source, SourceEntry
from utt_ros.drivers.types import CameraFrame
from utt_ros.errors import SettingsError, SourceError
from utt_ros.settings import AreaSettings, check, setting
from utt_ros.types import NS_PER_MS, NS_PER_S

FRAME_RATE_LIMITS = (0.1, 1000.0)  # [Hz] of a file
DEFAULT_FRAME_RATE = 30.0  # [Hz] of a file without a valid one
GRAB_ATTEMPTS = 10  # OpenCV does not distinguish a corrupt image from the end


@dataclass(frozen=True, slots=True)
class OpenCVSettings:
    """Location of a camera, stream or file, and its requested format."""

    location: str = setting(
        '0', 'number or path of a device, rtsp:// or http:// URL, or path of a file')
    width: int = setting(
        0, 'width requested from a device; 0: the image_width of the area [px]',
        low=0, high=16384)
    height: int = setting(
        0, 'height requested from a device; 0: the image_height of the area [px]',
        low=0, high=16384)
    rate: float = setting(
        0.0, 'rate requested from a device; 0: its default [Hz]', low=0.0, high=1e3)
    latency: float = setting(
        0.0, 'time from the exposure to the arrival of an image [s]', low=0.0, high=10.0)
    timeout: float = setting(
        5.0, 'time without an image after which a stream is lost [s]',
        low=0.5, high=600.0)
    real_time: bool = setting(True, 'play a file at its frame rate; false: as fast as it is read')
    repeat: bool = setting(False, 'repeat a file')

    def __post_init__(self) -> None:
        check(self)
        if not self.location.strip():
            raise SettingsError('location is empty: a device, a URL or a file')

    @property
    def device(self) -> int | str | None:
        """Number or path of a V4L2 device; None for other locations."""
        if self.location.isdecimal():
            return int(self.location)
        return self.location if self.location.startswith('/dev/') else None


class OpenCVSource(Source[CameraFrame]):
    """Camera, stream or file.

    Images of a camera or stream are stamped with their arrival less `latency`; while one is
    processed, the newest waits and those it replaces are counted as `superseded`. Images of a
    file are stamped with its own times, counted from its opening.
    """

    def __init__(self, settings: OpenCVSettings, area: AreaSettings) -> None:
        super().__init__()
        self._settings, self._area = settings, area
        self._reader: _Capture | None = None

    def open(self) -> None:
        settings = self._settings
        if settings.device is not None:
            device = _open_device(settings, self._area)
            self._reader = _LiveCapture(device, settings, self.counters)
        elif '://' in settings.location:
            self._reader = _LiveCapture(
                open_stream(settings.location, settings.timeout), settings, self.counters)
        else:
            self._reader = _FileCapture(_open_file(settings), settings, self.counters)

    def read(self, timeout_s: float) -> list[CameraFrame]:
        """Return the newest image, if there is one. Raises SourceError when the camera is lost."""
        if self._reader is None:
            raise SourceError(f'{self._settings.location} is not open')
        return self._reader.read(timeout_s)

    def close(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def status(self) -> Mapping[str, object]:
        """Return whether a file has ended."""
        reader = self._reader
        return {'file': 'over'} if isinstance(reader, _FileCapture) and reader.over else {}


class _Capture(ABC):
    @abstractmethod
    def read(self, timeout_s: float) -> list[CameraFrame]:
        """Return at most one image."""

    @abstractmethod
    def close(self) -> None:
        """Release the capture."""


class _LiveCapture(_Capture):
    """Capture that is read continuously, so that images are not buffered elsewhere."""

    def __init__(
        self, capture: cv2.VideoCapture, settings: OpenCVSettings, counters: Counter[str],
    ) -> None:
        self._capture, self._settings, self._counters = capture, settings, counters
        self._newest: CameraFrame | None = None
        self._is_lost, self._cause = False, 'is it connected?'
        self._changed = Condition()
        self._stop = Event()
        self._thread = Thread(target=self._run, name='camera', daemon=True)
        self._thread.start()

    def read(self, timeout_s: float) -> list[CameraFrame]:
        with self._changed:
            self._changed.wait_for(lambda: self._newest or self._is_lost, timeout_s)
            frame, self._newest = self._newest, None
            if frame is None and self._is_lost:
                raise SourceError(
                    f'{self._settings.location} delivers no more images: {self._cause}')
        return [] if frame is None else [frame]

    def close(self) -> None:
        self._stop.set()
        self._thread.join(1.0)  # it may wait for an image until the timeout of the stream

    def _run(self) -> None:
        try:
            self._capture_frames()
        except cv2.error as err:
            self._cause = str(err)
        finally:
            self._capture.release()
            with self._changed:
                self._is_lost = True
                self._changed.notify()

    def _capture_frames(self) -> None:
        latency_ns = int(self._settings.latency * NS_PER_S)
        while not self._stop.is_set() and self._grab():
            stamp_ns = time_ns() - latency_ns
            ok, image = self._capture.retrieve()
            if not ok or image is None:
                self._counters['undecodable'] += 1
                continue
            with self._changed:
                self._counters['superseded'] += self._newest is not None
                self._newest = CameraFrame(stamp_ns, np.asarray(image, np.uint8))
                self._changed.notify()

    def _grab(self) -> bool:
        begin_s = monotonic()
        for failures in range(GRAB_ATTEMPTS):
            if self._capture.grab():
                self._counters['undecodable'] += failures
                return True
            if self._stop.is_set() or monotonic() - begin_s > self._settings.timeout:
                break
        return False


class _FileCapture(_Capture):
    """Capture of a file, at its frame rate or as fast as it is read."""

    def __init__(
        self, capture: cv2.VideoCapture, settings: OpenCVSettings, counters: Counter[str],
    ) -> None:
        self._capture, self._settings, self._counters = capture, settings, counters
        rate, (low, high) = capture.get(cv2.CAP_PROP_FPS), FRAME_RATE_LIMITS
        self._period_ns = int(
            NS_PER_S / (rate if low <= rate <= high else DEFAULT_FRAME_RATE))
        self._start_ns = time_ns()
        self._last_ns = self._start_ns - self._period_ns
        self._due_ns: int | None = None  # of an image that was grabbed and not yet delivered
        self.over = False

    def read(self, timeout_s: float) -> list[CameraFrame]:
        if self._due_ns is None and not self._grab():
            Event().wait(timeout_s)
            return []
        stamp_ns = self._due_ns or self._last_ns
        if self._settings.real_time:
            wait_s = (stamp_ns - time_ns()) / NS_PER_S
            Event().wait(max(0.0, min(wait_s, timeout_s)))
            if wait_s > timeout_s:
                return []
        self._due_ns = None
        ok, image = self._capture.retrieve()
        if not ok or image is None:
            self._counters['undecodable'] += 1
            return []
        return [CameraFrame(stamp_ns, np.asarray(image, np.uint8))]

    def close(self) -> None:
        self._capture.release()

    def _grab(self) -> bool:
        """Grab the next image that is not late; false at the end of the file."""
        while not self.over:
            if not any(self._capture.grab() for _ in range(GRAB_ATTEMPTS)):
                self._end()
                continue
            position_ns = int(self._capture.get(cv2.CAP_PROP_POS_MSEC) * NS_PER_MS)
            due_ns = self._start_ns + position_ns
            if due_ns <= self._last_ns:  # some files have no stamps
                due_ns = self._last_ns + self._period_ns
            self._last_ns = due_ns
            if not self._settings.real_time or time_ns() - due_ns <= self._period_ns:
                self._due_ns = due_ns
                return True
            self._counters['late'] += 1
        return False

    def _end(self) -> None:
        if not self._settings.repeat or self._last_ns < self._start_ns:
            self.over = True
            return
        self._capture.release()
        self._capture = _open_file(self._settings)
        self._start_ns = self._last_ns + self._period_ns


def _open_device(settings: OpenCVSettings, area: AreaSettings) -> cv2.VideoCapture:
    device = settings.device
    capture = (cv2.VideoCapture(device, cv2.CAP_V4L2) if isinstance(device, int)
               else cv2.VideoCapture(str(device), cv2.CAP_V4L2))
    if not capture.isOpened():
        raise SourceError(
            f'camera {settings.location} cannot be opened: list cameras with '
            '`v4l2-ctl --list-devices`; is it in use, are you in the group video?')
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*'MJPG'))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width or area.image_width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height or area.image_height)
    if settings.rate:
        capture.set(cv2.CAP_PROP_FPS, settings.rate)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def _open_file(settings: OpenCVSettings) -> cv2.VideoCapture:
    path = Path(settings.location).expanduser()
    if not path.is_file():
        raise SourceError(f'{path}: there is no such file')
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise SourceError(f'{path} is not a video that OpenCV can read')
    return capture


ENTRY = SourceEntry(
    'OpenCV: device, file, RTSP or HTTP stream', OpenCVSettings, OpenCVSource, lambda: '')
