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

"""Deployed task twins <-> messages, and measurements of virtual sensors -> sensor messages."""

from array import array
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Vector3
from sensor_msgs.msg import Imu, MagneticField
from std_msgs.msg import Header

from utt_ros.bridge.messages.cdr_templates import CdrTemplate, Placeholders, fill_templates
from utt_ros.bridge.messages.federation import (
    NO_CHECKSUM,
    byte_array,
    check_area,
    seal_fields,
    seal_from_message,
)
from utt_ros.bridge.messages.predictions import MAX_TEMPLATES, subject_frame
from utt_ros.bridge.messages.sensors import ftm_to_message, to_time
from utt_ros.drivers.types import FtmSample
from utt_ros.federation.signing import Verifier
from utt_ros.federation.types import TaskDeployment
from utt_ros.federation.wire import check_checksum
from utt_ros.msg import DeployedTwin, FtmRange, Track, Tracks
from utt_ros.twin.virtual_sensors import VirtualMeasurements
from utt_ros.types import BOX_FIELDS, Stamps

DIAGONAL = (0, 4, 8)  # of a 3 x 3 covariance
VIRTUAL_TOPICS: dict[str, dict[str, type]] = {  # target modality -> topic, with the phone as {}
    'camera': {'camera/tracks': Tracks, 'camera/tracks_std': Tracks},
    'ftm': {'phones/{}/ftm': FtmRange},
    'imu': {'phones/{}/imu/data_raw': Imu, 'phones/{}/imu/mag': MagneticField},
}
TopicMessage = tuple[str, Any]  # topic and a message, or its bytes


def task_deployment_to_message(deployment: TaskDeployment, stamp: Time) -> DeployedTwin:
    """Convert a deployment; `stamp`: creation of the graph."""
    return DeployedTwin(
        header=Header(stamp=stamp), area=deployment.area, id=deployment.id,
        sources=list(deployment.sources), target=deployment.target,
        federation=deployment.federation, round=deployment.round, config=deployment.config,
        std=array('f', deployment.std), checksum=deployment.checksum,
        payload=byte_array(deployment.graph), **seal_fields(deployment.seal))


def task_deployment_from_message(
    message: DeployedTwin, verifier: Verifier | None = None, area: str = '',
) -> TaskDeployment:
    """Convert a deployment after its seal is verified, which may be repeated.

    `area`: the only one that is accepted; empty: any. Raises SignatureRefused, and ModelError when
    the graph does not match its checksum.
    """
    check_area(message.area, area)
    graph = bytes(message.payload)
    deployment = TaskDeployment(
        message.area, message.id, tuple(message.sources), message.target, message.federation,
        message.round, message.config, tuple(message.std), graph,
        message.checksum or NO_CHECKSUM, seal_from_message(message))
    if verifier is not None:
        verifier.verify(deployment, deployment.seal, repeated=True)
    check_checksum(graph, message.checksum, 'graph')
    return deployment


def virtual_messages(
    target: str, area: str, made: VirtualMeasurements, stamp_ns: int, imu_stamps_ns: Stamps,
) -> Iterator[TopicMessage]:
    """Yield the messages of a tick with their topics, in the sensor's frames and units.

    `imu_stamps_ns` (C,) are those of IMU rows, `stamp_ns` of all else.
    """
    yield from _CONVERSIONS[target](area, made, stamp_ns, imu_stamps_ns)


def _tracks(
    area: str, made: VirtualMeasurements, stamp_ns: int, _rows_ns: Stamps,
) -> Iterator[TopicMessage]:
    """Boxes, then their standard deviations; the track is the subject."""
    header = Header(stamp=to_time(stamp_ns), frame_id=f'{area}/camera_optical')
    spread = np.broadcast_to(made.std, made.values[:, 0].shape)
    for topic, boxes in (('camera/tracks', made.values[:, 0]), ('camera/tracks_std', spread)):
        yield topic, Tracks(header=header, tracks=[
            Track(track_id=name, subject=name, confidence=1.0,
                  **dict(zip(BOX_FIELDS, box, strict=True)))
            for name, box in zip(made.subjects, boxes.tolist(), strict=True)])


def _ranges(
    area: str, made: VirtualMeasurements, stamp_ns: int, _rows_ns: Stamps,
) -> Iterator[TopicMessage]:
    """Ranges; their std is that of the residual or, where it is unknown, of a burst."""
    judged = bool(np.isfinite(made.std[0]))
    for phone, (range_m, burst_m) in zip(
            made.subjects, made.values[:, 0].tolist(), strict=True):
        std_m = float(made.std[0]) if judged else abs(burst_m)
        sample = FtmSample(phone, stamp_ns, range_m, std_m)
        yield f'phones/{phone}/ftm', ftm_to_message(sample, f'{area}/ap', std_m)


def _inertial(
    area: str, made: VirtualMeasurements, _stamp_ns: int, rows_ns: Stamps,
) -> Iterator[TopicMessage]:
    """IMU rows; a covariance of 0 is unknown (REP-145)."""
    variance = np.broadcast_to(np.nan_to_num(made.std) ** 2, made.values.shape)
    for topic, template, channels in (
            ('phones/{}/imu/data_raw', inertial_template, slice(0, 6)),
            ('phones/{}/imu/mag', magnetic_template, slice(6, 9))):
        numbers = np.concatenate([made.values[..., channels], variance[..., channels]], axis=-1)
        templates = [template(subject_frame(area, phone)) for phone in made.subjects]
        messages = fill_templates(templates, numbers, rows_ns[:, None])
        for phone, of_phone in zip(made.subjects, messages, strict=True):
            for data in of_phone:
                yield topic.format(phone), data


@lru_cache(maxsize=MAX_TEMPLATES)
def inertial_template(frame: str) -> CdrTemplate:
    """Imu: acceleration, angular velocity, then their variances; orientation unknown."""
    slots = Placeholders()
    message = Imu(header=Header(stamp=slots.stamp(0), frame_id=frame))
    message.orientation_covariance[0] = -1.0
    message.linear_acceleration, message.angular_velocity = _vector(slots, 0), _vector(slots, 3)
    for axis, index in enumerate(DIAGONAL):
        message.linear_acceleration_covariance[index] = slots.number(6 + axis)
        message.angular_velocity_covariance[index] = slots.number(9 + axis)
    return CdrTemplate(message, slots, 12, 1)


@lru_cache(maxsize=MAX_TEMPLATES)
def magnetic_template(frame: str) -> CdrTemplate:
    """MagneticField: field, then its variances."""
    slots = Placeholders()
    message = MagneticField(header=Header(stamp=slots.stamp(0), frame_id=frame))
    message.magnetic_field = _vector(slots, 0)
    for axis, index in enumerate(DIAGONAL):
        message.magnetic_field_covariance[index] = slots.number(3 + axis)
    return CdrTemplate(message, slots, 6, 1)


def _vector(slots: Placeholders, first: int) -> Vector3:
    return Vector3(x=slots.number(first), y=slots.number(first + 1), z=slots.number(first + 2))


_CONVERSIONS: dict[
    str, Callable[[str, VirtualMeasurements, int, Stamps], Iterator[TopicMessage]]] = {
        'camera': _tracks, 'ftm': _ranges, 'imu': _inertial}
