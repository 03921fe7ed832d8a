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

"""Wire formats of phone apps, as the phones of the live demonstration send them."""

import json
from collections.abc import Sequence

import numpy as np
from scipy.signal import lfilter

from utt_ros.types import NS_PER_MS, FloatArray, PhoneStreams, Stamps

SensorReadings = dict[str, tuple[Stamps, FloatArray]]  # by sensor: stamps (N,) [ns], (N, 3)

GRAVITY_SHARE = 0.02  # of a new reading in a phone's estimate of gravity
MICROTESLA_PER_T = 1e6


def sensor_logger_body(device: str, readings: SensorReadings) -> bytes:
    """Encode the body of a Sensor Logger push."""
    payload = [
        {'name': name, 'time': stamp, 'accuracy': 3, 'values': dict(zip('xyz', row, strict=True))}
        for name, (stamps, values) in readings.items()
        for stamp, row in zip(stamps.tolist(), values.round(6).tolist(), strict=True)]
    return json.dumps({'messageId': 1, 'sessionId': device, 'deviceId': device,
                       'payload': payload}).encode()


def ranging_results(
    device: str, aps: Sequence[str], boot_ns: Stamps, ftm: FloatArray, signal: FloatArray,
) -> list[bytes]:
    """Encode N RangingResults of Android, a datagram each: ftm (N, 2) [m], signal (N, 3).

    `aps`: N addresses.
    """
    millimetres, counts = np.rint(1000 * ftm).astype(int), np.rint(signal).astype(int)
    rows = zip((boot_ns // NS_PER_MS).tolist(), aps, millimetres.tolist(), counts.tolist(),
               strict=True)
    return [json.dumps({
        'deviceId': device, 'mac': ap, 'status': 0, 'distanceMm': distance,
        'distanceStdDevMm': std, 'rssi': rssi, 'numAttemptedMeasurements': attempted,
        'numSuccessfulMeasurements': successful, 'rangingTimestampMillis': stamp}).encode() + b'\n'
        for stamp, ap, (distance, std), (rssi, attempted, successful) in rows]


def sensor_logger_readings(streams: PhoneStreams) -> SensorReadings:
    """Split gravity from acceleration and name the sensors as Sensor Logger does; field in uT."""
    stamps, accel = streams.inertial_stamps_ns, streams.inertial[:, :3].astype(np.float64)
    share = GRAVITY_SHARE
    gravity, _ = lfilter([share], [1, share - 1], accel, axis=0, zi=(1 - share) * accel[:1])
    return {
        'accelerometer': (stamps, (accel - gravity).astype(np.float32)),
        'gravity': (stamps, gravity.astype(np.float32)),
        'gyroscope': (stamps, streams.inertial[:, 3:]),
        'magnetometer': (streams.magnetic_stamps_ns, MICROTESLA_PER_T * streams.magnetic)}
