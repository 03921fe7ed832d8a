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

"""Which boxes of a camera frame are kept, and what is counted."""

import numpy as np

from utt_ros.sync.association_types import Tracks
from utt_ros.sync.frame_checks import drop_invalid_boxes


def test_boxes_outside_the_limits_are_dropped_and_names_that_are_none_are_cleared():
    boxes = np.tile(np.array([600, 300, 5, 50, 100], np.float32), (5, 1))
    boxes[1, 0], boxes[2, 3] = np.nan, -1
    frame = Tracks(7, boxes, ('a', 'b', 'c', '', '../d'), tuple('01234'), np.arange(5.0))
    counted = []
    kept = drop_invalid_boxes(frame, lambda name, remark: counted.append((name, bool(remark))))
    assert (kept.subjects, kept.track_ids) == (('a', '', ''), ('0', '3', '4'))
    assert kept.confidence.tolist() == [0, 3, 4]
    assert sorted(name for name, remark in counted if remark) == [
        'bad_name', 'boxes_without_subject', 'not_finite', 'out_of_range']
