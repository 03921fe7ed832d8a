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

"""The HTML report from rows."""

import json
from pathlib import Path

import pytest

from utt_ros.errors import SessionError
from utt_ros.evaluation.report.html_report import write_report

ROW = {'suite': 'operations', 'method': 'utt', 'operation': 'merge', 'sources': 'camera+ftm',
       'target': 'imu', 'fusor': 'gating', 'seed': 0, 'metric': 'nmse_var', 'value': 0.5,
       'n_windows': 3}


def page(folder: Path, *changes: dict[str, object]) -> str:
    content = {'about': {'data': '<b>', 'model': None}, 'rows': [ROW | part for part in changes]}
    (folder / 'results.json').write_text(json.dumps(content))
    return write_report(folder).read_text(encoding='utf-8')


def test_report_shows_rows_and_goals_and_references_no_other_file(tmp_path: Path) -> None:
    text = page(tmp_path, {}, {'method': 'direct', 'value': 2.0})
    assert 'data:image/png;base64,' in text
    assert 'Table I' in text
    assert 'src="http' not in text
    assert 'href=' not in text
    assert '<td class="reached">reached</td>' in text
    assert '2 rows, mean' in text


def test_values_are_escaped_and_empty_ones_left_out(tmp_path: Path) -> None:
    text = page(tmp_path, {'fusor': '<script>'})
    assert 'data: &lt;b&gt;' in text
    assert '&lt;script&gt;' in text
    assert 'model:' not in text


def test_suites_that_were_not_run_are_named(tmp_path: Path) -> None:
    text = page(tmp_path, {})
    assert 'Suite fusors was not run.' in text
    assert 'Suite tasks was not run.' in text


def test_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match=r'results\.json: FileNotFoundError'):
        write_report(tmp_path)
