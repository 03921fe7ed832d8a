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

"""One view: source -> scene -> window, at a limited rate, and only while somebody looks."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Protocol

import numpy as np

from utt_ros.view.person_signals import TWIN_ITSELF
from utt_ros.view.scene import Scene, ScenePerson
from utt_ros.view.scene_source import SceneSource
from utt_ros.view.shown_topics import PICTURE, SIGNALS, ShownTopic
from utt_ros.view.view_choices import NO_CAMERA, ViewChoices

UPDATE_SEC = 0.1
MAX_TIMED_UPDATES = 600


class SceneWindow(Protocol):
    """Window that shows a scene."""

    choices: ViewChoices

    def is_watched(self) -> bool:
        """Return whether somebody looks."""

    def show(self, scene: Scene, people: Sequence[ScenePerson]) -> None:
        """Show the newest state."""


class ViewSession:
    """Brings a window up to date. For one thread."""

    def __init__(self, source: SceneSource, window: SceneWindow) -> None:
        self.scene = Scene()
        self._source, self._window = source, window
        self._costs_s: deque[float] = deque(maxlen=MAX_TIMED_UPDATES)
        if source.playback is not None:
            source.advance(self.scene, _wants_nothing, 0)

    def update(self, now_ns: int) -> bool:
        """Bring the window up to date when somebody looks; return whether somebody does.

        Without a viewer nothing is read, and the time of a bag stands still.
        """
        begin_s = perf_counter()
        if not self._window.is_watched():
            if self._source.playback is None:
                self._source.advance(self.scene, _wants_nothing, now_ns)
            return False
        self._source.advance(self.scene, self._wants, now_ns)
        people = self.scene.people()
        self._choose(people)
        self._window.show(self.scene, people)
        self._costs_s.append(perf_counter() - begin_s)
        return True

    def costs_ms(self) -> tuple[float, float]:
        """Return median and 99 % quantile of the time that an update took."""
        if not self._costs_s:
            return 0.0, 0.0
        median, tail = np.quantile(np.array(self._costs_s) * 1e3, [0.5, 0.99]).tolist()
        return float(median), float(tail)

    def _choose(self, people: Sequence[ScenePerson]) -> None:
        """Let signals and picture follow the choices of the viewer.

        Of a bag that stands still the seconds before its moment are read again, for all of them.
        """
        choices, scene = self._window.choices, self.scene
        is_other = False
        person = next((each for each in people if each.title == choices.person), None)
        if not choices.signals:
            scene.signals.choose('', '', {})
        elif person is not None:
            is_other = scene.signals.choose(person.root, person.name, {
                'imu': TWIN_ITSELF, **self._synthesizers(person.root)})
        root = '' if choices.camera == NO_CAMERA else choices.camera
        is_other |= scene.picture.choose(
            root, self._synthesizers(root).get('camera', '') if root else '')
        playback = self._source.playback
        if (is_other and playback is not None and not playback.playing
                and playback.seek_s is None):
            playback.seek_s = playback.at_s

    def _synthesizers(self, root: str) -> Mapping[str, str]:
        area = self.scene.areas.get(root)
        best = self.scene.federation.synthesizers(area.name) if area else {}
        return {modality: twin.id for modality, twin in best.items()}

    def _wants(self, topic: ShownTopic) -> bool:
        scene = self.scene
        if topic.kind == 'outline':
            area = scene.areas.get(topic.root)
            return area is not None and area.outline is None
        if topic.kind in ('position', 'future'):
            return True
        if topic.kind in SIGNALS:
            return scene.signals.wants(topic)
        if topic.kind in PICTURE:
            return scene.picture.wants(topic)
        if topic.kind == 'virtual_camera':
            return scene.signals.wants(topic) or scene.picture.wants(topic)
        return True


def _wants_nothing(_: ShownTopic) -> bool:
    return False


def run_session(
    session: ViewSession, is_over: Callable[[], bool], wait: Callable[[float], object],
    now_ns: Callable[[], int],
) -> None:
    """Update every UPDATE_SEC until it is over; `wait` sleeps so many seconds."""
    due_ns = now_ns()
    while not is_over():
        session.update(now_ns())
        due_ns = max(due_ns + round(UPDATE_SEC * 1e9), now_ns())
        wait(max(0.0, (due_ns - now_ns()) / 1e9))
