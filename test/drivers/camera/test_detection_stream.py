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

"""People in a stream of detections of another package."""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from utt_ros.drivers.camera.detection_stream import DetectionStream, DetectionTopicSettings
from utt_ros.errors import SettingsError
from utt_ros.settings import AreaSettings

AREA = AreaSettings(image_width=640, image_height=480)
START_NS, STEP_NS = 1_790_000_000_000_000_000, 100_000_000


def detection(
    label: str = 'person', track_id: str = '', u: float = 320.0, score: float = 0.5,
) -> SimpleNamespace:
    center = SimpleNamespace(position=SimpleNamespace(x=u, y=240.0), theta=0.0)
    hypothesis = SimpleNamespace(class_id=label, score=score)
    return SimpleNamespace(
        bbox=SimpleNamespace(center=center, size_x=60.0, size_y=180.0), id=track_id,
        results=[SimpleNamespace(hypothesis=hypothesis)])


class Feed:
    """Stream with its counters, fed at 10 Hz."""

    def __init__(self, **values: Any) -> None:
        self.counters: Counter[str] = Counter()
        self.stream = DetectionStream(DetectionTopicSettings(**values), AREA, self.counters)
        self.stamp_ns = START_NS

    def send(self, *detections: SimpleNamespace, after_ns: int = STEP_NS) -> Any:
        self.stamp_ns += after_ns
        frame = self.stream.frame(SimpleNamespace(detections=detections), self.stamp_ns)
        return None if frame is None else frame.people


@pytest.mark.parametrize(('person', 'labels', 'count'), [
    (('person', '0'), ('person', 'Person', ' PERSON ', '0', 'car', '1', ''), 4),
    (('1',), ('person', '1', '0'), 1), (('Mensch', 'Kind'), ('mensch', 'kind', 'person'), 2),
    (('*',), ('person', 'car', ''), 3)])
def test_only_people_are_taken(
    person: tuple[str, ...], labels: tuple[str, ...], count: int,
) -> None:
    feed = Feed(person=person)
    people = feed.send(*map(detection, labels))
    assert len(people.boxes) == count
    assert feed.counters['other_class'] == len(labels) - count
    assert feed.stream.trouble == ''


def test_classes_are_named_while_none_is_of_people() -> None:
    feed = Feed()
    assert len(feed.send(detection('car'), detection('')).boxes) == 0
    assert feed.stream.trouble == (
        'no class is one of people: car, none: set detections.person')
    feed.send(detection('person'))
    assert feed.stream.trouble == ''
    assert feed.stream.classes == 'car, none, person'


def test_a_frame_without_detections_is_a_frame_without_people() -> None:
    people = Feed().send()
    assert people.boxes.shape == (0, 5)
    assert people.track_ids is None


def test_ids_of_the_sender_are_track_ids() -> None:
    feed = Feed()
    first = feed.send(detection(track_id='1', u=100.0), detection(track_id='2', u=500.0))
    second = feed.send(detection(track_id='2', u=500.0))
    assert first.track_ids[1:] == second.track_ids
    assert second.track_ids[0].endswith('-2')
    assert second.boxes[0] == pytest.approx([500, 240, np.nan, 60, 180], nan_ok=True)


def test_boxes_without_ids_are_left_to_the_tracker_until_the_sender_has_ids() -> None:
    feed = Feed()
    assert feed.send(detection(), detection()).track_ids is None
    assert len(feed.send(detection(track_id='1'), detection()).track_ids) == 1
    assert feed.send(detection()).track_ids == ()
    assert feed.counters['no_track_id'] == 2


def test_ids_can_be_ignored() -> None:
    people = Feed(ids=False).send(detection(track_id='1'), detection(track_id='1'))
    assert people.track_ids is None
    assert len(people.boxes) == 2


def test_of_two_boxes_with_one_id_the_more_confident_one_is_taken() -> None:
    feed = Feed()
    people = feed.send(detection(track_id='1', score=0.3), detection(track_id='1', score=0.9))
    assert people.confidence == pytest.approx([0.9])
    assert feed.counters['duplicate'] == 1


@pytest.mark.parametrize(('after_ns', 'same'), [
    (STEP_NS, True), (1_900_000_000, True), (2_100_000_000, False), (-60_000_000_000, False)])
def test_ids_are_of_other_people_after_a_pause_and_when_stamps_start_again(
    after_ns: int, same: bool,
) -> None:
    feed = Feed()
    first = feed.send(detection(track_id='1'))
    again = feed.send(detection(track_id='1'), after_ns=after_ns)
    assert (first.track_ids == again.track_ids) is same


@pytest.mark.parametrize(('after_ns', 'reason'), [(0, 'duplicate'), (-STEP_NS, 'backward')])
def test_messages_out_of_order_are_counted(after_ns: int, reason: str) -> None:
    feed = Feed()
    feed.send(detection())
    assert feed.send(detection(), after_ns=after_ns) is None
    assert +feed.counters == {reason: 1}


@pytest.mark.parametrize('stamp_ns', [0, -1, 2**62])
def test_messages_without_a_valid_stamp_are_counted(stamp_ns: int) -> None:
    feed = Feed()
    assert feed.send(detection(), after_ns=stamp_ns - START_NS) is None
    assert +feed.counters == {'implausible': 1}


@pytest.mark.parametrize(('u', 'taken'), [
    (-29.0, 1), (-31.0, 0), (669.0, 1), (671.0, 0), (1900.0, 0), (np.nan, 0), (np.inf, 0)])
def test_boxes_outside_the_image_are_counted_and_their_remedy_is_named(
    u: float, taken: int,
) -> None:
    feed = Feed()
    assert len(feed.send(detection(u=u)).boxes) == taken
    assert feed.counters['bad_box'] == 1 - taken
    assert ('set detections.width and height' in feed.stream.trouble) is not taken


@pytest.mark.parametrize(('values', 'says'), [
    ({'topic': ''}, 'topic is empty'), ({'type': 'sensor_msgs/msg/Image'}, 'must be one of'),
    ({'type': 'Detection2DArray'}, 'vision_msgs/msg/Detection2DArray'),
    ({'axes': 'world'}, "axes is 'world'"), ({'person': ()}, 'person is empty'),
    ({'person': (' ',)}, 'person is empty'), ({'width': -1}, 'width')])
def test_wrong_settings_of_detections_are_refused(values: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        DetectionTopicSettings(**values)
