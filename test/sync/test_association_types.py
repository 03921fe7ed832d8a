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

import numpy as np
import pytest

from utt_ros.sync.association_types import (
    NO_FRAME,
    LabelAssociator,
    Match,
    PhoneSamples,
    Tracks,
    attach_boxes,
)

NO_PHONES = PhoneSamples(
    (), np.zeros((0, 2), np.float32), np.zeros(0, np.float32), np.zeros(0, bool),
    np.zeros((0, 5, 9), np.float32), np.zeros((0, 5), bool))


def frame(subjects: tuple[str, ...], confidence: list[float]) -> Tracks:
    boxes = np.arange(1.0, 5 * len(subjects) + 1, dtype=np.float32).reshape(-1, 5)
    ids = tuple(f't{box}' for box in range(len(subjects)))
    return Tracks(0, boxes, subjects, ids, np.float32(confidence))


def test_labels_are_matched_and_boxes_without_a_label_dropped() -> None:
    matches = LabelAssociator().associate(frame(('c', '', 'a'), [1.0, 1.0, 1.0]), NO_PHONES)
    assert matches == [Match('a', 2, 1.0), Match('c', 0, 1.0)]


@pytest.mark.parametrize('confidence', [[0.4, 0.9, 0.5], [0.2, 0.3, 0.3]])
def test_of_boxes_with_one_label_the_one_of_highest_confidence_is_matched(
    confidence: list[float],
) -> None:
    matches = LabelAssociator().associate(frame(('a', 'a', 'a'), confidence), NO_PHONES)
    assert matches == [Match('a', 1, 1.0)]


def test_boxes_are_attached_to_their_subjects() -> None:
    tracks = frame(('', '', ''), [1.0, 1.0, 1.0])
    track_ids, association, camera, mask = attach_boxes(
        tracks, [Match('c', 0, 0.75), Match('a', 2, 0.5)], ('a', 'b', 'c'))
    assert track_ids == ('t2', '', 't0')
    assert association.tolist() == [0.5, 0.0, 0.75]
    np.testing.assert_array_equal(camera, [tracks.boxes[2], np.zeros(5), tracks.boxes[0]])
    assert mask.tolist() == [True, False, True]


def test_a_box_of_unknown_depth_contributes_its_track_id_only() -> None:
    tracks = frame(('',), [1.0])
    tracks.boxes[0, 2] = np.nan
    track_ids, association, camera, mask = attach_boxes(tracks, [Match('a', 0, 0.5)], ('a',))
    assert track_ids == ('t0',)
    assert association.tolist() == [0.5]
    assert not camera.any()
    assert not mask.any()


def test_without_a_frame_no_subject_has_a_box() -> None:
    track_ids, association, _, mask = attach_boxes(NO_FRAME, (), ('a', 'b'))
    assert track_ids == ('', '')
    assert not association.any()
    assert not mask.any()
