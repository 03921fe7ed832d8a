"""Cameras, streams and files through OpenCV."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Event, Thread
from time import monotonic, time_ns
from typing import Any

import cv2
import numpy as np

from utt_ros.drivers.source import Entry, Source
from utt_ros.drivers.types import Picture
from utt_ros.errors import SettingsError, SourceError
from utt_ros.settings import AreaSettings, check, setting
from utt_ros.types import NS_PER_MS, NS_PER_S

FRAME_RATES = (0.1, 1000.0)  # [Hz] that a file may claim
USUAL_RATE = 30.0  # [Hz] of a file that claims none
ATTEMPTS = 10  # OpenCV says of a spoiled picture what it says of the end


@dataclass(frozen=True, slots=True)
class OpenCVSettings:
    """Which camera, stream or file."""

    location: str = setting(
        '0', 'number or path of a device, rtsp:// or http:// URL, or path of a file')
    width: int = setting(0, 'width to ask a device for; 0: the image_width of the area [px]',
                         low=0, high=16384)
    height: int = setting(0, 'height to ask a device for; 0: the image_height of the area [px]',
                          low=0, high=16384)
    rate: float = setting(0.0, 'rate to ask a device for; 0: as it likes [Hz]', low=0.0, high=1e3)
    latency: float = setting(
        0.0, 'time from the exposure until the picture is here [s]', low=0.0, high=10.0)
    timeout: float = setting(
        5.0, 'longest time without a picture before a stream counts as lost [s]',
        low=0.5, high=600.0)
    real_time: bool = setting(True, 'play a file at its own pace; false: as fast as it is read')
    repeat: bool = setting(False, 'play a file again and again')

    def __post_init__(self) -> None:
        check(self)
        if not self.location.strip():
            raise SettingsError('location is empty: a device, a URL or a file')

    @property
    def device(self) -> int | str | None:
        """What V4L2 calls the device; None when it is none."""
        if self.location.isdecimal():
            return int(self.location)
        return self.location if self.location.startswith('/dev/') else None


class OpenCVSource(Source[Picture]):
    """One camera, stream or file.

    Pictures of a camera or stream are stamped when they arrive, less `latency`; while one is
    looked at, the newest of the next ones waits and the others are counted as `superseded`. Those
    of a file are stamped with its own times, counted from the moment it was opened.
    """

    def __init__(self, settings: OpenCVSettings, area: AreaSettings) -> None:
        super().__init__()
        self._settings, self._area = settings, area
        self._reader: _Reader | None = None

    def open(self) -> None:
        """Open it. Raises SourceError when it is not there."""
        settings = self._settings
        if settings.device is not None:
            self._reader = _Live(_open_device(settings, self._area), settings, self.counters)
        elif '://' in settings.location:
            self._reader = _Live(_open_stream(settings), settings, self.counters)
        else:
            self._reader = _File(_open_file(settings), settings, self.counters)

    def read(self, timeout_s: float) -> list[Picture]:
        """Return the newest picture, if there is one. Raises SourceError when it is lost."""
        if self._reader is None:
            raise SourceError(f'{self._settings.location} is not open')
        return self._reader.read(timeout_s)

    def close(self) -> None:
        """Let go of it."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def status(self) -> Mapping[str, object]:
        """Say whether a file is over."""
        reader = self._reader
        return {'file': 'over'} if isinstance(reader, _File) and reader.over else {}


class _Reader(ABC):
    @abstractmethod
    def read(self, timeout_s: float) -> list[Picture]:
        """Return at most one picture."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the capture."""


