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

"""Topics are known by name and type."""

import pytest

from utt_ros.view.shown_topics import PATTERNS, match_topic

TYPES = {kind: type_ for kind, type_, _ in PATTERNS}


@pytest.mark.parametrize(('name', 'kind', 'root', 'subject', 'twin'), [
    ('/hall/twin_status', 'status', '/hall', '', ''),
    ('/site/hall/twins/ann/position', 'position', '/site/hall', 'ann', ''),
    ('/hall/twins/ann/trajectory', 'future', '/hall', 'ann', ''),
    ('/hall/twins/hall_position_2/phones/ann/ftm', 'virtual_ftm', '/hall', 'ann',
     'hall_position_2'),
    ('/hall/twins/hall_trajectory_2/camera/tracks', 'virtual_camera', '/hall', '',
     'hall_trajectory_2'),
    ('/hall/camera/tracks', 'boxes', '/hall', '', ''),
    ('/utt/rounds', 'rounds', '/utt', '', ''), ('/site/utt/twins', 'twins', '/site/utt', '', ''),
    ('/map', 'floor', '', '', ''), ('/site/map', 'floor', '/site', '', '')])
def test_names_tell_kind_area_person_and_twin(name, kind, root, subject, twin):
    topic = match_topic(name, (TYPES[kind],))
    assert (topic.kind, topic.root, topic.subject, topic.twin) == (kind, root, subject, twin)


@pytest.mark.parametrize(('name', 'type_'), [
    ('/hall/twins/ann/position', 'nav_msgs/msg/Path'), ('/hall/phones/ann/ftm', TYPES['synced']),
    ('/utt/model', 'utt_ros/msg/GlobalModel'), ('/twin_status', TYPES['status'])])
def test_other_topics_are_left_alone(name, type_):
    assert match_topic(name, (type_,)) is None
