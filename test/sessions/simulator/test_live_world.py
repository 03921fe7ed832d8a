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

import numpy as np
import pytest

from utt_ros.geometry.camera import CameraModel
from utt_ros.sessions.simulator.live_world import (
    boxes_at,
    boxes_by_name,
    live_session_plan,
    phone_clock,
    positions_at,
)
from utt_ros.sessions.simulator.world import START_NS, plan_sessions, simulate_session
from utt_ros.types import Session

PLAN = live_session_plan(0, 10.0)
AREA = PLAN.area.settings


@pytest.fixture(scope='module')
def session() -> Session:
    return simulate_session(PLAN)


def test_live_pictures_show_the_same_view_with_fewer_pixels() -> None:
    full = plan_sessions(1, 3.0, 0)[0].area.settings
    position = np.array([6.0, 1.0])
    scale = AREA.image_width / full.image_width
    small, large = (CameraModel(area).project(position) for area in (AREA, full))
    assert small[[0, 1, 3, 4]] == pytest.approx(scale * large[[0, 1, 3, 4]])
    assert small[2] == large[2]


def test_positions_are_interpolated_and_only_of_people_present(session: Session) -> None:
    for name, truth in session.truth.items():
        between_ns = int(truth.stamps_ns[5:7].mean())
        position = positions_at(session, between_ns)[name]
        assert position == pytest.approx(truth.positions_m[5:7].mean(axis=0))
        assert name not in positions_at(session, int(truth.stamps_ns[0]) - 1)
        assert name not in positions_at(session, int(truth.stamps_ns[-1]) + 1)


def test_boxes_are_those_of_people_before_the_camera(session: Session) -> None:
    stamp_ns = START_NS + 5 * 10**9
    boxes = boxes_by_name(AREA, session, stamp_ns)
    assert boxes.keys() <= positions_at(session, stamp_ns).keys()
    assert all(box[2] > 0.5 for box in boxes.values())
    rows, phases = boxes_at(AREA, session, stamp_ns)
    assert rows.tolist() == [box.tolist() for box in boxes.values()]
    assert phases.shape == (len(boxes),)


def test_every_phone_has_clocks_of_its_own_that_drift() -> None:
    first, second = phone_clock('walker1', 0), phone_clock('walker2', 0)
    assert first != second
    assert first == phone_clock('walker1', 0)
    since_ns = np.array([0, 10**12])
    elapsed_ns = np.diff(first.wall_ns(since_ns, 5 * 10**18))[0]
    assert elapsed_ns == pytest.approx(10**12 * (1 + first.drift_ppm * 1e-6), abs=300)
    assert np.diff(first.boot_ns(since_ns))[0] == elapsed_ns
