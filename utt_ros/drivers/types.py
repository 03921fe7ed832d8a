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

"""Samples of sensor sources. Stamps are integer nanoseconds of the host's clock since epoch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from utt_ros.types import FloatArray

MAX_FRAME_COUNT = 255  # of FtmSample


@dataclass(frozen=True, slots=True)
class FtmSample:
    """Fine time measurement between a phone and an access point."""

    phone: str
    stamp_ns: int
    range_m: float
    std_m: float  # over the burst; NaN when unknown
    ap: str = ''  # BSSID of the responder, empty when unknown
    rssi_dbm: float = np.nan
    attempted: int = 0  # frames; 0 when unknown
    successful: int = 0


@dataclass(frozen=True, slots=True)
class InertialSample:
    """Specific force and angular rate, phone frame (REP-145: `accel` includes gravity)."""

    phone: str
    stamp_ns: int
    accel: FloatArray  # (3,) [m/s^2]
    gyro: FloatArray  # (3,) [rad/s]


@dataclass(frozen=True, slots=True)
class MagneticSample:
    """Magnetic field, phone frame."""

    phone: str
    stamp_ns: int
    field: FloatArray  # (3,) [T]


@dataclass(frozen=True, slots=True)
class CameraFrame:
    """Camera image with optional depth and detections."""

    stamp_ns: int
    image: npt.NDArray[np.uint8] | None  # (H, W, 3) BGR or (H, W) grey; None: boxes only
    depth: FloatArray | None = None  # (H, W) along the optical axis [m]; NaN where unknown
    people: 'Detections | None' = None  # of a camera that detects people itself


@dataclass(frozen=True, slots=True)
class Detections:
    """N people detected in one image."""

    boxes: FloatArray  # (N, 5) CAMERA_CHANNELS; depth NaN when unknown
    confidence: FloatArray  # (N,) 0..1
    track_ids: tuple[str, ...] | None = None  # N, of a camera that tracks people itself
