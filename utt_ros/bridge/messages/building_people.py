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

"""People of a building -> message, and markers of them."""

from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
from builtin_interfaces.msg import Duration, Time
from geometry_msgs.msg import Point, Pose, Vector3
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from utt_ros.bridge.messages.markers import (
    BLUE,
    BODY,
    ELLIPSE,
    GREY,
    HEIGHT_M,
    LABEL,
    ORANGE,
    colored_marker,
    ellipse_marker,
)
from utt_ros.bridge.messages.sensors import to_time
from utt_ros.building.located_people import BuildingPerson
from utt_ros.map_pose import MAP_FRAME
from utt_ros.msg import People, Person

PERSON_LIFETIME = Duration(sec=2)
PERSON_SIZE_M = 0.4


def people_to_message(people: Iterable[BuildingPerson], stamp: Time) -> People:
    """Convert the people of a building."""
    return People(header=Header(stamp=stamp, frame_id=MAP_FRAME), people=[
        _person_to_message(person) for person in people])


def person_markers(
    people: Sequence[BuildingPerson], stamp: Time, vanished: Iterable[str] = (),
) -> MarkerArray:
    """Create position, 90 % ellipse and label per person; DELETE for vanished ones.

    Ids are fixed within the namespace people/<id>, so a marker replaces its predecessor.
    """
    header = Header(stamp=stamp, frame_id=MAP_FRAME)
    markers = []
    for person in people:
        make = partial(
            colored_marker, header, f'people/{person.subject}', lifetime=PERSON_LIFETIME)
        x, y, z = person.position_m
        color = ORANGE if any('camera' in each for each in person.sources) else BLUE
        markers += [
            make(BODY, Marker.SPHERE, color, pose=_pose(x, y, z + HEIGHT_M), scale=Vector3(
                x=PERSON_SIZE_M, y=PERSON_SIZE_M, z=PERSON_SIZE_M)),
            ellipse_marker(make, person.position_m, person.covariance, color),
            make(LABEL, Marker.TEXT_VIEW_FACING, GREY, pose=_pose(x, y, z + HEIGHT_M + 1.0),
                 scale=Vector3(z=0.5), text=f'{person.subject}\n{" + ".join(person.areas)}')]
    for subject in vanished:
        markers += [
            Marker(header=header, ns=f'people/{subject}', id=number, action=Marker.DELETE)
            for number in (BODY, ELLIPSE, LABEL)]
    return MarkerArray(markers=markers)


def _person_to_message(person: BuildingPerson) -> Person:
    x, y, z = person.position_m
    return Person(
        stamp=to_time(person.stamp_ns), id=person.subject, area=person.area,
        areas=list(person.areas), sources=list(person.sources), x=x, y=y, z=z,
        covariance=np.ravel(person.covariance), age=person.age_s)


def _pose(x: float, y: float, z: float) -> Pose:
    return Pose(position=Point(x=x, y=y, z=z))
