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

"""The messages of a crowd are those that a view reads: everybody is in its scene."""

from types import SimpleNamespace
from typing import Any

from rclpy.serialization import serialize_message

from utt_ros.evaluation.benchmarks.crowd_publisher import (
    CrowdArea,
    crowd_areas,
    crowd_names,
    publish_crowd,
)
from utt_ros.types import NS_PER_S
from utt_ros.view.scene import Scene
from utt_ros.view.shown_topics import match_topic

T0 = 1_700_000_000 * NS_PER_S


class SceneNode:
    """Node whose publishers write into a scene."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.scene.now_ns = T0

    def create_publisher(self, kind: Any, topic: str, _: object) -> Any:
        name = f'{kind.__module__.split(".")[0]}/msg/{kind.__name__}'
        shown = match_topic(topic, (name,))
        assert shown is not None

        def publish(message: Any) -> None:
            data = message if isinstance(message, bytes) else bytes(serialize_message(message))
            self.scene.receive(shown, [data])

        return SimpleNamespace(publish=publish, get_subscription_count=lambda: 1)


def test_everybody_is_in_the_scene_of_a_view() -> None:
    node, areas = SceneNode(), crowd_areas(6)
    crowd = [CrowdArea(node, area, 3, seed) for seed, area in enumerate(areas)]  # type: ignore[arg-type]
    for second in (0.0, 1.0):  # positions count once the status of their area is known
        for area in crowd:
            area.publish(T0, second, status=True)
    people = node.scene.people()
    assert {person.name for person in people} == {
        name for area in areas for name in crowd_names(area, 3)}
    assert all(len(person.future) == 30 for person in people)
    assert {person.is_seen for person in people} == {True, False}
    assert node.scene.areas['/room05'].pose == (0.0, 25.0, 0.0, 0.0)
    assert all(area.outline is not None for area in node.scene.areas.values())


def test_nothing_more_is_published_once_it_is_stopped() -> None:
    published = []
    area = SimpleNamespace(publish=lambda *_, status: published.append(status))
    publish_crowd([area], lambda: len(published) == 2)  # type: ignore[list-item]
    assert published == [True, False]
