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

"""Choice of the topics of a recording: by name; hidden ones and pictures only where wanted.

Hidden topics [S: ROS 2 design, topic and service names] have a part that begins with `_`, such as
the feedback of an action; rosbag2 leaves them out as well.
"""

from collections.abc import Collection, Sequence

from utt_ros.sessions.bag_io import topic_matches

PICTURE_TYPES = frozenset({
    'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage',
    'foxglove_msgs/msg/CompressedVideo'})
HIDDEN = '/_'
PARAMETER_EVENTS = '/parameter_events'  # settings, such as lists of phones; no replay needs them


class RecordedTopics:
    """Topics that begin with a prefix or match an expression; without either, all topics.

    A hidden topic is chosen by an expression only.
    """

    def __init__(
        self, prefixes: Sequence[str], patterns: Sequence[str], *, pictures: bool,
    ) -> None:
        """Raises SettingsError for an invalid expression."""
        self._prefixes, self._patterns = tuple(prefixes), list(patterns)
        self._has_pictures = pictures
        topic_matches('', self._patterns)

    def includes(self, name: str) -> bool:
        """Return whether a topic is chosen by its name."""
        if self._patterns and topic_matches(name, self._patterns):
            return True
        if not self._prefixes and not self._patterns:
            return name != PARAMETER_EVENTS and HIDDEN not in name
        return any(name.startswith(prefix) and HIDDEN not in name[len(prefix) - 1:]
                   for prefix in self._prefixes)

    def shows_people(self, types: Collection[str]) -> bool:
        """Return whether a topic of these types is left out for its pictures."""
        return not self._has_pictures and not PICTURE_TYPES.isdisjoint(types)
