"""The world of the live demonstration: who walks where, and what their phones' clocks show."""

from dataclasses import dataclass, replace

import numpy as np

from utt_ros.geometry.camera import CameraModel
from utt_ros.sessions.simulator.world import Plan, plan
from utt_ros.settings import AreaSettings
from utt_ros.types import NS_PER_S, Array, Session, Stamps

SIZE_PX = (640, 360)
STRIDE_HZ = 0.9
MIN_DISTANCE_M = 0.5


@dataclass(frozen=True, slots=True)
class Clock:
    """A phone's clocks: how far they are off when everybody begins to walk, and their drift."""

    offset_s: float  # of its wall clock to the host's
    boot_s: float  # what its clock since boot shows then
    drift_ppm: float  # of both

    def wall_ns(self, since_ns: Stamps, begin_ns: int) -> Stamps:
        """What the wall clock shows, so long after the begin."""
        return begin_ns + round(self.offset_s * NS_PER_S) + self._gone(since_ns)

    def boot_ns(self, since_ns: Stamps) -> Stamps:
        """What the clock since boot shows, so long after the begin."""
        return round(self.boot_s * NS_PER_S) + self._gone(since_ns)

    def _gone(self, since_ns: Stamps) -> Stamps:
        drift_ns = np.rint(since_ns * (self.drift_ppm * 1e-6))
        return np.asarray(since_ns + drift_ns, np.int64)


def clock_of(phone: str, seed: int) -> Clock:
    """The clocks of a phone: days off, up to 100 ppm."""
    rng = np.random.default_rng([seed, *phone.encode()])
    return Clock(float(rng.uniform(-3, 3) * 86_400), float(rng.uniform(1e3, 1e6)),
                 float(rng.uniform(-100, 100)))


def world(seed: int, seconds: float) -> Plan:
    """One area of the simulator, with a smaller picture, and a session of that length in it."""
    planned = plan(1, 3.0, seed)[0]
    area = planned.area.settings
    scale = SIZE_PX[0] / area.image_width
    small = replace(
        area, image_width=SIZE_PX[0], image_height=SIZE_PX[1], fx=scale * area.fx,
        fy=scale * area.fy, cx=scale * area.cx, cy=scale * area.cy)
    return replace(planned, area=replace(planned.area, settings=small), seconds=seconds)


def boxes_at(area: AreaSettings, session: Session, stamp_ns: int) -> tuple[Array, Array]:
    """Boxes (N, 5) of everybody in front of the camera, and phases of their strides (N,) [rad]."""
    boxes = list(boxes_by_name(area, session, stamp_ns).values())
    phases = 2 * np.pi * STRIDE_HZ * stamp_ns / NS_PER_S + np.arange(len(boxes), dtype=np.float64)
    return np.array(boxes).reshape(-1, 5), phases


def boxes_by_name(area: AreaSettings, session: Session, stamp_ns: int) -> dict[str, Array]:
    """Boxes (5,) [CAMERA_CHANNELS] of everybody in front of the camera, hidden or not."""
    model = CameraModel(area)
    boxes = {name: model.project(place) for name, place in places_at(session, stamp_ns).items()}
    return {name: box for name, box in boxes.items() if box[2] > MIN_DISTANCE_M}


def places_at(session: Session, stamp_ns: int) -> dict[str, Array]:
    """Where everybody who is there truly is, (2,) [m], by name."""
    found = {}
    for name, truth in session.truth.items():
        since = truth.stamps_ns - stamp_ns
        if since[0] <= 0 <= since[-1]:
            found[name] = np.array([np.interp(0, since, axis) for axis in truth.positions_m.T])
    return found
