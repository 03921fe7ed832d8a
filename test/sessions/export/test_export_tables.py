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

"""Tables have topics that are documented, and a meaning with a unit for every number."""

import re
from pathlib import Path

import pytest

from utt_ros.sessions.export.export_table import ExportTable
from utt_ros.sessions.export.export_tables import TABLES

ROOT = Path(__file__).resolve().parents[3]
TOPICS = (ROOT / 'docs/reference/topics.md').read_text(encoding='utf-8')
UNITS = {'m': 'm', 'm2': 'm^2', 's': 's', 'rad': 'rad', 'deg': 'deg', 'px': 'px', 'dbm': 'dBm',
         'ms': 'ms', 'ns': 'ns', 'mps2': 'm/s^2', 'radps': 'rad/s', 't': 'T'}
tables = pytest.mark.parametrize('table', TABLES.values(), ids=list(TABLES))


@tables
def test_topics_are_documented(table: ExportTable) -> None:
    names = re.findall(r'`(?:truth|twins|phones|camera|/utt|twin_status|training_metrics)[^`]*`',
                       TOPICS)
    full = [re.sub('<.*?>', 'ann', name.strip('`')) for name in names]
    found = [name for name in full
             if table.topic.fullmatch(name if name.startswith('/') else f'/hall/{name}')]
    assert found


@tables
def test_columns_are_named_once_and_tell_their_unit(table: ExportTable) -> None:
    names = [column.name for column in table.columns]
    assert len(set(names)) == len(names)
    for column in table.columns:
        unit = UNITS.get(column.name.rpartition('_')[2]) if '_' in column.name else None
        assert unit is None or column.text.endswith(f'[{unit}]'), column
