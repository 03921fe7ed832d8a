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

"""Topics that a view shows, by name and type."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MAX_SHOWN_TOPICS = 4096
_ROOT, _NAME = r'(?P<root>(?:/\w+)+)', r'\w+'
_PHONE = rf'phones/(?P<subject>{_NAME})'
_VIRTUAL = rf'{_ROOT}/twins/(?P<twin>{_NAME})'
PATTERNS: tuple[tuple[str, str, str], ...] = (  # kind, type, name; the first match counts
    ('status', 'utt_ros/msg/TwinStatus', rf'{_ROOT}/twin_status'),
    ('position', 'geometry_msgs/msg/PoseWithCovarianceStamped',
     rf'{_ROOT}/twins/(?P<subject>{_NAME})/position'),
    ('future', 'nav_msgs/msg/Path', rf'{_ROOT}/twins/(?P<subject>{_NAME})/trajectory'),
    ('outline', 'visualization_msgs/msg/MarkerArray', rf'{_ROOT}/markers'),
    ('metrics', 'utt_ros/msg/TrainingMetrics', rf'{_ROOT}/training_metrics'),
    ('truth', 'nav_msgs/msg/Odometry', rf'{_ROOT}/truth/(?P<subject>{_NAME})/odom'),
    ('synced', 'utt_ros/msg/SyncedSamples', rf'{_ROOT}/synced'),
    ('virtual_camera', 'utt_ros/msg/Tracks', rf'{_VIRTUAL}/camera/tracks'),
    ('virtual_ftm', 'utt_ros/msg/FtmRange', rf'{_VIRTUAL}/{_PHONE}/ftm'),
    ('virtual_imu', 'sensor_msgs/msg/Imu', rf'{_VIRTUAL}/{_PHONE}/imu/data_raw'),
    ('virtual_mag', 'sensor_msgs/msg/MagneticField', rf'{_VIRTUAL}/{_PHONE}/imu/mag'),
    ('twin_imu', 'sensor_msgs/msg/Imu', rf'{_ROOT}/twins/(?P<subject>{_NAME})/imu'),
    ('boxes', 'utt_ros/msg/Tracks', rf'{_ROOT}/camera/tracks'),
    ('image', 'sensor_msgs/msg/Image', rf'{_ROOT}/camera/image_raw'),
    ('camera_info', 'sensor_msgs/msg/CameraInfo', rf'{_ROOT}/camera/camera_info'),
    ('rounds', 'utt_ros/msg/RoundStatus', r'(?P<root>(?:/\w+)*/utt)/rounds'),
    ('twins', 'utt_ros/msg/TaskTwins', r'(?P<root>(?:/\w+)*/utt)/twins'),
    ('floor', 'nav_msgs/msg/OccupancyGrid', r'(?P<root>(?:/\w+)*)/map'),
)
_COMPILED = tuple((kind, type_, re.compile(name, re.ASCII)) for kind, type_, name in PATTERNS)
STATES = frozenset({'rounds', 'twins', 'floor', 'metrics'})  # seldom published
# Of these only the newest message of a topic is read.
NEWEST_ONLY = frozenset({
    'status', 'position', 'future', 'truth', 'boxes', 'virtual_camera', 'image', 'camera_info'})
SIGNALS = frozenset({'synced', 'virtual_ftm', 'virtual_imu', 'virtual_mag', 'twin_imu'})
PICTURE = frozenset({'image', 'camera_info', 'boxes'})


@dataclass(frozen=True, slots=True)
class ShownTopic:
    """Topic of a kind: namespace of its area, and the subject or task twin that it is about."""

    name: str
    type: str
    kind: str
    root: str
    subject: str = ''
    twin: str = ''


def match_topic(name: str, types: Iterable[str]) -> ShownTopic | None:
    """Return the topic when a view shows topics of this name and type."""
    for kind, type_, pattern in _COMPILED:
        match = pattern.fullmatch(name)
        if match and type_ in types:
            found = match.groupdict()
            return ShownTopic(
                name, type_, kind, found['root'], found.get('subject', ''), found.get('twin', ''))
    return None
