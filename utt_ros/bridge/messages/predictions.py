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

"""Serialized messages of a twin's predictions."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from geometry_msgs.msg import Point, PoseStamped, PoseWithCovarianceStamped, Vector3
from nav_msgs.msg import Path
from sensor_msgs.msg import Imu
from std_msgs.msg import Header

from utt_ros.bridge.messages.cdr_templates import CdrTemplate, Placeholders, fill_templates
from utt_ros.types import FloatArray

FLOOR_VARIANCE = 0.01  # of z [m^2]: positions are on the floor
UNKNOWN_VARIANCE = np.pi**2  # of roll, pitch and yaw [rad^2]: they are not predicted
PLANE = (0, 1, 6, 7)  # x and y in a 6 x 6 covariance
MAX_TEMPLATES = 1024


def subject_frame(area: str, subject: str) -> str:
    """Return the frame of a subject and its phone, a child of the area's."""
    return f'{area}/{subject}'


@lru_cache(maxsize=8)
def position_template(area: str) -> CdrTemplate:
    """PoseWithCovarianceStamped: x, y and their covariance (2, 2)."""
    slots = Placeholders()
    message = PoseWithCovarianceStamped(header=Header(stamp=slots.stamp(0), frame_id=area))
    message.pose.pose.position = Point(x=slots.number(0), y=slots.number(1), z=0.0)
    covariance = np.diag([0.0, 0.0, FLOOR_VARIANCE, *[UNKNOWN_VARIANCE] * 3]).ravel()
    covariance[list(PLANE)] = [slots.number(index) for index in range(2, 6)]
    message.pose.covariance = covariance
    return CdrTemplate(message, slots, 6, 1)


@lru_cache(maxsize=8)
def path_template(area: str, poses: int) -> CdrTemplate:
    """Path: x and y of each pose; stamp of the header, then of each pose."""
    slots = Placeholders()
    message = Path(header=Header(stamp=slots.stamp(0), frame_id=area))
    for index in range(poses):
        pose = PoseStamped(header=Header(stamp=slots.stamp(index + 1), frame_id=area))
        pose.pose.position = Point(x=slots.number(2 * index), y=slots.number(2 * index + 1), z=0.0)
        message.poses.append(pose)
    return CdrTemplate(message, slots, 2 * poses, poses + 1)


@lru_cache(maxsize=MAX_TEMPLATES)
def imu_template(frame: str) -> CdrTemplate:
    """Imu: acceleration, then angular velocity; orientation unknown (REP-145)."""
    slots = Placeholders()
    message = Imu(header=Header(stamp=slots.stamp(0), frame_id=frame))
    message.linear_acceleration = Vector3(x=slots.number(0), y=slots.number(1), z=slots.number(2))
    message.angular_velocity = Vector3(x=slots.number(3), y=slots.number(4), z=slots.number(5))
    message.orientation_covariance[0] = -1.0
    return CdrTemplate(message, slots, 6, 1)


def position_messages(
    area: str, position: FloatArray, covariance: FloatArray, stamp_ns: int,
) -> list[bytes]:
    """Serialize a message per subject: position (S, 2) [m], covariance (S, 2, 2) [m^2]."""
    numbers = np.concatenate([position, covariance.reshape(-1, 4)], axis=1)
    return position_template(area).fill(numbers, np.array([stamp_ns]))


def path_messages(
    area: str, trajectory: FloatArray, stamp_ns: int, future_ns: npt.NDArray[np.int64],
) -> list[bytes]:
    """Serialize a message per subject: trajectory (S, H, 2) [m] at H stamps [ns]."""
    subjects, poses = trajectory.shape[:2]
    stamps_ns = np.concatenate([[stamp_ns], future_ns])
    return path_template(area, poses).fill(trajectory.reshape(subjects, 2 * poses), stamps_ns)


def imu_messages(
    area: str, subjects: tuple[str, ...], rows: FloatArray, stamps_ns: npt.NDArray[np.int64],
) -> list[list[bytes]]:
    """Serialize one message per row, per subject: rows (S, C, 9) [IMU_CHANNELS].

    The magnetic field is left out.
    """
    templates = [imu_template(subject_frame(area, subject)) for subject in subjects]
    return fill_templates(templates, rows[:, :, :6], stamps_ns[:, None])
