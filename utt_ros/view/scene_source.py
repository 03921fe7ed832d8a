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

"""Sources of a scene: running areas, or a bag with a time that can be moved."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from utt_ros.view.scene import Scene
from utt_ros.view.shown_topics import ShownTopic

TopicFilter = Callable[[ShownTopic], bool]


@dataclass(slots=True)
class Playback:
    """Time of a bag, and what the viewer asked of it; requests may come from another thread."""

    length_s: float
    at_s: float = 0.0
    playing: bool = True
    speed: float = 1.0
    seek_s: float | None = None  # a request


class SceneSource(Protocol):
    """Source of the messages of a scene."""

    @property
    def playback(self) -> Playback | None:
        """Return the time of a bag; None for running areas."""

    def advance(self, scene: Scene, wants: TopicFilter, now_ns: int) -> None:
        """Bring a scene up to date with the topics that it wants; `now_ns`: a steady clock."""

    def close(self) -> None:
        """Release what the source holds."""


def describe_source(playback: Playback | None) -> str:
    """Return the time that a scene shows, for its title."""
    if playback is None:
        return 'live'
    speed = '' if playback.speed == 1.0 else f'  x{playback.speed:g}'
    return f'{playback.at_s:.1f} of {playback.length_s:.1f} s{speed}'
