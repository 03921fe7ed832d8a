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

"""Static frames (REP-103, REP-105): areas in `map`; their cameras and access points in them."""

from collections.abc import Iterable, Sequence
from math import pi
from typing import NamedTuple

from utt_ros.errors import SettingsError
from utt_ros.map_pose import MAP_FRAME
from utt_ros.settings import AreaSettings

FRAME_FLAG = '--frame'
_Vector = tuple[float, float, float]


class StaticFrame(NamedTuple):
    """Pose of a frame in its parent; roll, pitch and yaw are about fixed axes."""

    parent: str
    name: str
    position_m: _Vector
    rpy_rad: _Vector = (0.0, 0.0, 0.0)


def area_frames(area: AreaSettings) -> tuple[StaticFrame, ...]:
    """Return the static frames of an area: its own, a child of `map`, and the children of it."""
    camera = (0.0, 0.0, area.camera_height)
    pose = area.pose_in_map
    return (
        StaticFrame(MAP_FRAME, area.area, pose.position_m, (0.0, 0.0, pose.yaw)),
        StaticFrame(area.area, f'{area.area}/camera', camera, (0.0, area.camera_pitch, 0.0)),
        StaticFrame(area.area, f'{area.area}/camera_optical', camera,
                    (-pi / 2 - area.camera_pitch, 0.0, -pi / 2)),
        *(StaticFrame(area.area, name, (x, y, z))
          for name, (x, y, z) in zip(area.ap_frames, area.ap_positions, strict=True)))


def coinciding_areas(areas: Sequence[AreaSettings]) -> list[str]:
    """Return sentences about areas whose frames have the same origin in `map`."""
    poses = {area.area: area.pose_in_map for area in areas}
    sentences, seen = [], set[str]()
    for pose in poses.values():
        same = [other for other in poses if other not in seen and pose.is_at(poses[other])]
        seen.update(same)
        if len(same) > 1:
            x, y, z = pose.position_m
            sentences.append(
                f'{", ".join(same)} lie at the same place of the map, ({x:g}, {y:g}, {z:g}) m: '
                'give map_pose in their area files (docs/building.md)')
    return sentences


def frame_arguments(frames: Iterable[StaticFrame]) -> tuple[str, ...]:
    """Return the command line of the node that publishes frames; `read_frame` reads its words."""
    words: list[str] = []
    for frame in frames:
        numbers = (*frame.position_m, *frame.rpy_rad)
        # argparse takes a negative number with an exponent for a flag
        words += [FRAME_FLAG, frame.parent, frame.name, *(f'{value:.9f}' for value in numbers)]
    return tuple(words)


def read_frame(words: Iterable[str]) -> StaticFrame:
    """Return the frame of parent, name and six numbers. Raises SettingsError."""
    parent, name, *texts = words
    try:
        x, y, z, roll, pitch, yaw = map(float, texts)
    except ValueError as err:
        raise SettingsError(
            f'frame {name!r} has the pose {" ".join(texts)!r}: it must be six numbers') from err
    return StaticFrame(parent, name, (x, y, z), (roll, pitch, yaw))
