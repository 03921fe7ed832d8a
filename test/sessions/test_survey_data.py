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

"""Measurements of sessions for a survey: who a walker is, and what is missing."""

import numpy as np
import pytest

from utt_ros.errors import MeasurementError
from utt_ros.geometry.camera import CameraModel
from utt_ros.sessions.survey_data import seen_walks, walker_boxes
from utt_ros.settings import AreaSettings
from utt_ros.types import Frames, Session


def session(subjects: tuple[str, ...], tracks: tuple[str, ...]) -> Session:
    """A frame per box."""
    count = len(subjects)
    frames = Frames(
        np.arange(1, count + 1, dtype=np.int64) * 10**9, np.arange(count + 1, dtype=np.int64),
        np.full((count, 5), 100.0, np.float32), subjects, tracks)
    return Session('hall', 'one', '', frames, {}, {})


def test_walker_is_a_subject_or_a_track_of_one_session() -> None:
    seen = walker_boxes([
        session(('anna', '', ''), ('1', '2', '2')), session(('anna', ''), ('1', '2'))])
    assert seen.boxes.shape == (5, 5)
    first, second, third, fourth, fifth = seen.walkers
    assert first == fourth
    assert second == third
    assert len({first, second, fifth}) == 3
    assert seen.times_s.tolist() == [1.0, 2.0, 3.0, 1.0, 2.0]


@pytest.mark.parametrize('given', [[], [session((), ())],
                                   [Session('hall', 'one', '', None, {}, {})]])
def test_sessions_without_a_box_are_refused(given: list[Session]) -> None:
    with pytest.raises(MeasurementError, match='no boxes of people'):
        walker_boxes(given)


def test_walk_is_cut_at_gaps_and_has_the_velocity_of_its_line() -> None:
    area = AreaSettings(area='hall')
    times = np.concatenate([np.arange(1.0, 7.0, 0.1), np.arange(9.0, 10.0, 0.1)])
    walked = np.stack([4.0 + 0.8 * (times - 1), -1.0 + 0.3 * (times - 1)], axis=1)
    boxes = CameraModel(area).project(walked).astype(np.float32)
    count = len(times)
    frames = Frames((times * 1e9).astype(np.int64), np.arange(count + 1, dtype=np.int64), boxes,
                    ('anna',) * count, ('1',) * count)
    (walk,) = seen_walks(frames, area)  # the second part is too short
    assert walk.name == 'anna'
    assert walk.velocities_mps == pytest.approx(np.tile([0.8, 0.3], (len(walk.times_s), 1)),
                                                abs=0.1)
