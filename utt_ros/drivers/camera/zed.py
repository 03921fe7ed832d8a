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

"""Camera source: ZED, by the SDK of Stereolabs and its module pyzed (releases 4 and 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from secrets import token_hex
from typing import Any

import cv2
import numpy as np

from utt_ros.drivers.source import Source, SourceEntry
from utt_ros.drivers.types import CameraFrame, Detections
from utt_ros.errors import SourceError
from utt_ros.settings import check, setting

ZED_MODULE = 'pyzed'
ZED_MISSING = ('pyzed is not installed: install the ZED SDK of stereolabs.com (it needs an NVIDIA '
           'GPU), then run its get_python_api.py with this Python')


@dataclass(frozen=True, slots=True)
class ZedSettings:
    """Options of the SDK, with its names."""

    serial: int = setting(0, 'serial number of the camera; 0: the first one', low=0, high=2**31)
    svo: str = setting('', 'recorded SVO file instead of a camera')
    resolution: str = setting('HD720', 'RESOLUTION of the SDK')
    rate: int = setting(15, 'frame rate [Hz]', low=1, high=100)
    depth_mode: str = setting('NEURAL', 'DEPTH_MODE of the SDK; NONE: no depth, no objects')
    objects: bool = setting(True, 'detection and tracking of people by the SDK')
    model: str = setting('MULTI_CLASS_BOX_FAST', 'OBJECT_DETECTION_MODEL of the SDK')
    confidence: int = setting(40, 'minimum confidence of a person [%]', low=1, high=99)

    def __post_init__(self) -> None:
        check(self)


class ZedSource(Source[CameraFrame]):
    """ZED camera: left image, depth along the optical axis, people with ids of the SDK.

    Stamps are the SDK's: exposure on the host's clock. The SDK's ids restart when the camera is
    opened, so a random token of the opening precedes them.
    """

    def __init__(self, settings: ZedSettings) -> None:
        super().__init__()
        self._settings = settings
        self._camera: Any = None
        self._token = ''
        self._focal: Mapping[str, object] = {}

    def open(self) -> None:
        reason = missing_sdk()
        if reason:
            raise SourceError(reason)
        self._sl = sl = import_module(f'{ZED_MODULE}.sl')
        self._camera = camera = sl.Camera()
        self._require(camera.open(self._parameters()), 'open the camera')
        self._token = token_hex(2)
        left = camera.get_camera_information().camera_configuration.calibration_parameters.left_cam
        self._focal = {'device_fx': f'{left.fx:.1f}', 'device_cx': f'{left.cx:.1f}'}
        if self._detects_people:
            self._start_detection()
        self._image, self._depth, self._objects = sl.Mat(), sl.Mat(), sl.Objects()
        self._runtime = sl.RuntimeParameters()

    def read(self, timeout_s: float) -> list[CameraFrame]:  # noqa: ARG002  the SDK has its own
        """Return the newest image, for which the SDK waits."""
        if self._camera is None:
            raise SourceError('the ZED is not open')
        sl, camera = self._sl, self._camera
        code = camera.grab(self._runtime)
        if code.value < sl.ERROR_CODE.SUCCESS.value:  # warnings, of SDK 5
            self.counters[str(code.name).lower()] += 1
            return []
        self._require(code, 'read from the camera')
        self._require(camera.retrieve_image(self._image, sl.VIEW.LEFT), 'retrieve its image')
        stamp_ns = camera.get_timestamp(sl.TIME_REFERENCE.IMAGE).get_nanoseconds()
        image = cv2.cvtColor(self._image.get_data(), cv2.COLOR_BGRA2BGR)
        return [CameraFrame(int(stamp_ns), np.asarray(image, np.uint8), self._depth_image(),
                        self._people() if self._detects_people else None)]

    def close(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def status(self) -> Mapping[str, object]:
        """Return the intrinsics of the device, to be compared with fx and cx of the area."""
        return self._focal

    @property
    def _detects_people(self) -> bool:
        return self._settings.objects and self._settings.depth_mode != 'NONE'

    def _parameters(self) -> Any:
        settings, sl = self._settings, self._sl
        parameters = sl.InitParameters()
        parameters.camera_resolution = self._named('RESOLUTION', settings.resolution)
        parameters.camera_fps = settings.rate
        parameters.depth_mode = self._named('DEPTH_MODE', settings.depth_mode)
        parameters.coordinate_units = sl.UNIT.METER
        if settings.svo:
            parameters.set_from_svo_file(settings.svo)
            parameters.svo_real_time_mode = True
        elif settings.serial:
            parameters.set_from_serial_number(settings.serial)
        return parameters

    def _start_detection(self) -> None:
        sl, camera, settings = self._sl, self._camera, self._settings
        tracking = sl.PositionalTrackingParameters()
        tracking.set_as_static = True
        self._require(camera.enable_positional_tracking(tracking), 'track a static camera')
        detection = sl.ObjectDetectionParameters()
        detection.enable_tracking = True
        detection.enable_segmentation = False
        detection.detection_model = self._named('OBJECT_DETECTION_MODEL', settings.model)
        self._require(camera.enable_object_detection(detection), 'start detection of people')
        self._filter = sl.ObjectDetectionRuntimeParameters()
        self._filter.detection_confidence_threshold = settings.confidence
        self._filter.object_class_filter = [sl.OBJECT_CLASS.PERSON]

    def _depth_image(self) -> Any:
        """Return depths (H, W) [m]; NaN where the SDK has NaN or infinities."""
        if self._settings.depth_mode == 'NONE':
            return None
        sl = self._sl
        code = self._camera.retrieve_measure(self._depth, sl.MEASURE.DEPTH)
        self._require(code, 'retrieve depth')
        depth = np.array(self._depth.get_data(), np.float32)
        depth[~np.isfinite(depth)] = np.nan
        return depth

    def _people(self) -> Detections | None:
        code = self._camera.retrieve_objects(self._objects, self._filter)
        self._require(code, 'retrieve people')
        if not self._objects.is_new:
            return None
        states = self._sl.OBJECT_TRACKING_STATE
        found = self._objects.object_list
        objects = [item for item in found
                   if item.tracking_state == states.OK and len(item.bounding_box_2d) == 4]
        if len(objects) < len(found):
            self.counters['predicted'] += len(found) - len(objects)
        boxes = np.full((len(objects), 5), np.nan, np.float32)
        for row, item in zip(boxes, objects, strict=True):
            corners = np.asarray(item.bounding_box_2d, np.float32)
            low, high = corners.min(axis=0), corners.max(axis=0)
            row[:2], row[3:] = (low + high) / 2, high - low
        confidence = np.array([item.confidence / 100 for item in objects], np.float32)
        return Detections(boxes, confidence, tuple(f'{self._token}-{item.id}' for item in objects))

    def _named(self, group: str, name: str) -> Any:
        value = getattr(getattr(self._sl, group), name, None)
        if value is None:
            raise SourceError(f'the ZED SDK has no {group}.{name}')
        return value

    def _require(self, code: Any, action: str) -> None:
        if code.value > self._sl.ERROR_CODE.SUCCESS.value:  # lower ones are warnings, of SDK 5
            raise SourceError(f'the ZED SDK could not {action}: {code.name}')


def missing_sdk() -> str:
    """Return that the SDK is not installed, and the remedy; empty when it is."""
    return '' if find_spec(ZED_MODULE) is not None else ZED_MISSING


ENTRY = SourceEntry('ZED: image, depth and people', ZedSettings,
                    lambda settings, _area: ZedSource(settings), missing_sdk,
                    detects_people=True)
