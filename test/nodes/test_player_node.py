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

"""Progress line of a replay; replays over DDS are tested in test_replay_record."""

import pytest

from utt_ros.nodes.player_node import progress_text
from utt_ros.sessions.player import ReplayPosition


@pytest.mark.parametrize(('position', 'text'), [
    (ReplayPosition('', 0.0, 0.0, False), 'waiting for subscribers'),
    (ReplayPosition('one', 1.25, 60.0, False), 'one   1.2 of 60.0 s'),
    (ReplayPosition('one', 2.0, 60.0, True), 'one   2.0 of 60.0 s   paused, space resumes'),
])
def test_progress_line_has_the_bag_its_times_and_the_pause(position, text):
    assert progress_text(position) == text
