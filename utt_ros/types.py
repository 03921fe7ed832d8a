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

"""Records exchanged between the rooms of the package, units and array types; no ROS, no torch.

Stamps are integer nanoseconds of the measurement clock. Positions are in the area frame (REP-103:
origin on the floor below the camera, x forward along the horizontal view direction, y left, z up).
Where a mask is false the value is missing and 0.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]
ComplexArray = npt.NDArray[np.complex128]
MaskArray = npt.NDArray[np.bool_]
Stamps = npt.NDArray[np.int64]  # [ns]
Indices = npt.NDArray[np.intp]
Image = npt.NDArray[np.uint8]
NameArray = npt.NDArray[np.str_]

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
NEVER_NS = -(1 << 62)  # before every stamp, and far enough from overflow to subtract from
GRAVITY_MPS2 = 9.80665  # standard gravity, ISO 80000-3
CHI2_90_2D = 4.605170185988092  # 90 % quantile of chi-square, 2 degrees of freedom

CAMERA_CHANNELS = ('center_x_px', 'center_y_px', 'depth_m', 'width_px', 'height_px')
BOX_FIELDS = ('center_x', 'center_y', 'depth', 'width', 'height')  # of a Track, as CAMERA_CHANNELS
FTM_CHANNELS = ('range_m', 'std_m')
IMU_CHANNELS = (
    'accel_x_mps2', 'accel_y_mps2', 'accel_z_mps2',
    'gyro_x_radps', 'gyro_y_radps', 'gyro_z_radps',
    'mag_x_t', 'mag_y_t', 'mag_z_t',
)
CHANNELS = {'camera': CAMERA_CHANNELS, 'ftm': FTM_CHANNELS, 'imu': IMU_CHANNELS}
MODALITIES = tuple(sorted(CHANNELS))
FURTHER_FTM = 'further_ftm'  # ranges to the access points of an area after the first
AP_GEOMETRY = 'ap_geometry'  # positions of the access points, see `geometry.ap_geometry`
FURTHER_RANGES = ('further_ftm', 'further_ftm_age_s', 'further_ftm_mask')  # of a SyncedBatch


def stamp_to_ns(stamp: Any) -> int:
    """Convert a builtin_interfaces/Time, of rclpy or of a bag, to nanoseconds."""
    return int(stamp.sec) * NS_PER_S + int(stamp.nanosec)


@dataclass(frozen=True, slots=True)
class SyncedBatch:
    """Samples of all subjects of one area at one tick."""

    stamp_ns: int
    epoch: int
    sequence: int
    camera_tick: bool
    subjects: tuple[str, ...]  # S, sorted
    track_ids: tuple[str, ...]  # S
    association: FloatArray  # (S,)
    camera: FloatArray  # (S, 5) CAMERA_CHANNELS
    camera_mask: MaskArray  # (S,)
    ftm: FloatArray  # (S, 2) FTM_CHANNELS
    ftm_age_s: FloatArray  # (S,) inf without a range
    ftm_mask: MaskArray  # (S,) true when new since the previous tick
    imu: FloatArray  # (S, C, 9) IMU_CHANNELS, phone frame
    imu_mask: MaskArray  # (S, C)
    # of the A access points after the first, as `ftm`; A = 0 where they are not given
    further_ftm: FloatArray = field(default_factory=lambda: np.zeros((0, 0, 2), np.float32))
    further_ftm_age_s: FloatArray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    further_ftm_mask: MaskArray = field(default_factory=lambda: np.zeros((0, 0), bool))

    def __post_init__(self) -> None:
        for name in FURTHER_RANGES:
            values = getattr(self, name)
            if len(values) != len(self.subjects):
                shape = (len(self.subjects), *values.shape[1:])
                object.__setattr__(self, name, np.zeros(shape, values.dtype))


@dataclass(frozen=True, slots=True)
class Windows:
    """N windows of T consecutive ticks, C rows of IMU per tick.

    `values[m]` and `masks[m]` are float32 (N, T_m, F_m) and bool (N, T_m), with T_m = T for camera
    and ftm and T * C for imu. `stamps_ns` is that of each window's last tick. Of an area with A
    access points after the first, FURTHER_FTM has (N, T, A, 2) and (N, T, A): a mask is true at
    the tick at which a range is new, so it tells the age of each range as well.
    """

    stamps_ns: Stamps  # (N,)
    subjects: tuple[str, ...]  # N
    values: dict[str, FloatArray]
    masks: dict[str, MaskArray]

    def __len__(self) -> int:
        return len(self.subjects)

    def select(self, rows: Indices) -> 'Windows':
        """Return the windows at some rows, which increase; themselves for all."""
        if len(rows) == len(self):
            return self
        return Windows(
            self.stamps_ns[rows], tuple(self.subjects[row] for row in rows),
            {name: array[rows] for name, array in self.values.items()},
            {name: array[rows] for name, array in self.masks.items()})


@dataclass(frozen=True, slots=True)
class Frames:
    """Camera tracks of a session: F frames, N boxes in total."""

    stamps_ns: Stamps  # (F,) increasing
    starts: npt.NDArray[np.int64]  # (F + 1,) boxes of frame i are rows starts[i]:starts[i + 1]
    boxes: FloatArray  # (N, 5) CAMERA_CHANNELS; depth NaN when unknown
    subjects: tuple[str, ...]  # N, empty string when unknown
    track_ids: tuple[str, ...]  # N


@dataclass(frozen=True, slots=True)
class PhoneStreams:
    """Streams of one phone in a session, at native rates, in order of stamps."""

    ftm_stamps_ns: Stamps  # (A,)
    ftm: FloatArray  # (A, 2) FTM_CHANNELS
    inertial_stamps_ns: Stamps  # (B,)
    inertial: FloatArray  # (B, 6) accel [m/s^2], gyro [rad/s]
    magnetic_stamps_ns: Stamps  # (C,)
    magnetic: FloatArray  # (C, 3) [T]
    ftm_signal: FloatArray | None = None  # (A, 3) RSSI [dBm], frames attempted, succeeded
    ap: str = ''  # BSSID of the responder, empty when unknown; of several the first one heard
    ftm_aps: tuple[str, ...] | None = None  # A, BSSID of each range; None: all of `ap`

    @property
    def range_aps(self) -> tuple[str, ...]:
        """BSSID of the responder of each range (A)."""
        return (self.ap,) * len(self.ftm) if self.ftm_aps is None else self.ftm_aps


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """True trajectory of a subject; no input of a twin."""

    stamps_ns: Stamps  # (K,)
    positions_m: Array  # (K, 2) area frame
    headings_rad: Array  # (K,) counter-clockwise from x


@dataclass(frozen=True, slots=True)
class Session:
    """One recorded session of one area, in memory."""

    area: str
    name: str
    split: str  # train, val, test or empty
    frames: Frames | None  # None when the area has no camera
    phones: dict[str, PhoneStreams]
    truth: dict[str, GroundTruth]
