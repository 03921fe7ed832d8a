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

"""Tables and descriptions of task twins."""

from utt_ros.task_twins.twin_tables import (
    channel_table,
    twin_description,
    twin_table,
    twins_content,
)
from utt_ros.task_twins.types import ModelReference, TaskTwin

NATIVE = TaskTwin('hall_position', 'hall', 'position', ('ftm',))
MERGED = TaskTwin(
    'hall_position_2', 'hall', 'position', ('camera', 'imu'),
    ModelReference('fed', 4, '0123456789abcdef'), 'merge', ('hall_tracking',), windows=7,
    nmse={'range_m': 0.25}, std={'range_m': 0.5, 'std_m': 0.125}, judged_in='hall',
    judged_windows=9, pinned=True)


def test_a_table_has_a_line_for_each_twin() -> None:
    assert [line.split() for line in twin_table([NATIVE, MERGED])[1:]] == [
        ['hall_position', 'serving', 'native', 'ftm', 'ftm', 'none', '-', '0'],
        ['hall_position_2', 'serving,', 'pinned', 'merge', 'camera+imu', 'ftm', 'round', '4,',
         '0123456789ab', '0.250', '7']]
    assert twin_table([]) == []


def test_errors_stand_by_channel_and_those_without_a_value_are_dashes() -> None:
    assert [line.split() for line in channel_table([NATIVE, MERGED])[1:]] == [
        ['hall_position_2', 'range_m', '0.250', '0.500', '9', 'hall'],
        ['hall_position_2', 'std_m', '-', '0.125', '9', 'hall']]


def test_a_description_leaves_out_what_is_empty() -> None:
    text = '\n'.join(twin_description(NATIVE))
    assert 'follows the model of its area' in text
    for absent in ('replaces', 'parents', 'checksum', 'channel'):
        assert absent not in text
    assert '0123456789abcdef' in '\n'.join(twin_description(MERGED))


def test_content_holds_every_field() -> None:
    content = twins_content([MERGED])[0]
    assert content['model']['round'] == 4
    assert content['nmse'] == {'range_m': 0.25}
