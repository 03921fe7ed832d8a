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

"""When a person first moved before the eyes of a newcomer."""

import numpy as np

from utt_ros.demo.position_scores import PublishedPositions
from utt_ros.demo.replay_summary import first_moved_s


def published(subjects, x_m, received_s):
    count = len(subjects)
    return PublishedPositions(
        np.array(subjects), np.arange(count), np.stack([x_m, np.zeros(count)], axis=1),
        np.tile(np.eye(2), (count, 1, 1)), (np.array(received_s) * 1e9).astype(np.int64))


def test_the_first_person_who_moved_half_a_metre_counts():
    still = published(['ann', 'ann'], [1.0, 1.2], [10.0, 11.0])
    walking = published(['bob', 'ann', 'bob', 'bob'], [0.0, 7.0, 0.4, 0.6],
                        [12.0, 12.5, 13.0, 14.0])
    assert first_moved_s({'hall': still, 'stairs': walking}) == 14.0


def test_nobody_moves_where_all_stand_still():
    assert first_moved_s({'hall': published(['ann', 'ann'], [1.0, 1.2], [10.0, 11.0])}) is None
    assert first_moved_s({}) is None
