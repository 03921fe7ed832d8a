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

# ruff: noqa: N801, RUF012  names and defaults are those of the SDK
"""What we use of pyzed.sl, release 5: same names, arguments, types and refusals.

`SCRIPT` says what the camera does: each `grab` takes the next entry, an ERROR_CODE or a Frame.
"""

from dataclasses import dataclass, field
from enum import Enum

import numpy as np

WIDTH, HEIGHT = 640, 360


class _Ordered(Enum):
    def __lt__(self, other):
        return self.value < other.value


class ERROR_CODE(_Ordered):
    CORRUPTED_FRAME = -2
    SUCCESS = 0
    FAILURE = 1
    CAMERA_NOT_DETECTED = 4
    CAMERA_NOT_INITIALIZED = 17


class RESOLUTION(Enum):
    HD1080 = 3
    HD720 = 5


class DEPTH_MODE(Enum):
    NONE = 0
    PERFORMANCE = 1
    NEURAL = 5


class UNIT(Enum):
    MILLIMETER = 0
    METER = 2


class VIEW(Enum):
    LEFT = 0


class MEASURE(Enum):
    DEPTH = 1


class MEM(Enum):
    CPU = 1


class TIME_REFERENCE(Enum):
    IMAGE = 0
    CURRENT = 1


class OBJECT_CLASS(Enum):
    PERSON = 0
    VEHICLE = 1


class OBJECT_TRACKING_STATE(Enum):
    OFF = 0
    OK = 1
    SEARCHING = 2
    TERMINATE = 3


class OBJECT_DETECTION_MODEL(Enum):
    MULTI_CLASS_BOX_FAST = 0
    MULTI_CLASS_BOX_ACCURATE = 2


class _Strict:
    """Refuses attributes that the SDK's class does not have, as a class of Cython does."""

    def __setattr__(self, name, value):
        if not hasattr(type(self), name):
            raise AttributeError(f'{type(self).__name__} has no {name}')
        object.__setattr__(self, name, value)


class InitParameters(_Strict):
    camera_resolution = RESOLUTION.HD720
    camera_fps = 0
    depth_mode = DEPTH_MODE.NEURAL
    coordinate_units = UNIT.MILLIMETER
    svo_real_time_mode = False
    serial = None

    def set_from_serial_number(self, serial_number):
        self.serial = serial_number

    def set_from_svo_file(self, svo_input_filename: str):
        self.serial = svo_input_filename


class RuntimeParameters(_Strict):
    confidence_threshold = 95


class PositionalTrackingParameters(_Strict):
    set_as_static = False


class ObjectDetectionParameters(_Strict):
    enable_tracking = True
    enable_segmentation = False
    detection_model = OBJECT_DETECTION_MODEL.MULTI_CLASS_BOX_FAST


class ObjectDetectionRuntimeParameters(_Strict):
    detection_confidence_threshold = 20
    object_class_filter = []


class Timestamp:
    def __init__(self, ns):
        self.data_ns = ns

    def get_nanoseconds(self) -> int:
        return self.data_ns


class Mat:
    def __init__(self):
        self.array = None

    def get_data(self, memory_type=MEM.CPU, deep_copy=False):
        return self.array.copy() if deep_copy else self.array


@dataclass
class ObjectData:
    id: int
    bounding_box_2d: np.ndarray
    confidence: float = 80.0
    label: OBJECT_CLASS = OBJECT_CLASS.PERSON
    tracking_state: OBJECT_TRACKING_STATE = OBJECT_TRACKING_STATE.OK


class Objects:
    def __init__(self):
        self.object_list = []
        self.is_new = False


@dataclass
class Frame:
    stamp_ns: int
    image: np.ndarray
    depth: np.ndarray
    objects: list = field(default_factory=list)


@dataclass
class CameraParameters:
    fx: float = 264.0
    fy: float = 264.0
    cx: float = 320.0
    cy: float = 180.0


class CalibrationParameters:
    left_cam = CameraParameters()


class CameraConfiguration:
    calibration_parameters = CalibrationParameters()


class CameraInformation:
    camera_configuration = CameraConfiguration()


class Camera:
    SCRIPT = []
    OPENED = []
    OPEN_CODE = ERROR_CODE.SUCCESS

    def __init__(self):
        self._frame = None
        self._objects = self._tracks = False

    def open(self, py_init: InitParameters = None) -> ERROR_CODE:
        assert isinstance(py_init, InitParameters)
        Camera.OPENED.append(py_init)
        return Camera.OPEN_CODE

    def close(self) -> None:
        self._frame = None

    def grab(self, py_runtime: RuntimeParameters = None) -> ERROR_CODE:
        assert isinstance(py_runtime, RuntimeParameters)
        step = Camera.SCRIPT.pop(0) if Camera.SCRIPT else ERROR_CODE.FAILURE
        if isinstance(step, ERROR_CODE):
            return step
        self._frame = step
        return ERROR_CODE.SUCCESS

    def retrieve_image(self, py_mat: Mat, view=VIEW.LEFT, mem_type=MEM.CPU, resolution=None):
        py_mat.array = self._frame.image
        return ERROR_CODE.SUCCESS

    def retrieve_measure(self, py_mat: Mat, measure=MEASURE.DEPTH, mem_type=MEM.CPU,
                         resolution=None):
        py_mat.array = self._frame.depth
        return ERROR_CODE.SUCCESS

    def get_timestamp(self, time_reference: TIME_REFERENCE) -> Timestamp:
        assert time_reference is TIME_REFERENCE.IMAGE
        return Timestamp(self._frame.stamp_ns)

    def get_camera_information(self, resizer=None) -> CameraInformation:
        return CameraInformation()

    def enable_positional_tracking(self, py_tracking: PositionalTrackingParameters = None):
        self._tracks = True
        return ERROR_CODE.SUCCESS

    def enable_object_detection(self, object_detection_parameters=None):
        if object_detection_parameters.enable_tracking and not self._tracks:
            return ERROR_CODE.FAILURE  # as the SDK: tracking objects needs to know where it is
        self._objects = True
        return ERROR_CODE.SUCCESS

    def retrieve_objects(self, py_objects: Objects, py_object_detection_parameters=None,
                         instance_module_id=0):
        if not self._objects:
            return ERROR_CODE.FAILURE
        wanted = py_object_detection_parameters.object_class_filter
        least = py_object_detection_parameters.detection_confidence_threshold
        py_objects.object_list = [each for each in self._frame.objects
                                  if each.label in wanted and each.confidence >= least]
        py_objects.is_new = True
        return ERROR_CODE.SUCCESS
