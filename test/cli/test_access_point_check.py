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

"""Findings about access points: a wrong position is told from a minute of walks."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from utt_ros.cli.access_point_check import access_point_findings
from utt_ros.cli.survey_check import session_of_samples, survey_findings
from utt_ros.drivers.types import (
    CameraFrame,
    Detections,
    FtmSample,
    InertialSample,
    MagneticSample,
)
from utt_ros.settings import AreaSettings
from utt_ros.types import Session

Walked = Callable[..., tuple[AreaSettings, list[Session]]]


def moved(area: AreaSettings, number: int, by_m: tuple[float, float]) -> AreaSettings:
    points = list(area.access_points)
    x, y, z = points[number].position
    points[number] = points[number]._replace(position=(x + by_m[0], y + by_m[1], z))
    return replace(area, access_points=tuple(points))


def test_right_positions_agree_with_a_minute_of_walks(walked: Walked) -> None:
    area, sessions = walked(5, 3)
    findings = list(access_point_findings(sessions, area))
    assert len(findings) == 3
    assert all('agrees with walkers' in each for each in findings)


@pytest.mark.parametrize('number', [0, 1, 2])
def test_one_wrong_position_is_told_and_the_others_are_not(number: int, walked: Walked) -> None:
    area, sessions = walked(5, 3)
    wrong = moved(area, number, (4.0, 5.0))
    findings = list(access_point_findings(sessions, wrong))
    assert ['WARNING' in each for each in findings] == [each == number for each in range(3)]
    assert area.ap_addresses[number].lower() in findings[number]
    assert '`utt calibrate access-points --locate`' in findings[number]


def test_the_only_access_point_is_told_from_samples_of_live_drivers(walked: Walked) -> None:
    area, sessions = walked(5, 3)
    area = replace(area, access_points=(), ap_position=(-5.0, 9.0, 2.5))
    samples = [each for session in sessions for each in as_live_samples(session)]
    findings = list(survey_findings([session_of_samples('area0', samples)], area))
    assert 'WARNING: ap_position is (-5.0, 9.0) but walkers say' in findings[-1]


def test_few_ranges_are_told_instead_of_a_finding(walked: Walked) -> None:
    area, sessions = walked(5, 3)
    few = replace(sessions[0], phones={
        name: replace(phone, ftm=phone.ftm[:9], ftm_stamps_ns=phone.ftm_stamps_ns[:9],
                      ftm_aps=phone.range_aps[:9], ftm_signal=None)
        for name, phone in sessions[0].phones.items()})
    findings = list(access_point_findings([few], area))
    assert len(findings) == 3 or 'not checked' in findings[0]
    assert all('not checked' in each for each in findings)


def as_live_samples(session: Session) -> list[object]:
    """Samples of drivers: boxes without labels, ranges of the first access point."""
    assert session.frames is not None
    frames, found = session.frames, list[object]()
    for row, stamp_ns in enumerate(frames.stamps_ns.tolist()):
        own = slice(frames.starts[row], frames.starts[row + 1])
        boxes = frames.boxes[own]
        found.append(CameraFrame(stamp_ns, None, people=Detections(
            boxes, boxes[:, 0] * 0 + 1, frames.track_ids[own])))
    for name, phone in session.phones.items():
        first = min(phone.range_aps)
        found += [FtmSample(name, stamp_ns, float(range_m), float(std_m))
                  for stamp_ns, (range_m, std_m), ap in zip(
                      phone.ftm_stamps_ns.tolist(), phone.ftm, phone.range_aps, strict=True)
                  if ap == first]
        found += [InertialSample(name, stamp_ns, row[:3], row[3:]) for stamp_ns, row in zip(
            phone.inertial_stamps_ns.tolist(), phone.inertial, strict=True)]
        found += [MagneticSample(name, stamp_ns, row) for stamp_ns, row in zip(
            phone.magnetic_stamps_ns.tolist(), phone.magnetic, strict=True)]
    return found
