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

"""Findings about surveyed settings: what is wrong is told, and what is right is not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from utt_ros.cli.survey_check import session_of_samples, survey_findings, without_images
from utt_ros.drivers.types import (
    CameraFrame,
    Detections,
    FtmSample,
    InertialSample,
    MagneticSample,
)
from utt_ros.sessions.survey_data import survey_yaw
from utt_ros.settings import AreaSettings
from utt_ros.types import Session

Walked = Callable[..., tuple[AreaSettings, list[Session]]]


def test_right_settings_agree_with_a_minute_of_walks(walked: Walked) -> None:
    area, sessions = walked(0)
    findings = list(survey_findings(sessions, area))
    assert len(findings) == 4
    assert all('agrees with walkers' in finding for finding in findings)


@pytest.mark.parametrize(('name', 'offset', 'reason'), [
    ('camera_pitch', 0.04, r'camera_pitch is 0.249 but walkers say 0.2\d\d ± 0.000'),
    ('camera_height', 1.0, r'camera_height is 3.500 but walkers say 2.\d\d\d ± 0.0\d\d'),
    ('magnetic_yaw', 0.5, r'magnetic_yaw is .* but walkers say .*`utt calibrate yaw`')])
def test_one_wrong_setting_is_told_with_the_value_of_the_walkers(
        name: str, offset: float, reason: str, walked: Walked) -> None:
    area, sessions = walked(0)
    wrong = replace(area, **{name: getattr(area, name) + offset})
    warnings = [each for each in survey_findings(sessions, wrong) if 'WARNING' in each]
    assert len(warnings) == 1
    with pytest.raises(ValueError, match=reason):
        raise ValueError(warnings[0])


def test_yaw_of_another_walked_floor_is_no_wrong_one(walked: Walked) -> None:
    area, sessions = walked(0)
    fit, _ = survey_yaw(sessions, area)
    for stds, told in ((2.9, 'agrees'), (3.2, 'WARNING')):
        other = replace(area, magnetic_yaw=fit.yaw_rad + stds * fit.field_error_rad)
        yaw = [each for each in survey_findings(sessions, other) if 'magnetic_yaw' in each]
        assert [told in each for each in yaw] == [True], f'{stds} errors of disturbances'


def test_what_cannot_be_checked_is_told_with_the_reason() -> None:
    area, nothing = AreaSettings(area='hall'), Session('hall', 'one', '', None, {}, {})
    camera, yaw, access_points = survey_findings([nothing], area)
    assert camera.startswith('camera_height and camera_pitch are not checked: no boxes')
    assert yaw.startswith('magnetic_yaw is not checked: no compass')
    assert access_points.startswith('positions of access points are not checked: no ranges')
    assert not list(survey_findings([nothing], replace(area, modalities=('ftm', 'imu'))))


def test_samples_of_drivers_are_a_session_in_order_of_stamps() -> None:
    image = np.zeros((4, 4), np.uint8)
    boxes = np.full((2, 5), 50.0, np.float32)
    people = Detections(boxes, np.ones(2, np.float32), ('1', '2'))
    three = np.ones(3, np.float32)
    samples = [without_images(each) for each in (
        CameraFrame(20, image, people=people), CameraFrame(10, image, people=people),
        CameraFrame(15, image), InertialSample('anna', 7, three, 2 * three),
        InertialSample('anna', 5, three, three), MagneticSample('anna', 6, three),
        FtmSample('anna', 9, 4.0, 0.5, 'ap2'), FtmSample('anna', 8, 3.0, 0.5, 'ap1'))]
    assert samples[0].image is None
    session = session_of_samples('hall', samples)
    assert session.frames is not None
    assert session.frames.stamps_ns.tolist() == [10, 20]
    assert session.frames.starts.tolist() == [0, 2, 4]
    assert session.frames.track_ids == ('1', '2', '1', '2')
    anna = session.phones['anna']
    assert anna.inertial_stamps_ns.tolist() == [5, 7]
    assert anna.inertial[1].tolist() == [1, 1, 1, 2, 2, 2]
    assert len(anna.magnetic) == 1
    assert anna.ftm[:, 0].tolist() == [3.0, 4.0]
    assert anna.range_aps == ('ap1', 'ap2')
    assert session_of_samples('hall', []).frames is None
