"""The ZED cameras, through Stereolabs' SDK and its Python module pyzed (releases 4 and 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from secrets import token_hex
from typing import Any

import cv2
import numpy as np

from utt_ros.drivers.source import Entry, Source
from utt_ros.drivers.types import People, Picture
from utt_ros.errors import SourceError
from utt_ros.settings import AreaSettings, check, setting

MODULE = 'pyzed'
INSTALL = ('pyzed is not installed: install the ZED SDK of stereolabs.com (it needs an NVIDIA '
           'GPU), then run its get_python_api.py with this Python')


@dataclass(frozen=True, slots=True)
class ZedSettings:
    """What the SDK is asked for; names as it writes them."""

    serial: int = setting(0, 'serial number of the camera; 0: the first one', low=0, high=2**31)
    svo: str = setting('', 'recorded SVO file instead of a camera')
    resolution: str = setting('HD720', 'RESOLUTION of the SDK')
    rate: int = setting(15, 'pictures per second [Hz]', low=1, high=100)
    depth_mode: str = setting('NEURAL', 'DEPTH_MODE of the SDK; NONE: no depth, no objects')
    objects: bool = setting(True, 'let the SDK find and follow people')
    model: str = setting('MULTI_CLASS_BOX_FAST', 'OBJECT_DETECTION_MODEL of the SDK')
    confidence: int = setting(40, 'least confidence of a person [%]', low=1, high=99)

    def __post_init__(self) -> None:
        check(self)


class ZedSource(Source[Picture]):
    """One ZED: left picture, depth along the optical axis, people with the SDK's numbers.

    Stamps are the SDK's: exposure on the host's clock. Numbers of people begin anew with every
    opening, so a token of the opening stands before them.
    """

    def __init__(self, settings: ZedSettings) -> None:
        super().__init__()
        self._settings = settings
        self._camera: Any = None
        self._token = ''
        self._focal: Mapping[str, object] = {}

    def open(self) -> None:
        """Connect. Raises SourceError when SDK or camera are not there."""
        if lacking():
            raise SourceError(lacking())
        self._sl = sl = import_module(f'{MODULE}.sl')
        self._camera = camera = sl.Camera()
        self._demand(camera.open(self._parameters()), 'open the camera')
        self._token = token_hex(2)
        left = camera.get_camera_information().camera_configuration.calibration_parameters.left_cam
        self._focal = {'device_fx': f'{left.fx:.1f}', 'device_cx': f'{left.cx:.1f}'}
        if self._finds_people:
            self._find_people()
        self._image, self._depth, self._objects = sl.Mat(), sl.Mat(), sl.Objects()
        self._runtime = sl.RuntimeParameters()

    def read(self, timeout_s: float) -> list[Picture]:  # noqa: ARG002  it has one of its own
        """Return the newest picture. The SDK waits for it, as long as it likes."""
        if self._camera is None:
            raise SourceError('the ZED is not open')
        sl, camera = self._sl, self._camera
        code = camera.grab(self._runtime)
        if code.value < sl.ERROR_CODE.SUCCESS.value:  # warnings, of SDK 5
            self.counters[str(code.name).lower()] += 1
            return []
        self._demand(code, 'read from the camera')
        self._demand(camera.retrieve_image(self._image, sl.VIEW.LEFT), 'get its picture')
        stamp_ns = camera.get_timestamp(sl.TIME_REFERENCE.IMAGE).get_nanoseconds()
        image = cv2.cvtColor(self._image.get_data(), cv2.COLOR_BGRA2BGR)
        return [Picture(int(stamp_ns), np.asarray(image, np.uint8), self._measured(),
                        self._people() if self._finds_people else None)]

    def close(self) -> None:
        """Let go of the camera."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def status(self) -> Mapping[str, object]:
        """Say what lens the device believes it has; compare with fx and cx of the area."""
        return self._focal

    @property
    def _finds_people(self) -> bool:
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

    def _find_people(self) -> None:
        sl, camera, settings = self._sl, self._camera, self._settings
        still = sl.PositionalTrackingParameters()
        still.set_as_static = True
        self._demand(camera.enable_positional_tracking(still), 'let it know that it hangs still')
        finding = sl.ObjectDetectionParameters()
        finding.enable_tracking = True
        finding.enable_segmentation = False
        finding.detection_model = self._named('OBJECT_DETECTION_MODEL', settings.model)
        self._demand(camera.enable_object_detection(finding), 'find people')
        self._filter = sl.ObjectDetectionRuntimeParameters()
        self._filter.detection_confidence_threshold = settings.confidence
        self._filter.object_class_filter = [sl.OBJECT_CLASS.PERSON]

    def _measured(self) -> Any:
        """Depth (H, W) [m]; NaN where it is unknown, which the SDK says with infinities too."""
        if self._settings.depth_mode == 'NONE':
            return None
        sl = self._sl
        self._demand(self._camera.retrieve_measure(self._depth, sl.MEASURE.DEPTH), 'get depth')
        depth = np.array(self._depth.get_data(), np.float32)
        depth[~np.isfinite(depth)] = np.nan
        return depth

    def _people(self) -> People | None:
        self._demand(self._camera.retrieve_objects(self._objects, self._filter), 'get people')
        if not self._objects.is_new:
            return None
        states = self._sl.OBJECT_TRACKING_STATE
        seen = [each for each in self._objects.object_list
                if each.tracking_state == states.OK and len(each.bounding_box_2d) == 4]
        boxes = np.full((len(seen), 5), np.nan, np.float32)
        for row, each in zip(boxes, seen, strict=True):
            corners = np.asarray(each.bounding_box_2d, np.float32)
            low, high = corners.min(axis=0), corners.max(axis=0)
            row[:2], row[3:] = (low + high) / 2, high - low
        confidence = np.array([each.confidence / 100 for each in seen], np.float32)
        return People(boxes, confidence, tuple(f'{self._token}-{each.id}' for each in seen))

    def _named(self, group: str, name: str) -> Any:
        value = getattr(getattr(self._sl, group), name, None)
        if value is None:
            raise SourceError(f'the ZED SDK has no {group}.{name}')
        return value

    def _demand(self, code: Any, what: str) -> None:
        if code.value > self._sl.ERROR_CODE.SUCCESS.value:  # lower ones are warnings, of SDK 5
            raise SourceError(f'the ZED SDK could not {what}: {code.name}')


def lacking() -> str:
    """Say why it cannot work here."""
    return '' if find_spec(MODULE) is not None else INSTALL


def make(settings: Any, _area: AreaSettings) -> ZedSource:
    """Make the source of these settings."""
    return ZedSource(settings)


ENTRY = Entry('ZED: picture, depth and people', ZedSettings, make, lacking)
