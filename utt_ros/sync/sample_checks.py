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

"""Checks of single samples of phones against what a sensor can measure.

Each returns an offending value, which may not be finite, with a remark on it; or None.
"""

from collections.abc import Sequence

from utt_ros import sensor_limits as limits

Offence = tuple[float, str]


def inertial_offence(subject: str, values: Sequence[float]) -> Offence | None:
    """Check accel [m/s^2] and gyro [rad/s] of a phone, (6,)."""
    ax, ay, az, gx, gy, gz = values
    accel, gyro = ax * ax + ay * ay + az * az, gx * gx + gy * gy + gz * gz
    if accel <= limits.MAX_ACCEL_MPS2**2 and gyro <= limits.MAX_GYRO_RADPS**2:
        return None
    return accel + gyro, (
        f'IMU of {subject!r}: accel {accel**0.5:g} m/s^2, gyro {gyro**0.5:g} rad/s of at most '
        f'{limits.MAX_ACCEL_MPS2:g} m/s^2, {limits.MAX_GYRO_RADPS:g} rad/s')


def magnetic_offence(subject: str, values: Sequence[float]) -> Offence | None:
    """Check the magnetic field [T] at a phone, (3,)."""
    x, y, z = values
    field = x * x + y * y + z * z
    if field <= limits.MAX_MAGNETIC_T**2:
        return None
    return field, (f'magnetic field of {subject!r}: {field**0.5:g} T of at most '
                   f'{limits.MAX_MAGNETIC_T:g}')


def range_offence(subject: str, range_m: float, std_m: float) -> Offence | None:
    """Check a range and its standard deviation [m]."""
    low, high = limits.RANGE_LIMITS_M
    if low <= range_m <= high and 0.0 <= std_m <= limits.MAX_RANGE_STD_M:
        return None
    return range_m + std_m, (
        f'FTM of {subject!r}: range {range_m:g} m outside {low:g}..{high:g} or std {std_m:g} m '
        f'outside 0..{limits.MAX_RANGE_STD_M:g}')
