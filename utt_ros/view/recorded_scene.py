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

"""Scene from a bag: time runs at any speed, and moves to any moment.

A jump reads the seconds before its moment, so that trails are there, and of seldom published
topics the newest message before it.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from utt_ros.errors import SessionError, SettingsError
from utt_ros.parameter_files import AREA_FILE
from utt_ros.sessions.bag_io import LoggedMessage, open_bag
from utt_ros.sessions.session_bags import read_area
from utt_ros.settings import AreaSettings
from utt_ros.types import NS_PER_S
from utt_ros.view.area_shapes import area_outline
from utt_ros.view.scene import Scene
from utt_ros.view.scene_source import Playback, TopicFilter
from utt_ros.view.shown_topics import STATES, ShownTopic, match_topic

S = TypeVar('S', bound='RecordedScene')
LOOK_BACK_S = 6.0  # before a moment that is jumped to
STEP_S = 0.2  # of the time that is looked back
OUTLINE_SPAN_S = 10.0  # of a bag, in which shapes of areas are looked for
MAX_STATE_MESSAGES = 20_000
MAX_STEP_MESSAGES = 20_000  # more wait for the next step: time runs slower, the view goes on
MAX_STEP_NS = NS_PER_S // 2  # a longer pause, as without a viewer, is no time of the bag


class RecordedScene:
    """Source of a scene that reads a bag. For one thread, in a `with` block."""

    def __init__(self, bag: Path, areas: Mapping[str, AreaSettings] | None = None) -> None:
        """`areas`: settings by name; those beside the bag are known.

        Raises SessionError for a bag that cannot be read, or holds nothing to show.
        """
        self._resources = ExitStack()
        self._bag = self._resources.enter_context(open_bag(bag))
        found = (match_topic(topic.name, (topic.type,)) for topic in self._bag.topics)
        self._topics = {topic.name: topic for topic in found if topic}
        if not self._topics or not self._bag.end_ns:
            self._resources.close()
            raise SessionError(f'{bag}: nothing in it can be shown')
        self._areas = {**_area_beside(bag), **(areas or {})}
        self._length_ns = self._bag.end_ns - self._bag.start_ns
        self._playback = Playback(self._length_ns / NS_PER_S)
        self._at_ns = self._bag.start_ns
        self._now_ns = 0  # of the steady clock, at the last step
        self._names: frozenset[str] = frozenset()  # of the topics that are being read
        self._messages: Iterator[LoggedMessage] = iter(())
        self._waiting: LoggedMessage | None = None
        self._states = self._read_states()
        self._is_prepared = False

    def __enter__(self: S) -> S:  # noqa: PYI019  Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def playback(self) -> Playback:
        """Return the time of the bag."""
        return self._playback

    def close(self) -> None:
        """Close the bag."""
        self._resources.close()

    def advance(self, scene: Scene, wants: TopicFilter, now_ns: int) -> None:
        """Run on by the time since the last step, times the speed; jump where that was asked."""
        if not self._is_prepared:
            self._prepare(scene)
        passed_ns = min(now_ns - self._now_ns, MAX_STEP_NS) if self._now_ns else 0
        self._now_ns = now_ns
        names = self._wanted(wants)
        asked_s, self._playback.seek_s = self._playback.seek_s, None
        if asked_s is not None:
            self._jump(scene, names, self._bag.start_ns + round(
                min(max(asked_s, 0.0), self._playback.length_s) * NS_PER_S))
        elif self._playback.playing:
            self._run(scene, names, self._at_ns + round(passed_ns * self._playback.speed))
        elif names != self._names:
            self._open(names, self._at_ns)
        if self._at_ns >= self._bag.end_ns:
            self._playback.playing = False
        self._playback.at_s = (self._at_ns - self._bag.start_ns) / NS_PER_S

    def move(self, scene: Scene, at_s: float, wants: TopicFilter) -> None:
        """Bring a scene to a moment: by what lies between, or by a jump."""
        if not self._is_prepared:
            self._prepare(scene)
        names = self._wanted(wants)
        until_ns = self._bag.start_ns + round(at_s * NS_PER_S)
        if self._names and 0 <= until_ns - self._at_ns <= LOOK_BACK_S * NS_PER_S:
            self._run(scene, names, until_ns)
        else:
            self._jump(scene, names, until_ns)
        self._playback.at_s = (self._at_ns - self._bag.start_ns) / NS_PER_S

    def _wanted(self, wants: TopicFilter) -> frozenset[str]:
        return frozenset(name for name, topic in self._topics.items()
                         if topic.kind not in STATES and wants(topic))

    def _prepare(self, scene: Scene) -> None:
        """Show areas whose settings are known, or whose shapes the bag holds near its start."""
        self._is_prepared = True
        roots = {topic.root for topic in self._topics.values() if topic.kind not in STATES}
        for root in sorted(roots):
            settings = self._areas.get(root.rpartition('/')[2])
            if settings is not None:
                scene.set_area(root, settings.pose_in_map, area_outline(settings))
        shapes = {name for name, topic in self._topics.items() if topic.kind == 'outline'}
        start_ns = scene.now_ns = self._bag.start_ns
        stop_ns = start_ns + round(OUTLINE_SPAN_S * NS_PER_S)
        for _, name, data in self._bag.messages(shapes, start_ns, stop_ns) if shapes else ():
            root = self._topics[name].root
            if root not in scene.areas or scene.areas[root].outline is None:
                scene.receive(self._topics[name], [data])
        self._show_states(scene, self._at_ns)

    def _read_states(self) -> list[LoggedMessage]:
        names = [name for name, topic in self._topics.items() if topic.kind in STATES]
        if not names:
            return []
        messages = self._bag.messages(names, self._bag.start_ns, self._bag.end_ns)
        return [message for message, _ in zip(messages, range(MAX_STATE_MESSAGES), strict=False)]

    def _show_states(self, scene: Scene, at_ns: int, since_ns: int = 0) -> None:
        """Take the states that were logged in a span, in order."""
        first, last = (bisect_right(self._states, moment, key=lambda item: item[0])
                       for moment in (since_ns, at_ns))
        for _, name, data in self._states[first:last]:
            scene.receive(self._topics[name], [data])

    def _jump(self, scene: Scene, names: frozenset[str], at_ns: int) -> None:
        scene.forget_motion()
        self._show_states(scene, at_ns)
        self._at_ns = max(self._bag.start_ns, at_ns - round(LOOK_BACK_S * NS_PER_S))
        self._open(names, self._at_ns)
        step_ns = round(STEP_S * NS_PER_S)
        while self._at_ns < at_ns:
            self._run(scene, names, min(at_ns, self._at_ns + step_ns))
            scene.people()
        self._run(scene, names, at_ns)  # what was logged at this very moment, as at the start

    def _open(self, names: frozenset[str], start_ns: int) -> None:
        self._names, self._waiting = names, None
        self._messages = self._bag.messages(
            names, start_ns, self._bag.end_ns) if names else iter(())

    def _run(self, scene: Scene, names: frozenset[str], until_ns: int) -> None:
        """Take the messages until a moment; of many the first ones."""
        if names != self._names:
            self._open(names, self._at_ns)
        until_ns = min(until_ns, self._bag.end_ns)
        batches: dict[str, list[bytes]] = {}
        taken = 0
        while taken < MAX_STEP_MESSAGES:
            message = self._waiting or next(self._messages, None)
            self._waiting = message
            if message is None or message[0] > until_ns:
                break
            self._waiting = None
            batches.setdefault(message[1], []).append(message[2])
            taken += 1
            if taken == MAX_STEP_MESSAGES:
                until_ns = message[0]
        self._show_states(scene, until_ns, self._at_ns)
        self._at_ns = scene.now_ns = until_ns
        _deliver(scene, self._topics, batches)


def _deliver(
    scene: Scene, topics: Mapping[str, ShownTopic], batches: Mapping[str, list[bytes]],
) -> None:
    """Let a scene receive batches: the status of areas before the people in them."""
    for name in sorted(batches, key=lambda name: topics[name].kind != 'status'):
        scene.receive(topics[name], batches[name])


def _area_beside(bag: Path) -> dict[str, AreaSettings]:
    """Return the settings of the area file beside a bag by name; empty without a valid one."""
    if not (bag.parent / AREA_FILE).is_file():
        return {}
    try:
        settings = read_area(bag.parent)
    except SettingsError:
        return {}
    return {settings.area: settings}
