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

"""results.json as a DataFrame."""

import json
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import SessionError
from utt_ros.evaluation.results import Row, read_results
from utt_ros.evaluation.runner import row_as_json

ROW = Row('tasks', 'utt', 'position', 'camera', 'camera', 'gating', 0, 'median_m', 0.5, 7)


def write(folder: Path, *rows: Row) -> Path:
    content = {'about': {'split': 'test'}, 'rows': [row_as_json(row) for row in rows]}
    (folder / 'results.json').write_text(json.dumps(content))
    return folder


def test_rows_have_the_columns_of_a_row(tmp_path: Path) -> None:
    unknown = Row(*(getattr(ROW, name) for name in Row.__slots__[:8]), float('nan'), 0)
    rows = read_results(write(tmp_path, ROW, unknown))
    assert tuple(rows.columns) == Row.__slots__
    assert rows['value'].tolist() == pytest.approx([0.5, np.nan], nan_ok=True)
    assert rows.attrs['about'] == {'split': 'test'}


def test_results_without_rows_are_an_empty_table(tmp_path: Path) -> None:
    assert len(read_results(write(tmp_path))) == 0


@pytest.mark.parametrize('text', ['', '[]', '{"rows": [{}], "about": {}}', '{"rows": []}'])
def test_broken_results_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / 'results.json').write_text(text)
    with pytest.raises(SessionError, match=r'results\.json'):
        read_results(tmp_path)


@pytest.mark.parametrize('count', [None, 'many'])
def test_number_of_windows_must_be_an_integer(count: object, tmp_path: Path) -> None:
    rows = [row_as_json(ROW), row_as_json(ROW) | {'n_windows': count}]
    (tmp_path / 'results.json').write_text(json.dumps({'about': {}, 'rows': rows}))
    with pytest.raises(SessionError, match=r'results\.json: .*Error'):
        read_results(tmp_path)