class _Live(_Reader):
    """Reads all the time, so that neither OpenCV nor the network keeps old pictures."""

    def __init__(
        self, capture: cv2.VideoCapture, settings: OpenCVSettings, counters: Counter[str],
    ) -> None:
        self._capture, self._settings, self._counters = capture, settings, counters
        self._newest: Picture | None = None
        self._is_lost, self._why = False, 'is it connected?'
        self._changed = Condition()
        self._stop = Event()
        self._thread = Thread(target=self._run, name='camera', daemon=True)
        self._thread.start()

    def read(self, timeout_s: float) -> list[Picture]:
        with self._changed:
            self._changed.wait_for(lambda: self._newest or self._is_lost, timeout_s)
            picture, self._newest = self._newest, None
            if picture is None and self._is_lost:
                raise SourceError(
                    f'{self._settings.location} gives no more pictures: {self._why}')
        return [] if picture is None else [picture]

    def close(self) -> None:
        self._stop.set()
        self._thread.join(1.0)  # it may wait for a picture until the timeout of the stream

    def _run(self) -> None:
        try:
            self._follow()
        except cv2.error as err:
            self._why = str(err)
        finally:
            self._capture.release()
            with self._changed:
                self._is_lost = True
                self._changed.notify()

    def _follow(self) -> None:
        latency_ns = int(self._settings.latency * NS_PER_S)
        while not self._stop.is_set() and self._grab():
            stamp_ns = time_ns() - latency_ns
            ok, image = self._capture.retrieve()
            if not ok or image is None:
                self._counters['undecodable'] += 1
                continue
            with self._changed:
                self._counters['superseded'] += self._newest is not None
                self._newest = Picture(stamp_ns, np.asarray(image, np.uint8))
                self._changed.notify()

    def _grab(self) -> bool:
        begin_s = monotonic()
        for failures in range(ATTEMPTS):
            if self._capture.grab():
                self._counters['undecodable'] += failures
                return True
            if self._stop.is_set() or monotonic() - begin_s > self._settings.timeout:
                break
        return False


class _File(_Reader):
    """A file, at its own pace or as fast as it is read."""

    def __init__(
        self, capture: cv2.VideoCapture, settings: OpenCVSettings, counters: Counter[str],
    ) -> None:
        self._capture, self._settings, self._counters = capture, settings, counters
        rate = capture.get(cv2.CAP_PROP_FPS)
        self._period_ns = int(
            NS_PER_S / (rate if FRAME_RATES[0] <= rate <= FRAME_RATES[1] else USUAL_RATE))
        self._start_ns = time_ns()
        self._last_ns = self._start_ns - self._period_ns
        self._due_ns: int | None = None  # of a picture that was grabbed and not yet shown
        self.over = False

    def read(self, timeout_s: float) -> list[Picture]:
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
        return [Picture(stamp_ns, np.asarray(image, np.uint8))]

    def close(self) -> None:
        self._capture.release()

    def _grab(self) -> bool:
        """Take the next picture, without those that are too late; false at the end."""
        while not self.over:
            if not any(self._capture.grab() for _ in range(ATTEMPTS)):
                self._end()
                continue
            position_ns = int(self._capture.get(cv2.CAP_PROP_POS_MSEC) * NS_PER_MS)
            due_ns = self._start_ns + position_ns
            if due_ns <= self._last_ns:  # some files do not tell
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
            f'camera {settings.location} cannot be opened: list those there are with '
            '`v4l2-ctl --list-devices`; is it in use, are you in the group video?')
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*'MJPG'))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width or area.image_width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height or area.image_height)
    if settings.rate:
        capture.set(cv2.CAP_PROP_FPS, settings.rate)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return capture


def _open_stream(settings: OpenCVSettings) -> cv2.VideoCapture:
    timeout_ms = int(settings.timeout * 1000)
    capture = cv2.VideoCapture(settings.location, cv2.CAP_FFMPEG, [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_ms])
    if not capture.isOpened():
        raise SourceError(
            f'{settings.location} cannot be opened: does it play with `ffplay` on this machine?')
    return capture


def _open_file(settings: OpenCVSettings) -> cv2.VideoCapture:
    path = Path(settings.location).expanduser()
    if not path.is_file():
        raise SourceError(f'{path}: there is no such file')
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise SourceError(f'{path} is no video that OpenCV can read')
    return capture


def make(settings: Any, area: AreaSettings) -> OpenCVSource:
    """Make the source of these settings."""
    return OpenCVSource(settings, area)


ENTRY = Entry('OpenCV: device, file, RTSP or HTTP stream', OpenCVSettings, make, lambda: '')
