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

"""Readings of one phone sensor: SI units, phone axes, phone clock."""

import math
from typing import Any, NamedTuple

from utt_ros.drivers.clock_sync import parse_stamp
from utt_ros.errors import MeasurementError
from utt_ros.sensor_limits import MAX_ACCEL_MPS2, MAX_GYRO_RADPS, MAX_MAGNETIC_T, STAMP_LIMITS_NS

Vector = tuple[float, float, float]
READING_LIMITS = {'accel': MAX_ACCEL_MPS2, 'gravity': MAX_ACCEL_MPS2, 'gyro': MAX_GYRO_RADPS,
                  'mag': MAX_MAGNETIC_T, 'force': MAX_ACCEL_MPS2, 'raw_force': MAX_ACCEL_MPS2,
                  'raw_gyro': MAX_GYRO_RADPS, 'raw_mag': MAX_MAGNETIC_T}
TESLA = 1e-6  # apps send microtesla


class ImplausibleReading(MeasurementError):
    """Stamp or value outside the limits of its sensor."""


class Reading(NamedTuple):
    """Reading of a kind.

    accel, gravity [m/s^2], gyro [rad/s], mag [T]; force [m/s^2] is accel that includes gravity
    where the app has both; raw_* are uncalibrated.
    """

    kind: str
    peer_ns: int
    values: Vector


def make_reading(kind: str, peer_ns: Any, values: Any, scale: float = 1.0) -> Reading:
    """Build a reading from an app's values, times `scale` in SI units.

    Raises MeasurementError unless it has a stamp and three numbers within the sensor's limits.
    """
    first_ns, last_ns = STAMP_LIMITS_NS
    peer_ns = _stamp(kind, peer_ns)
    if not first_ns <= peer_ns <= last_ns:
        raise ImplausibleReading(f'stamp {str(peer_ns)[:40]} of {kind}: {first_ns}..2^62 ns')
    if not isinstance(values, list | tuple) or len(values) < 3:
        raise MeasurementError(f'{kind} is {str(values)[:40]}: three numbers expected')
    x, y, z = (_number(kind, value, READING_LIMITS[kind] / scale) for value in values[:3])
    return Reading(kind, peer_ns, (x * scale, y * scale, z * scale))


def _stamp(kind: str, value: Any) -> int:
    """Return nanoseconds; apps also send them as floats and as texts."""
    stamp = parse_stamp(value) if isinstance(value, str) else value
    if isinstance(stamp, float) and math.isfinite(stamp):
        stamp = int(stamp)
    if type(stamp) is not int:
        raise MeasurementError(f'stamp {str(value)[:40]} of {kind}: a number expected')
    return stamp


def _number(kind: str, value: Any, limit: float) -> float:
    if type(value) not in (int, float):
        raise MeasurementError(f'{kind} {str(value)[:40]}: a number expected')
    if not abs(value) <= limit:
        raise ImplausibleReading(f'{kind} {str(value)[:40]} is outside -{limit:g}..{limit:g}')
    return float(value)


def refusal_key(err: MeasurementError) -> str:
    """Return the counter key of a refused reading."""
    return 'implausible' if isinstance(err, ImplausibleReading) else 'malformed'
