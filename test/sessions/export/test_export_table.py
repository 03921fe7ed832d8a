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

"""Columns and times of a table."""

import re

import numpy as np

from utt_ros.sessions.export.export_table import ExportTable, float_columns, iso_times


def test_times_are_iso_8601_to_the_nanosecond_in_utc() -> None:
    assert list(iso_times(np.array([0, 1_700_000_000_123_456_789]))) == [
        '1970-01-01T00:00:00.000000000Z', '2023-11-14T22:13:20.123456789Z']


def test_rows_have_the_names_of_their_topic_unless_messages_tell_others() -> None:
    def read(messages: list[bytes]) -> dict[str, object]:
        return {'stamp_ns': np.arange(len(messages)), 'loss': [1.0, 2.0], 'area': ['a', 'b']}

    table = ExportTable('t', 'none', re.compile(''), 'subject', float_columns(('loss', '')), read,
                        'area')
    rows = table.rows([b'', b''], {'recording': 'r', 'area': 'hall', 'subject': 'ann'})
    assert [list(rows[name]) for name in ('area', 'subject', 'loss')] == [
        ['a', 'b'], ['ann', 'ann'], [1.0, 2.0]]
    assert [column.name for column in table.columns] == [
        'stamp_ns', 'time', 'recording', 'area', 'subject', 'loss', 'map_x_m', 'map_y_m',
        'latitude_deg', 'longitude_deg']
