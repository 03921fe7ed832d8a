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

"""Findings of `utt check` about surveyed settings: what walks say against the area file."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from utt_ros.cli.access_point_check import access_point_findings
from utt_ros.drivers.types import CameraFrame, FtmSample, InertialSample, MagneticSample
from utt_ros.errors import MeasurementError
from utt_ros.geometry.camera_survey import fit_camera_to_walkers
from utt_ros.geometry.compass import wrap_angle
from utt_ros.sessions.survey_data import survey_yaw, walker_boxes
from utt_ros.settings import AreaSettings
from utt_ros.types import Frames, PhoneStreams, Session

MIN_SURVEY_S = 30.0  # of reading, for findings about surveyed settings
SURE_STDS = 3.0  # standard errors of a finding
MIN_PITCH_DEVIATION_RAD = 0.01
MIN_HEIGHT_DEVIATION = 0.1  # of the height: people differ, and their mean is assumed
MIN_YAW_DEVIATION_RAD = 0.12  # 7 degrees: what rooms and hands differ by


def survey_findings(sessions: Sequence[Session], area: AreaSettings) -> Iterator[str]:
    """Yield what walks say about camera, yaw and access points, one line each."""
    if 'camera' not in area.modalities:
        return
    try:
        fit = fit_camera_to_walkers(walker_boxes(sessions), area)
    except MeasurementError as err:
        yield f'camera_height and camera_pitch are not checked: {err}'
    else:
        yield _sentence('camera_pitch', area.camera_pitch, fit.pitch_rad, fit.pitch_error_rad,
                        MIN_PITCH_DEVIATION_RAD)
        yield _sentence('camera_height', area.camera_height, fit.height_m, fit.height_error_m,
                        MIN_HEIGHT_DEVIATION * fit.height_m)
        area = replace(area, camera_pitch=fit.pitch_rad, camera_height=fit.height_m)
    if 'imu' in area.modalities:
        yield _yaw_finding(sessions, area)
    if 'ftm' in area.modalities:
        yield from access_point_findings(sessions, area)


def session_of_samples(area: str, samples: Sequence[Any]) -> Session:
    """Arrange samples of drivers, without their images, as a session."""
    frames = sorted((each for each in samples
                     if isinstance(each, CameraFrame) and each.people is not None),
                    key=lambda frame: frame.stamp_ns)
    phones: dict[str, dict[type, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for each in samples:
        if isinstance(each, FtmSample | InertialSample | MagneticSample):
            phones[each.phone][type(each)].append(each)
    return Session(area, 'check', '', _frames(frames) if frames else None,
                   {name: _streams(own) for name, own in sorted(phones.items())}, {})


def without_images(sample: Any) -> Any:
    """Return a sample without what takes much memory."""
    return (replace(sample, image=None, depth=None) if isinstance(sample, CameraFrame)
            else sample)


def _yaw_finding(sessions: Sequence[Session], area: AreaSettings) -> str:
    """Compare the yaws of two floors: each differs from the undisturbed field."""
    try:
        fit, _ = survey_yaw(sessions, area)
    except MeasurementError as err:
        return f'magnetic_yaw is not checked: {err}'
    turned = area.magnetic_yaw + float(wrap_angle(np.array(fit.yaw_rad - area.magnetic_yaw)))
    return _sentence(
        'magnetic_yaw', area.magnetic_yaw, turned, fit.field_error_rad, MIN_YAW_DEVIATION_RAD)


def _sentence(name: str, given: float, found: float, error: float, tolerance: float) -> str:
    """Compare a setting with what walkers say."""
    if abs(found - given) > max(tolerance, SURE_STDS * error):
        sensor = 'yaw' if name == 'magnetic_yaw' else 'camera'
        return (f'WARNING: {name} is {given:.3f} but walkers say {found:.3f} ± {error:.3f}: '
                f'`utt calibrate {sensor}`')
    return f'{name} {given:.3f} agrees with walkers: {found:.3f} ± {error:.3f}'


def _frames(frames: Sequence[CameraFrame]) -> Frames:
    people = [each.people for each in frames if each.people is not None]
    counts = [len(each.boxes) for each in people]
    tracks = tuple(track for each, count in zip(people, counts, strict=True)
                   for track in (each.track_ids or ('',) * count))
    boxes = [np.zeros((0, 5), np.float32), *(each.boxes for each in people)]
    return Frames(np.array([each.stamp_ns for each in frames], np.int64),
                  np.cumsum([0, *counts], dtype=np.int64), np.concatenate(boxes),
                  ('',) * sum(counts), tracks)


def _streams(samples: Mapping[type, list[Any]]) -> PhoneStreams:
    ranged, inertial, magnetic = (
        sorted(samples.get(kind, []), key=lambda each: int(each.stamp_ns))
        for kind in (FtmSample, InertialSample, MagneticSample))
    stamps = [np.array([each.stamp_ns for each in part], np.int64)
              for part in (ranged, inertial, magnetic)]
    aps = tuple(each.ap for each in ranged)
    return PhoneStreams(
        stamps[0],
        np.array([[each.range_m, each.std_m] for each in ranged], np.float32).reshape(-1, 2),
        stamps[1],
        np.array([[*each.accel, *each.gyro] for each in inertial], np.float32).reshape(-1, 6),
        stamps[2],
        np.array([each.field for each in magnetic], np.float32).reshape(-1, 3),
        ap=aps[0] if aps else '', ftm_aps=aps)
