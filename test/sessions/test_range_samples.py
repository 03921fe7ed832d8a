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

"""Ranges at places that a camera saw, or that are true."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.errors import MeasurementError
from utt_ros.sessions.range_samples import seen_ranges, true_ranges
from utt_ros.sessions.simulator.world import plan_sessions, simulate_session
from utt_ros.settings import AreaSettings
from utt_ros.types import Session


@pytest.fixture(scope='module')
def walked() -> tuple[AreaSettings, Session]:
    """A session of 20 s with two access points, and its area."""
    plan = plan_sessions(1, 1.0, 0, access_points=2)[0]
    return plan.area.settings, simulate_session(plan)


def test_ranges_are_at_the_places_that_the_camera_saw(
        walked: tuple[AreaSettings, Session]) -> None:
    area, session = walked
    seen = seen_ranges([session], area)
    assert seen.addresses == tuple(name.lower() for name in area.ap_addresses)
    assert set(seen.names) <= set(session.phones)
    assert 60 < len(seen.ranges_m) < sum(len(phone.ftm) for phone in session.phones.values())
    true = true_ranges([session], area)
    for number, name in enumerate(seen.names):
        own, truth = seen.phones == number, session.truth[name]
        at = np.stack([np.interp(seen.times_s[own], truth.stamps_ns / 1e9, axis)
                       for axis in truth.positions_m.T], axis=1)
        assert np.median(np.linalg.norm(seen.positions_m[own] - at, axis=1)) < 0.3
    assert len(true.ranges_m) > len(seen.ranges_m)


def test_unlisted_access_points_come_after_those_of_the_area(
        walked: tuple[AreaSettings, Session]) -> None:
    area, session = walked
    one = replace(area, access_points=area.access_points[1:])
    samples = true_ranges([session], one)
    assert samples.addresses == tuple(
        area.ap_addresses[number].lower() for number in (1, 0))
    nameless = replace(area, access_points=())
    assert len(true_ranges([session], nameless).addresses) == 2
    silent = replace(session, phones={
        name: replace(phone, ap='', ftm_aps=None) for name, phone in session.phones.items()})
    assert true_ranges([silent], one).addresses == (area.ap_addresses[1].lower(),)
    assert true_ranges([silent], nameless).addresses == ('',)


def test_sessions_without_walks_in_view_or_truth_are_refused(
        walked: tuple[AreaSettings, Session]) -> None:
    area, session = walked
    with pytest.raises(MeasurementError, match='no ranges of a walk in view'):
        seen_ranges([replace(session, frames=None)], area)
    with pytest.raises(MeasurementError, match='no ground truth'):
        true_ranges([replace(session, truth={})], area)
