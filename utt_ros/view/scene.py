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

"""Scene of a view: newest state of a building, from the messages of any source.

Times are of one clock of the source [ns]: steady for live topics, that of the log for a bag.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from utt_ros.building.located_people import BuildingPeople, BuildingPerson
from utt_ros.errors import UttError
from utt_ros.map_pose import MapPose
from utt_ros.orchestration.system_status import SystemStatus, printable
from utt_ros.sensor_limits import is_name
from utt_ros.types import NS_PER_S, Array
from utt_ros.view.area_layout import AreaPlace, lay_out_areas
from utt_ros.view.camera_picture import CameraPicture
from utt_ros.view.federation_history import FederationHistory
from utt_ros.view.floor_image import FloorImage, floor_image
from utt_ros.view.person_signals import PersonSignals
from utt_ros.view.person_trails import PersonTrails
from utt_ros.view.scene_messages import (
    AreaOutline,
    read_area_pose,
    read_future,
    read_outline,
    read_position,
    read_scene_message,
    read_truth,
)
from utt_ros.view.shown_topics import NEWEST_ONLY, ShownTopic

MAX_FUTURE_AGE_NS = 2 * NS_PER_S
MAX_TRUTH_AGE_NS = NS_PER_S
MAX_SCENE_AREAS = 256
MAX_SCENE_NAMES = 8192  # of futures and truths
TRUTH_SOURCE = 'ground truth'
TRUTH_COVARIANCE = np.eye(2) * 1e-3
CAMERA = 'camera'


@dataclass(slots=True)
class SceneArea:
    """Area: its namespace, name, pose in `map`, shapes, and whether its twin was heard."""

    root: str
    name: str
    pose: MapPose = field(default_factory=MapPose)
    outline: AreaOutline | None = None
    has_twin: bool = False


@dataclass(frozen=True, slots=True)
class ScenePerson:
    """Somebody as drawn: positions are those of the drawn floor [m]."""

    key: tuple[int, str]  # floor and name
    name: str
    title: str  # the name, with an area where several floors have people of one name
    root: str  # namespace of the surest area
    sources: str  # such as 'camera+ftm+imu'
    position: Array  # (3,)
    covariance: Array  # (2, 2) [m^2]
    future: Array  # (H, 2), empty when there is none
    trail: Array  # (N, 2)

    @property
    def is_seen(self) -> bool:
        """Whether the position stands on a camera."""
        return CAMERA in self.sources


class Scene:
    """Newest state of a building. For one thread."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.refused = 0
        self.refusal = ''
        self.areas: dict[str, SceneArea] = {}  # by namespace
        self.floor: FloorImage | None = None
        self.status = SystemStatus()
        self.federation = FederationHistory()
        self.signals = PersonSignals()
        self.picture = CameraPicture()
        self.version = 0  # grows when areas, their shapes or the floor change
        self._places: dict[str, AreaPlace] = {}  # by namespace
        self._floor_names: dict[int, str] = {}  # first area of each floor
        self.forget_motion()
        self._readers: dict[str, Callable[[ShownTopic, bytes], None]] = {
            'status': self._on_status, 'position': self._on_position, 'future': self._on_future,
            'outline': self._on_outline, 'truth': self._on_truth, 'floor': self._on_floor}

    def forget_motion(self) -> None:
        """Forget what moves, as after a jump in time."""
        self._people: dict[int, BuildingPeople] = {}  # by floor
        self._futures: dict[tuple[str, str], tuple[int, Array]] = {}
        self._truths: dict[tuple[str, str], tuple[int, Array]] = {}
        self._trails = PersonTrails()
        self.signals.clear()

    def receive(self, topic: ShownTopic, messages: Sequence[bytes]) -> None:
        """Take messages of a topic, in order. What cannot be read is counted in `refused`."""
        if topic.kind in NEWEST_ONLY:
            messages = messages[-1:]
        try:
            if topic.kind in self._readers:
                for data in messages:
                    self._readers[topic.kind](topic, data)
            elif not (self.signals.receive(topic, messages)
                      or self.picture.receive(topic, messages)):
                for data in messages:
                    self.federation.receive(topic, read_scene_message(data, topic.type))
        except UttError as err:
            self.refused += 1
            self.refusal = printable(f'{topic.name}: {err}')

    def area_of(self, root: str) -> SceneArea:
        """Return the area of a namespace, which is known from now on. Raises UttError."""
        if root not in self.areas:
            if len(self.areas) >= MAX_SCENE_AREAS:
                raise UttError(f'{root} is one area too many: at most {MAX_SCENE_AREAS}')
            self.areas[root] = SceneArea(root, root.rpartition('/')[2])
            self._change_areas()
        return self.areas[root]

    def set_area(self, root: str, pose: MapPose, outline: AreaOutline | None = None) -> None:
        """Set pose and, where it is given, the shapes of an area."""
        area = self.area_of(root)
        if area.pose != pose or (outline is not None and area.outline is None):
            area.pose, area.outline = pose, outline or area.outline
            self._change_areas()

    def place(self, root: str) -> AreaPlace:
        """Return the floor and the pose of a known area there."""
        return self._places[root]

    def people(self) -> list[ScenePerson]:
        """Return everybody with a recent position, sorted by floor and name; extend trails."""
        shown = [self._person(floor, person) for floor, people in sorted(self._people.items())
                 for person in people.people(self.now_ns)]
        self._trails.keep_only([person.key for person in shown])
        return shown

    def truths(self) -> Array:
        """Return the recent true positions (N, 3) [m] of areas that have a twin as well."""
        places = [
            self._to_floor(root, position) for (root, _), (at_ns, position) in self._truths.items()
            if 0 <= self.now_ns - at_ns <= MAX_TRUTH_AGE_NS and self.areas[root].has_twin]
        return np.array(places, np.float64).reshape(-1, 3)

    def _person(self, floor: int, person: BuildingPerson) -> ScenePerson:
        key, root = (floor, person.subject), person.area
        position = np.array(person.position_m)
        self._trails.add(key, position[:2], self.now_ns)
        at_ns, future = self._futures.get((root, person.subject), (0, np.empty((0, 2))))
        if not 0 <= self.now_ns - at_ns <= MAX_FUTURE_AGE_NS:
            future = future[:0]
        words = [word for text in person.sources for word in text.split('+') if word]
        return ScenePerson(
            key, person.subject, self._title(floor, person.subject), root,
            '+'.join(dict.fromkeys(words)), position, person.covariance,
            self.place(root).pose.to_map(future) if len(future) else future,
            self._trails.trail(key, self.now_ns))

    def _title(self, floor: int, name: str) -> str:
        return f'{name} ({self._floor_names[floor]})' if len(self._floor_names) > 1 else name

    def _to_floor(self, root: str, position: Array) -> Array:
        pose = self.place(root).pose
        return np.array([*pose.to_map(position[None])[0], pose.z])

    def _people_of(self, root: str, sources: dict[str, str] | None = None) -> BuildingPeople:
        """Return the people of the floor of an area, which is known to them from now on."""
        self.area_of(root)
        floor, pose = self.place(root)
        people = self._people.setdefault(floor, BuildingPeople())
        if sources is not None or root not in people.areas:
            people.update_area(root, pose, sources or {}, self.now_ns)
        return people

    def _on_status(self, topic: ShownTopic, data: bytes) -> None:
        message = read_scene_message(data, topic.type)
        area = self.area_of(topic.root)
        area.has_twin = True
        if is_name(message.area) and message.area != area.name:
            area.name = message.area
            self._change_areas()
        self.set_area(topic.root, read_area_pose(message))
        pairs = zip(message.subjects, message.sources, message.position_std, strict=False)
        people = [(name, printable(sources), float(std)) for name, sources, std in pairs]
        self._people_of(topic.root, {name: sources for name, sources, _ in people})
        self.federation.update_status(self.status, area.name, message, people, self.now_ns)

    def _on_position(self, topic: ShownTopic, data: bytes) -> None:
        stamp_ns, position, covariance = read_position(data)
        self.area_of(topic.root).has_twin = True
        self._people_of(topic.root).update_position(
            topic.root, topic.subject, position, covariance, stamp_ns=stamp_ns,
            now_ns=self.now_ns)

    def _on_future(self, topic: ShownTopic, data: bytes) -> None:
        self.area_of(topic.root)
        _put(self._futures, (topic.root, topic.subject), (self.now_ns, read_future(data)))

    def _on_truth(self, topic: ShownTopic, data: bytes) -> None:
        stamp_ns, position = read_truth(data)
        area = self.area_of(topic.root)
        _put(self._truths, (topic.root, topic.subject), (self.now_ns, position))
        if not area.has_twin:  # a recording of measurements: nobody else locates people
            people = self._people_of(topic.root, {
                name: TRUTH_SOURCE for root, name in self._truths if root == topic.root})
            people.update_position(topic.root, topic.subject, position, TRUTH_COVARIANCE,
                                   stamp_ns=stamp_ns, now_ns=self.now_ns)

    def _on_outline(self, topic: ShownTopic, data: bytes) -> None:
        outline = read_outline(data)
        if outline is not None:
            area = self.area_of(topic.root)
            self.set_area(topic.root, area.pose, outline)

    def _on_floor(self, topic: ShownTopic, data: bytes) -> None:
        self.floor = floor_image(read_scene_message(data, topic.type))
        self.version += 1

    def _change_areas(self) -> None:
        places = lay_out_areas({root: area.pose for root, area in self.areas.items()})
        if any(places[root] != place for root, place in self._places.items()):
            self._people = {}  # of other floors or poses
        self._places = places
        self._floor_names = {
            place.floor: self.areas[root].name
            for root, place in sorted(self._places.items(), reverse=True)}
        self.version += 1


def _put(kept: dict[tuple[str, str], Any], key: tuple[str, str], value: Any) -> None:
    """Keep the newest value of a name, and of the names those that were heard last."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > MAX_SCENE_NAMES:
        del kept[next(iter(kept))]
