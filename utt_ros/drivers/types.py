"""What sources deliver. Stamps are integer nanoseconds of the host's clock since the epoch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from utt_ros.types import FloatArray


@dataclass(frozen=True, slots=True)
class Ranging:
    """One fine time measurement between a phone and an access point."""

    phone: str
    stamp_ns: int
    range_m: float
    std_m: float  # over the burst; NaN when the source does not tell
    ap: str = ''  # BSSID of the responder, empty when unknown
    rssi_dbm: float = np.nan
    attempted: int = 0  # frames; 0 when the source does not tell
    successful: int = 0


@dataclass(frozen=True, slots=True)
class Inertial:
    """What a phone felt at one instant, in its own frame (REP-145: gravity is in `accel`)."""

    phone: str
    stamp_ns: int
    accel: FloatArray  # (3,) [m/s^2]
    gyro: FloatArray  # (3,) [rad/s]


@dataclass(frozen=True, slots=True)
class Magnetic:
    """The magnetic field at a phone at one instant, in its own frame."""

    phone: str
    stamp_ns: int
    field: FloatArray  # (3,) [T]


@dataclass(frozen=True, slots=True)
class Picture:
    """One exposure of a camera."""

    stamp_ns: int
    image: npt.NDArray[np.uint8] | None  # (H, W, 3) BGR or (H, W) grey; None: boxes alone
    depth: FloatArray | None = None  # (H, W) along the optical axis [m]; NaN where unknown
    people: 'People | None' = None  # when the camera detects people by itself


@dataclass(frozen=True, slots=True)
class People:
    """N people in one picture."""

    boxes: FloatArray  # (N, 5) CAMERA_CHANNELS; depth NaN when unknown
    confidence: FloatArray  # (N,) 0..1
    track_ids: tuple[str, ...] | None = None  # N, when the camera tracks by itself
