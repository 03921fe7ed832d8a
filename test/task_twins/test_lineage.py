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

"""Lineage of task twins as a tree, as DOT and as nodes and edges."""

from dataclasses import replace

import pytest

from utt_ros.errors import TwinError
from utt_ros.task_twins.lineage import (
    lineage_content,
    lineage_dot,
    lineage_tree,
    trace_lineage,
)
from utt_ros.task_twins.types import TaskTwin

TRAJECTORY = TaskTwin('hall_trajectory', 'hall', 'trajectory', ('camera',))
TRACKING = TaskTwin('hall_tracking', 'hall', 'tracking', ('imu',))
MERGED = TaskTwin(
    'hall_position_2', 'hall', 'position', ('camera', 'imu'), operation='merge',
    parents=('hall_tracking', 'hall_trajectory'), nmse={'range_m': 0.25})
CHILD = TaskTwin(
    'stairs_position_2', 'stairs', 'position', ('imu',), operation='transfer',
    parents=('hall_position_2',), status='paused', replaces='stairs_position_9')
TWINS = (TRAJECTORY, TRACKING, MERGED, CHILD)


def test_a_tree_expands_each_twin_once() -> None:
    assert lineage_tree(trace_lineage(TWINS)) == [
        'hall_tracking  sensor  serving',
        '└─ hall_position_2  merge camera+imu->ftm  serving  NMSE_var 0.250',
        '   └─ stairs_position_2  transfer imu->ftm  paused',
        'hall_trajectory  sensor  serving',
        '└─ hall_position_2  merge camera+imu->ftm  serving  NMSE_var 0.250  (above)',
    ]


def test_the_lineage_of_one_twin_holds_ancestors_and_descendants() -> None:
    other = replace(MERGED, id='hall_position_3', parents=('hall_tracking',))
    assert trace_lineage((*TWINS, other), 'hall_position_2').depths == {
        'hall_tracking': 0, 'hall_trajectory': 0, 'hall_position_2': 1, 'stairs_position_2': 2}
    assert trace_lineage((*TWINS, other), 'hall_position_3').depths == {
        'hall_tracking': 0, 'hall_position_3': 1}
    with pytest.raises(TwinError, match="no task twin 'hall_positoin': close to it"):
        trace_lineage(TWINS, 'hall_positoin')


def test_parents_of_areas_that_are_away_are_shown_as_unseen() -> None:
    assert lineage_tree(trace_lineage([CHILD])) == [
        'hall_position_2  unseen', '└─ stairs_position_2  transfer imu->ftm  paused']


def test_a_circle_of_parents_is_cut() -> None:
    first = replace(MERGED, parents=('stairs_position_2', 'hall_position_2'))
    lines = lineage_tree(trace_lineage([first, CHILD]))
    assert len(lines) == 2


def test_dot_holds_every_twin_and_operation() -> None:
    text = lineage_dot(trace_lineage((*TWINS, replace(MERGED, id='stairs_position_9'))))
    assert text.startswith('digraph lineage {')
    assert '"hall_position_2" -> "stairs_position_2" [label="transfer"];' in text
    assert '"stairs_position_2" -> "stairs_position_9" [style=dashed, constraint=false];' in text
    assert text.count('label="hall_tracking\\nsensor\\nserving"') == 1


def test_content_lists_edges_with_operations() -> None:
    content = lineage_content(trace_lineage(TWINS))
    assert {'parent': 'hall_tracking', 'child': 'hall_position_2', 'operation': 'merge'} in (
        content['edges'])
    assert [item['id'] for item in content['twins']] == sorted(twin.id for twin in TWINS)
