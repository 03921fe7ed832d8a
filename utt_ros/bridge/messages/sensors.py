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

"""Synced samples, camera tracks, ranges and IMU samples <-> messages."""

from array import array
from itertools import pairwise
from math import isnan
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Vector3
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Imu, MagneticField
from std_msgs.msg import Header

from utt_ros.access_point_list import MAX_ACCESS_POINTS
from utt_ros.drivers.types import Detections, FtmSample, InertialSample, MagneticSample
from utt_ros.errors import MeasurementError
from utt_ros.msg import FtmRange, SyncedSamples, Track, Tracks
from utt_ros.types import (
    BOX_FIELDS,
    CHANNELS,
    NS_PER_S,
    FloatArray,
    MaskArray,
    SyncedBatch,
    stamp_to_ns,
)

MAX_BATCH_SUBJECTS = 10_000
MAX_IMU_ROWS = 50
_M = TypeVar('_M')


def to_time(stamp_ns: int) -> Time:
    """Convert a stamp [ns] to a message."""
    return Time(sec=stamp_ns // NS_PER_S, nanosec=stamp_ns % NS_PER_S)


def to_ns(stamp: Time) -> int:
    """Convert a message to a stamp [ns]."""
    return stamp_to_ns(stamp)


def samples_to_message(batch: SyncedBatch, area: str) -> SyncedSamples:
    """Convert a tick; `area` is the frame."""
    return SyncedSamples(
        header=Header(stamp=to_time(batch.stamp_ns), frame_id=area),
        epoch=batch.epoch,
        sequence=batch.sequence,
        camera_tick=batch.camera_tick,
        subjects=list(batch.subjects),
        track_ids=list(batch.track_ids),
        association=_array('f', batch.association),
        camera=_array('f', batch.camera),
        camera_mask=_array('B', batch.camera_mask),
        ftm=_array('f', batch.ftm),
        ftm_age=_array('f', batch.ftm_age_s),
        ftm_mask=_array('B', batch.ftm_mask),
        further_aps=batch.further_ftm.shape[1],
        further_ftm=_array('f', batch.further_ftm),
        further_ftm_age=_array('f', batch.further_ftm_age_s),
        further_ftm_mask=_array('B', batch.further_ftm_mask),
        imu_rows=batch.imu.shape[1],
        imu=_array('f', batch.imu),
        imu_mask=_array('B', batch.imu_mask),
    )


def samples_from_message(message: SyncedSamples) -> SyncedBatch:
    """Convert a tick; the arrays of numbers are views of the message.

    Raises MeasurementError when a length does not match the number of subjects, or a number is not
    finite.
    """
    subjects, rows = tuple(message.subjects), int(message.imu_rows)
    count = len(subjects)
    if count > MAX_BATCH_SUBJECTS or not 1 <= rows <= MAX_IMU_ROWS:
        raise MeasurementError(f'{count} subjects with {rows} rows of IMU: at most '
                               f'{MAX_BATCH_SUBJECTS} with 1..{MAX_IMU_ROWS}')
    further = int(message.further_aps)
    if further >= MAX_ACCESS_POINTS:
        raise MeasurementError(f'{further} further access points: less than {MAX_ACCESS_POINTS}')
    if len(message.track_ids) != count:
        raise MeasurementError(f'track_ids has {len(message.track_ids)} values: {count} expected')
    if any(first >= second for first, second in pairwise(subjects)):
        raise MeasurementError('subjects are not sorted, or one is listed twice')
    camera, ftm, imu = (len(CHANNELS[name]) for name in ('camera', 'ftm', 'imu'))
    return SyncedBatch(
        stamp_ns=to_ns(message.header.stamp),
        epoch=int(message.epoch),
        sequence=int(message.sequence),
        camera_tick=bool(message.camera_tick),
        subjects=subjects,
        track_ids=tuple(message.track_ids),
        association=_numbers(message, 'association', (count,)),
        camera=_numbers(message, 'camera', (count, camera)),
        camera_mask=_mask(message, 'camera_mask', (count,)),
        ftm=_numbers(message, 'ftm', (count, ftm)),
        ftm_age_s=_numbers(message, 'ftm_age', (count,), finite=False),
        ftm_mask=_mask(message, 'ftm_mask', (count,)),
        imu=_numbers(message, 'imu', (count, rows, imu)),
        imu_mask=_mask(message, 'imu_mask', (count, rows)),
        further_ftm=_numbers(message, 'further_ftm', (count, further, ftm)),
        further_ftm_age_s=_numbers(message, 'further_ftm_age', (count, further), finite=False),
        further_ftm_mask=_mask(message, 'further_ftm_mask', (count, further)),
    )


def tracks_from_message(
    message: Tracks,
) -> tuple[int, FloatArray, list[str], list[str], FloatArray]:
    """Return stamp [ns], boxes (N, 5), subjects, track ids and confidences (N,) of a frame."""
    tracks = message.tracks
    boxes = np.array(
        [[getattr(track, name) for name in BOX_FIELDS] for track in tracks], np.float32)
    confidence = np.array([track.confidence for track in tracks], np.float32)
    return (to_ns(message.header.stamp), boxes.reshape(len(tracks), len(BOX_FIELDS)),
            [track.subject for track in tracks], [track.track_id for track in tracks], confidence)


def ftm_from_message(message: FtmRange) -> tuple[int, float, float, str]:
    """Return stamp [ns], range and its standard deviation [m], address of the access point."""
    return to_ns(message.header.stamp), message.range, message.range_std, message.ap


def ftm_to_message(sample: FtmSample, frame: str, unknown_std_m: float) -> FtmRange:
    """Convert a range; `unknown_std_m` replaces an unknown (NaN) standard deviation."""
    return FtmRange(
        header=Header(stamp=to_time(sample.stamp_ns), frame_id=frame),
        phone=sample.phone, ap=sample.ap, range=sample.range_m,
        range_std=unknown_std_m if isnan(sample.std_m) else sample.std_m,
        rssi=sample.rssi_dbm, attempted=sample.attempted, successful=sample.successful)


def tracks_to_message(header: Header, people: Detections) -> Tracks:
    """Convert the tracks of one frame; detections without a track id are left out."""
    names = people.track_ids or ('',) * len(people.boxes)
    rows = zip(names, people.boxes.tolist(), people.confidence.tolist(), strict=True)
    return Tracks(header=header, tracks=[
        Track(track_id=name, center_x=box[0], center_y=box[1], depth=box[2], width=box[3],
              height=box[4], confidence=confidence)
        for name, box, confidence in rows if name])


def inertial_to_message(sample: InertialSample, frame: str) -> Imu:
    """Convert without orientation (covariance -1, REP-145)."""
    message = Imu(
        header=Header(stamp=to_time(sample.stamp_ns), frame_id=frame),
        linear_acceleration=_vector(sample.accel), angular_velocity=_vector(sample.gyro))
    message.orientation_covariance[0] = -1.0
    return message


def magnetic_to_message(sample: MagneticSample, frame: str) -> MagneticField:
    """Convert a magnetic field [T]."""
    return MagneticField(
        header=Header(stamp=to_time(sample.stamp_ns), frame_id=frame),
        magnetic_field=_vector(sample.field))


def deserialize(kind: type[_M], data: bytes) -> _M:
    """Deserialize a message. Raises MeasurementError for bytes that are not of that type."""
    try:
        message: _M = deserialize_message(data, kind)
    except Exception as err:  # the middleware has no error type of its own
        raise MeasurementError(f'{len(data)} bytes are not a {kind.__name__}: {err}') from err
    return message


def _array(kind: str, values: npt.NDArray[Any]) -> 'array[Any]':
    """Convert to the value of a field; rclpy copies array.array at once, numpy item by item."""
    filled: array[Any] = array(kind)
    filled.frombytes(np.ascontiguousarray(values).tobytes())
    return filled


def _numbers(
    message: SyncedSamples, name: str, shape: tuple[int, ...], *, finite: bool = True
) -> FloatArray:
    values = _field(message, name, np.float32, shape)
    if not np.isfinite(values).all() and (finite or np.isnan(values).any()):
        raise MeasurementError(f'{name} has a number that is not finite')
    return values


def _mask(message: SyncedSamples, name: str, shape: tuple[int, ...]) -> MaskArray:
    return np.asarray(_field(message, name, np.uint8, shape) != 0)


def _field(
    message: SyncedSamples, name: str, kind: type[np.generic], shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    values = np.frombuffer(getattr(message, name), kind)
    if values.size != np.prod(shape, dtype=np.int64):
        raise MeasurementError(f'{name} has {values.size} values: {shape} expected')
    return values.reshape(shape)


def _vector(values: FloatArray) -> Vector3:
    x, y, z = values.tolist()
    return Vector3(x=x, y=y, z=z)
