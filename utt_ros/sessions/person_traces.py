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

"""Traces of people in the messages of a recording: topics, rows of lists, camera tracks, names."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from utt_ros.cdr import FTM_RANGE, IMU, MAGNETIC_FIELD, ODOMETRY, POSE
from utt_ros.sessions.bag_streams import CAMERA_INFO, TRACKS
from utt_ros.sessions.message_types import typestore
from utt_ros.sessions.recorded_topics import PICTURE_TYPES

SYNCED, STATUS = 'utt_ros/msg/SyncedSamples', 'utt_ros/msg/TwinStatus'
PEOPLE, BELIEFS = 'utt_ros/msg/People', 'utt_ros/msg/SubjectBeliefs'
OBSERVED_TYPES = frozenset({TRACKS, SYNCED, STATUS})  # which tell tracks and rounds of a person
NAMELESS_TYPES = frozenset({  # whose topic alone tells the person, or that hold weights
    IMU.type, MAGNETIC_FIELD.type, ODOMETRY.type, FTM_RANGE.type, POSE.type, CAMERA_INFO,
    'nav_msgs/msg/Path', 'nav_msgs/msg/OccupancyGrid', 'rosgraph_msgs/msg/Clock',
    'utt_ros/msg/ModelUpdate', 'utt_ros/msg/GlobalModel', 'utt_ros/msg/DeployedModel',
    'utt_ros/msg/DeployedTwin'})
SYNCED_ROWS = (  # numbers per subject; those of further access points by their number
    'association', 'camera', 'camera_mask', 'ftm', 'ftm_age', 'ftm_mask', 'further_ftm',
    'further_ftm_age', 'further_ftm_mask', 'imu', 'imu_mask')


class PersonTraces:
    """Finds and removes the traces of people, by the names that they have in topics.

    `observe` gets every message of OBSERVED_TYPES before `strip` gets any: a camera track that was
    once theirs is theirs in all frames.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        words = '|'.join(re.escape(name) for name in sorted(self._names))
        self._word = re.compile(rf'(?<![A-Za-z0-9_])(?:{words})(?![A-Za-z0-9_])'.encode())
        self._track_ids: dict[str, set[str]] = defaultdict(set)  # by area
        self.rounds: dict[str, set[int]] = defaultdict(set)  # of models in use while seen, by area
        self._edits: dict[str, Callable[[str, Any], bool]] = {
            TRACKS: self._strip_tracks, SYNCED: self._strip_samples, STATUS: self._strip_status,
            PEOPLE: self._strip_people, BELIEFS: self._strip_beliefs}

    def is_own(self, topic: str) -> bool:
        """Return whether a whole topic is about the people."""
        return not self._names.isdisjoint(topic.split('/'))

    def mentions(self, data: bytes) -> bool:
        """Return whether a message or text holds a name."""
        return self._word.search(data) is not None

    def observe(self, topic: str, kind: str, data: bytes) -> None:
        """Note the camera tracks, and the rounds of models, of the people."""
        if not self.mentions(data):
            return
        message: Any = typestore().deserialize_cdr(data, kind)
        area = topic.split('/')[1]
        if kind == TRACKS:
            self._track_ids[area] |= {
                track.track_id for track in message.tracks if track.subject in self._names}
        elif kind == SYNCED:
            self._track_ids[area] |= {
                track for subject, track in zip(message.subjects, message.track_ids, strict=False)
                if subject in self._names and track}
        elif kind == STATUS and not self._names.isdisjoint(message.subjects):
            self.rounds[area].add(int(message.round))

    def strip(self, topic: str, kind: str, data: bytes) -> bytes | None:
        """Return a message without the people, the same object where they are not in it.

        None: nothing of it may stay. Pictures never stay: who is in them is not known.
        """
        if self.is_own(topic) or kind in PICTURE_TYPES:
            return None
        if kind in NAMELESS_TYPES:
            return data
        area = topic.split('/')[1]
        has_tracks = kind in (TRACKS, SYNCED) and bool(self._track_ids.get(area))
        if kind in self._edits and (has_tracks or self.mentions(data)):
            message: Any = typestore().deserialize_cdr(data, kind)
            if not self._edits[kind](area, message):
                return data
            data = bytes(typestore().serialize_cdr(message, kind))
        return None if self.mentions(data) else data

    def _strip_tracks(self, area: str, message: Any) -> bool:
        kept = [track for track in message.tracks if track.subject not in self._names
                and track.track_id not in self._track_ids[area]]
        changed = len(kept) < len(message.tracks)
        message.tracks = kept
        return changed

    def _strip_samples(self, area: str, message: Any) -> bool:
        """Remove rows of the people, and boxes of their tracks from the rows of others."""
        ids = self._track_ids[area]
        strangers = [row for row, track in enumerate(message.track_ids) if track in ids]
        for field in ('association', 'camera', 'camera_mask') if strangers else ():
            setattr(message, field, np.array(getattr(message, field)))  # decoded ones are views
        for row in strangers:
            message.track_ids[row] = ''
            message.association[row] = 0.0
            message.camera_mask[row] = 0
            message.camera.reshape(-1, 5)[row] = 0.0
        return self._remove_rows(message, SYNCED_ROWS, ('track_ids',)) or bool(strangers)

    def _strip_status(self, _: str, message: Any) -> bool:
        changed = self._remove_rows(message, ('position_std',), ('sources',))
        if self.mentions(message.note.encode()):
            message.note, changed = '', True
        return changed

    def _strip_people(self, _: str, message: Any) -> bool:
        kept = [person for person in message.people if person.id not in self._names]
        changed = len(kept) < len(message.people)
        message.people = kept
        return changed

    def _strip_beliefs(self, _: str, message: Any) -> bool:
        """Remove rows; the signature, which is of the whole, goes as well."""
        changed = self._remove_rows(message, ('mean', 'covariance', 'motion', 'guided'), ())
        if changed:
            message.key_id, message.counter, message.signature = '', 0, np.zeros(0, np.uint8)
        return changed

    def _remove_rows(
        self, message: Any, numbers: Sequence[str], texts: Sequence[str],
    ) -> bool:
        """Remove the people's rows from parallel lists; return whether there were any."""
        kept = [row for row, name in enumerate(message.subjects) if name not in self._names]
        count = len(message.subjects)
        if len(kept) == count:
            return False
        for field in numbers:
            values = np.asarray(getattr(message, field))
            setattr(message, field, values.reshape(count, -1)[kept].reshape(-1))
        for field in (*texts, 'subjects'):
            values = getattr(message, field)
            setattr(message, field, [values[row] for row in kept])
        return True
