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

"""Physical limits of sensors and of names: measurements outside them are refused."""

import numpy as np

from utt_ros.types import NS_PER_S, FloatArray, MaskArray

STAMP_LIMITS_NS = (1, 2**62)
ROS_STAMP_END_NS = 2**31 * NS_PER_S  # of the seconds of a message, which have 32 bits and a sign
MAX_ACCEL_MPS2 = 500.0  # phones measure up to 8 or 16 g; drops and other scales included
MAX_GYRO_RADPS = 100.0  # phones measure up to 2000 deg/s = 35 rad/s
MAX_MAGNETIC_T = 0.01  # a hundred times the field of the earth; phones measure up to 5 mT
RANGE_LIMITS_M = (-50.0, 300.0)  # Android reports negative ranges close to the access point
MAX_RANGE_STD_M = 300.0
MAX_BOX_PX = 1e5
MAX_DEPTH_M = 1000.0
MAX_FRAME_BOXES = 256  # in one frame
MAX_SUBJECT_NAME_LENGTH = 64


def is_ros_stamp(stamp_ns: int) -> bool:
    """Return whether the stamp of a message is after 0 and can be that of another message."""
    return STAMP_LIMITS_NS[0] <= stamp_ns < ROS_STAMP_END_NS


def is_name(name: str, max_length: int = MAX_SUBJECT_NAME_LENGTH) -> bool:
    """Return whether a name, by default a subject's, can be part of a topic name."""
    return (name.isidentifier() and name.isascii() and '__' not in name
            and len(name) <= max_length)


def check_boxes(boxes: FloatArray) -> tuple[MaskArray, MaskArray]:
    """Return masks (N,) of finite boxes (N, 5) and of boxes within limits.

    A depth that is not finite is unknown and within limits.
    """
    plane = boxes[:, (0, 1, 3, 4)]
    depth = boxes[:, 2]
    is_depth = ~np.isfinite(depth) | ((depth > 0.0) & (depth <= MAX_DEPTH_M))
    is_inside = np.all(np.abs(plane) <= MAX_BOX_PX, axis=1)
    has_area = np.all(plane[:, 2:] > 0.0, axis=1)
    return np.all(np.isfinite(plane), axis=1), is_inside & has_area & is_depth
