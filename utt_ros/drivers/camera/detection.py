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

"""Detectors of people: an ONNX network run by OpenCV, or OpenCV's HOG detector."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from utt_ros.drivers.camera.yolo import (
    LAYOUTS,
    check_pixels,
    check_scores,
    choose_output,
    decode_detections,
    letterbox,
    non_maximum_suppression,
)
from utt_ros.drivers.source import SourceEntry
from utt_ros.drivers.types import Detections
from utt_ros.errors import MeasurementError, SettingsError
from utt_ros.settings import check, setting
from utt_ros.types import FloatArray, Image

HOG_MARGIN = np.array([16 / 64, 16 / 128])  # of the window's width and height, on each side [S]
DETECTORS = ('hog', 'onnx', 'source')


@dataclass(frozen=True, slots=True)
class DetectionSettings:
    """Detector of people, and its thresholds."""

    detector: str = setting(
        'hog', 'hog, onnx, or source: detections of the camera itself, such as the ZED')
    model: str = setting('', 'ONNX file of a YOLO-style network')
    layout: str = setting('', 'rows, columns or corners; empty: by the shape of the output')
    person_class: int = setting(0, 'class index of people in the network', low=0, high=10_000)
    input_size: int = setting(640, 'side of the square input of the network [px]',
                              low=32, high=4096)
    score: float = setting(0.3, 'minimum confidence of a box', low=0.001, high=1.0)
    overlap: float = setting(
        0.45, 'intersection over union above which the less confident of two boxes is removed',
        low=0.01, high=1.0)
    hog_width: int = setting(640, 'width to which wider images are scaled before HOG [px]',
                             low=128, high=4096)
    threads: int = setting(2, 'threads of OpenCV', low=1, high=64)

    def __post_init__(self) -> None:
        check(self)
        if self.detector not in DETECTORS:
            raise SettingsError(f'detector is {self.detector!r}: one of {", ".join(DETECTORS)}')
        if self.layout not in ('', *LAYOUTS):
            raise SettingsError(
                f'layout is {self.layout!r}: one of {", ".join(LAYOUTS)}, or empty')


class Detector(ABC):
    """Detector of people in single images; used from one thread."""

    @abstractmethod
    def detect(self, image: Image) -> Detections:
        """Detect people in an image (H, W, 3) BGR or (H, W). Raises MeasurementError."""


def check_detector(settings: DetectionSettings, source: str, entry: SourceEntry) -> None:
    """Raise SettingsError when detection is left to a source that does not detect people."""
    if settings.detector == 'source' and not entry.detects_people:
        raise SettingsError(
            f'detection.detector is source, but {source} detects no people: hog or onnx')


def make_detector(settings: DetectionSettings) -> Detector | None:
    """Make the configured detector; None: the source detects people itself.

    Raises SettingsError when the network cannot be used.
    """
    cv2.setNumThreads(settings.threads)
    if settings.detector == 'source':
        return None
    return OnnxDetector(settings) if settings.detector == 'onnx' else HogDetector(settings)


class HogDetector(Detector):
    """Dalal and Triggs' detector with OpenCV's weights: upright people, from about 100 px height.

    Its window of 64 x 128 px has a margin of 16 px around people [S], which boxes exclude. The
    confidence is the logistic function of twice the distance from the decision boundary [R].
    """

    def __init__(self, settings: DetectionSettings) -> None:
        self._settings = settings
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(np.array(cv2.HOGDescriptor.getDefaultPeopleDetector()))

    def detect(self, image: Image) -> Detections:
        scale = min(1.0, self._settings.hog_width / image.shape[1])
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        detected, weights = self._hog.detectMultiScale(
            small, winStride=(8, 8), padding=(16, 16), scale=1.05)
        windows = np.asarray(detected, np.float32).reshape(-1, 4) / scale
        size = windows[:, 2:] * (1 - 2 * HOG_MARGIN)
        boxes = np.concatenate([windows[:, :2] + windows[:, 2:] / 2, size], axis=1)
        margin = np.asarray(weights, np.float32).reshape(-1)
        confidence = np.asarray(1 / (1 + np.exp(-2 * margin)), np.float32)
        return _people(np.asarray(boxes, np.float32), confidence, self._settings)


class OnnxDetector(Detector):
    """YOLO-style network."""

    def __init__(self, settings: DetectionSettings) -> None:
        self._settings = settings
        path = Path(settings.model).expanduser()
        if not path.is_file():
            raise SettingsError(f'detection.model is {settings.model!r}: there is no such file')
        size = settings.input_size
        try:
            self._net = cv2.dnn.readNetFromONNX(str(path))
            outputs = self._forward(
                self._net.getUnconnectedOutLayersNames(), np.zeros((size, size, 3), np.uint8))
            self._output, self._layout = choose_output(
                {name: output.shape for name, output in outputs.items()}, settings.layout)
            self._decode(outputs[self._output])
        except (cv2.error, MeasurementError) as err:
            raise SettingsError(f'{path}: cannot be used on {size} x {size} px: {err}') from err

    def detect(self, image: Image) -> Detections:
        settings = self._settings
        square, scale, corner = letterbox(image, settings.input_size)
        try:
            output = self._forward((self._output,), square)[self._output]
        except cv2.error as err:
            raise MeasurementError(f'the network failed: {err}') from err
        boxes, scores = self._decode(output)
        boxes[:, :2] -= corner
        return _people(boxes / scale, scores, settings)

    def _forward(self, names: Sequence[str], square: Image) -> dict[str, FloatArray]:
        """Return the outputs of these names."""
        size = self._settings.input_size
        self._net.setInput(cv2.dnn.blobFromImage(square, 1 / 255, (size, size), swapRB=True))
        outputs = self._net.forward(names)
        return {name: np.asarray(output, np.float32)
                for name, output in zip(names, outputs, strict=True)}

    def _decode(self, output: FloatArray) -> tuple[FloatArray, FloatArray]:
        settings = self._settings
        check_pixels(output, self._layout, settings.input_size)
        check_scores(output, self._layout, settings.person_class)
        return decode_detections(output, self._layout, settings.person_class, settings.score)


def _people(boxes: FloatArray, scores: FloatArray, settings: DetectionSettings) -> Detections:
    """Filter boxes (N, 4) [center, size; px] by score and non-maximum suppression."""
    confident = scores >= settings.score
    boxes, scores = boxes[confident], scores[confident]
    kept = non_maximum_suppression(boxes, scores, settings.overlap)
    rows = np.full((len(kept), 5), np.nan, np.float32)
    rows[:, [0, 1, 3, 4]] = boxes[kept]
    return Detections(rows, scores[kept].astype(np.float32))
