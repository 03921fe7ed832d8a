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

"""Pictures of a recorded scene at equal steps, for a film."""

from collections.abc import Iterator

from utt_ros.types import Image as ImageArray
from utt_ros.view.recorded_scene import RecordedScene
from utt_ros.view.scene import Scene
from utt_ros.view.scene_film import FRAME_MS, paint_scene, scene_painter
from utt_ros.view.scene_source import describe_source
from utt_ros.view.shown_topics import ShownTopic

FILM_KINDS = frozenset({'status', 'position', 'future', 'truth'})
FILM_FRAMES = 90
FILM_SPEED = 2.0
FILM_STEP_S = FILM_SPEED * FRAME_MS / 1000
LEGEND = 'orange: seen by a camera, blue: by Wi-Fi ranges and motion alone'


def film_pictures(recorded: RecordedScene, frames: int = FILM_FRAMES) -> Iterator[ImageArray]:
    """Yield pictures (H, W, 3) of the middle of a bag, or of all of it when it is short."""
    scene = Scene()
    playback = recorded.playback
    playback.playing = False
    begin_s = max(0.0, (playback.length_s - frames * FILM_STEP_S) / 2)
    painter = None
    for frame in range(frames):
        at_s = begin_s + frame * FILM_STEP_S
        if at_s > playback.length_s:
            return
        recorded.move(scene, at_s, _wants_motion)
        people = scene.people()
        painter = painter or scene_painter(scene, people)
        yield paint_scene(painter, scene, people, f'{describe_source(playback)}    {LEGEND}')


def _wants_motion(topic: ShownTopic) -> bool:
    return topic.kind in FILM_KINDS
