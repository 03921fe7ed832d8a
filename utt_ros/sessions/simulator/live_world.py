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

"""Simulated world of the live demonstration: people in front of the camera, clocks of phones."""

from dataclasses import dataclass, replace

import numpy as np

from utt_ros.geometry.camera import CameraModel
from utt_ros.sessions.simulator.world import SessionPlan, plan_sessions
from utt_ros.settings import AreaSettings
from utt_ros.types import NS_PER_S, Array, Session, Stamps

PICTURE_PX = (640, 360)
STRIDE_HZ = 0.9
MIN_BOX_DISTANCE_M = 0.5


@dataclass(frozen=True, slots=True)
class PhoneClock:
    """Clocks of a phone: offsets at the start of the session, and drift."""

    offset_s: float  # of its wall clock from the host's
    boot_s: float  # time since boot at the start
    drift_ppm: float  # of both

    def wall_ns(self, since_ns: Stamps, begin_ns: int) -> Stamps:
        """Time of the wall clock `since_ns` after the start."""
        return begin_ns + round(self.offset_s * NS_PER_S) + self._elapsed_ns(since_ns)

    def boot_ns(self, since_ns: Stamps) -> Stamps:
        """Time since boot `since_ns` after the start."""
        return round(self.boot_s * NS_PER_S) + self._elapsed_ns(since_ns)

    def _elapsed_ns(self, since_ns: Stamps) -> Stamps:
        drift_ns = np.rint(since_ns * (self.drift_ppm * 1e-6))
        return np.asarray(since_ns + drift_ns, np.int64)


def phone_clock(phone: str, seed: int) -> PhoneClock:
    """Draw the clocks of a phone: offsets of days, drift of up to 100 ppm."""
    rng = np.random.default_rng([seed, *phone.encode()])
    return PhoneClock(float(rng.uniform(-3, 3) * 86_400), float(rng.uniform(1e3, 1e6)),
                 float(rng.uniform(-100, 100)))


def live_session_plan(seed: int, seconds: float) -> SessionPlan:
    """Plan a session of one simulated area with a smaller picture."""
    plan = plan_sessions(1, 3.0, seed)[0]
    area = plan.area.settings
    scale = PICTURE_PX[0] / area.image_width
    small = replace(
        area, image_width=PICTURE_PX[0], image_height=PICTURE_PX[1], fx=scale * area.fx,
        fy=scale * area.fy, cx=scale * area.cx, cy=scale * area.cy)
    return replace(plan, area=replace(plan.area, settings=small), seconds=seconds)


def boxes_at(area: AreaSettings, session: Session, stamp_ns: int) -> tuple[Array, Array]:
    """Boxes (N, 5) of all people before the camera, and phases of their strides (N,) [rad]."""
    boxes = list(boxes_by_name(area, session, stamp_ns).values())
    phases = 2 * np.pi * STRIDE_HZ * stamp_ns / NS_PER_S + np.arange(len(boxes), dtype=np.float64)
    return np.array(boxes).reshape(-1, 5), phases


def boxes_by_name(area: AreaSettings, session: Session, stamp_ns: int) -> dict[str, Array]:
    """Boxes (5,) [CAMERA_CHANNELS] of all people before the camera, also hidden ones."""
    model = CameraModel(area)
    positions = positions_at(session, stamp_ns)
    boxes = {name: model.project(position) for name, position in positions.items()}
    return {name: box for name, box in boxes.items() if box[2] > MIN_BOX_DISTANCE_M}


def positions_at(session: Session, stamp_ns: int) -> dict[str, Array]:
    """True positions (2,) [m] of all people present, by name.

    Truth of the simulator has no gaps, so it is interpolated without their rule.
    """
    positions = {}
    for name, truth in session.truth.items():
        since = truth.stamps_ns - stamp_ns
        if since[0] <= 0 <= since[-1]:
            positions[name] = np.array([np.interp(0, since, axis) for axis in truth.positions_m.T])
    return positions
