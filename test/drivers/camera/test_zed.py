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

"""The ZED source against a stand-in for its SDK; a real one needs the camera and an NVIDIA GPU."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from utt_ros.drivers.camera.detection import DetectionSettings
from utt_ros.drivers.camera.pipeline import DetectionPipeline
from utt_ros.drivers.camera.tracking import TrackingSettings
from utt_ros.drivers.camera.zed import ENTRY, ZedSettings, ZedSource
from utt_ros.errors import SourceError
from utt_ros.settings import AreaSettings

STAMP_NS = 1_700_000_000_123_456_789


@pytest.fixture
def sl(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The stand-in, where `import pyzed.sl` finds it."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / 'stand_in'))
    for name in ('pyzed', 'pyzed.sl'):
        monkeypatch.delitem(sys.modules, name, raising=False)
    module = import_module('pyzed.sl')

    monkeypatch.setattr(module.Camera, 'SCRIPT', [])
    monkeypatch.setattr(module.Camera, 'OPENED', [])
    monkeypatch.setattr(module.Camera, 'OPEN_CODE', module.ERROR_CODE.SUCCESS)
    return module


def frame(sl: Any, stamp_ns: int = STAMP_NS, *objects: Any) -> Any:
    image = np.zeros((360, 640, 4), np.uint8)
    image[..., 0], image[..., 3] = 200, 255  # blue
    depth = np.full((360, 640), 9.0, np.float32)
    depth[100:300, 285:355] = 4.0
    depth[:50] = np.inf
    return sl.Frame(stamp_ns, image, depth, list(objects))


def person(sl: Any, number: int, **others: Any) -> Any:
    corners = np.array([[270, 100], [370, 100], [370, 300], [270, 300]], float)
    return sl.ObjectData(number, corners, **others)


def test_image_depth_and_people_have_the_units_of_samples(sl: Any) -> None:
    sl.Camera.SCRIPT += [frame(sl, STAMP_NS, person(sl, 7))]
    with ZedSource(ZedSettings(serial=1234, rate=30)) as source:
        (picture,) = source.read(1.0)
        assert source.status() == {'device_fx': '264.0', 'device_cx': '320.0'}
    assert picture.stamp_ns == STAMP_NS
    assert picture.image.shape == (360, 640, 3)
    assert picture.image[0, 0].tolist() == [200, 0, 0]
    assert picture.depth[200, 320] == 4.0
    assert np.isnan(picture.depth[0, 0])
    assert picture.people.boxes[0, [0, 1, 3, 4]].tolist() == [320, 200, 100, 200]
    assert picture.people.confidence == pytest.approx([0.8])
    assert picture.people.track_ids[0].endswith('-7')
    told = sl.Camera.OPENED[0]
    assert (told.serial, told.camera_fps) == (1234, 30)
    assert told.coordinate_units is sl.UNIT.METER


def test_depth_does_not_change_when_the_sdk_reuses_its_memory(sl: Any) -> None:
    shown = frame(sl)
    sl.Camera.SCRIPT += [shown]
    with ZedSource(ZedSettings()) as source:
        (picture,) = source.read(1.0)
    shown.depth[:] = 1.0
    shown.image[:] = 7
    assert picture.depth[200, 320] == 4.0
    assert picture.image[0, 0].tolist() == [200, 0, 0]


def test_only_currently_tracked_people_are_delivered(sl: Any) -> None:
    lost = person(sl, 1, tracking_state=sl.OBJECT_TRACKING_STATE.SEARCHING)
    car = person(sl, 2, label=sl.OBJECT_CLASS.VEHICLE)
    unsure = person(sl, 3, confidence=20.0)
    sl.Camera.SCRIPT += [frame(sl, STAMP_NS, lost, car, unsure, person(sl, 4))]
    with ZedSource(ZedSettings()) as source:
        (picture,) = source.read(1.0)
    assert [name.split('-')[1] for name in picture.people.track_ids] == ['4']


def test_ids_of_people_do_not_repeat_after_a_reopening(sl: Any) -> None:
    names = set()
    for _ in range(2):
        sl.Camera.SCRIPT += [frame(sl, STAMP_NS, person(sl, 0))]
        with ZedSource(ZedSettings()) as source:
            names |= set(source.read(1.0)[0].people.track_ids)
    assert len(names) == 2


def test_warning_is_counted_and_failure_is_a_lost_camera(sl: Any) -> None:
    sl.Camera.SCRIPT += [sl.ERROR_CODE.CORRUPTED_FRAME, frame(sl)]
    with ZedSource(ZedSettings()) as source:
        assert source.read(1.0) == []
        assert len(source.read(1.0)) == 1
        with pytest.raises(SourceError, match='could not read from the camera: FAILURE'):
            source.read(1.0)
    assert source.counters == {'corrupted_frame': 1}


def test_refusals_of_the_sdk_are_named(sl: Any) -> None:
    sl.Camera.OPEN_CODE = sl.ERROR_CODE.CAMERA_NOT_DETECTED
    with pytest.raises(SourceError, match='open the camera: CAMERA_NOT_DETECTED'):
        ZedSource(ZedSettings()).open()
    with pytest.raises(SourceError, match=r'no RESOLUTION\.HUGE'):
        ZedSource(ZedSettings(resolution='HUGE')).open()


def test_without_depth_it_is_a_camera_only(sl: Any) -> None:
    sl.Camera.SCRIPT += [frame(sl)]
    with ZedSource(ZedSettings(depth_mode='NONE')) as source:
        (picture,) = source.read(1.0)
    assert (picture.depth, picture.people) == (None, None)


def test_people_of_the_sdk_get_the_depth_of_their_body(sl: Any, area: AreaSettings) -> None:
    sl.Camera.SCRIPT += [frame(sl, STAMP_NS, person(sl, 7))]
    detection = DetectionSettings(detector='source')
    watched = DetectionPipeline(ZedSource(ZedSettings()), area, detection,
                      TrackingSettings())
    with watched:
        (picture,) = watched.read(1.0)
    assert picture.people.boxes[0].tolist() == pytest.approx([320, 200, 4, 100, 200])
    assert picture.people.track_ids[0].endswith('-7')


def test_a_missing_sdk_is_an_error_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('utt_ros.drivers.camera.zed.ZED_MODULE', 'no_such_module')
    assert 'install the ZED SDK' in ENTRY.unavailable()
    with pytest.raises(SourceError, match='install the ZED SDK'):
        ZedSource(ZedSettings()).open()
