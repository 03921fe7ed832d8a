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
import re
from itertools import product
from pathlib import Path

import pytest

from utt_ros.errors import SessionError
from utt_ros.evaluation.report import html_report
from utt_ros.evaluation.report.goals import WITHHELD_GOALS
from utt_ros.evaluation.report.html_report import write_report
from utt_ros.evaluation.results import (
    MERGE_TO_BEST_SOURCE,
    OF_WINDOWS_FROM_SCRATCH,
    TO_ALL_WINDOWS,
    TO_BEST_RIVAL,
    TO_BEST_SOURCE,
    TO_FEDAVG,
    TO_FUSORS,
    TO_RIDGE,
)

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
    assert '<td>reached</td>' in text
    assert '2 rows, mean' in text


def test_claims_of_the_paper_come_first_and_goals_of_the_team_last(tmp_path: Path) -> None:
    headings = re.findall(r'<h2>(.*?)</h2>', page(tmp_path, {}))
    assert headings[0] == 'What the paper claims, and what was found'
    assert headings[-1] == 'Goals of this project'


def test_claim_has_the_number_of_the_paper_beside_ours(tmp_path: Path) -> None:
    text = page(tmp_path, {}, {'method': 'direct', 'value': 2.0})
    assert '1 of the 1 claims that were measured hold here; 8 were not measured.' in text
    row = next(row for row in re.findall(r'<tr>(.*?)</tr>', text) if 'Merging has less' in row)
    assert re.findall(r'<td[^>]*>(.*?)</td>', row)[1:] == ['Table I', 'yes', '0.5117', '0.25']


def test_letters_and_methods_of_the_figures_are_explained(tmp_path: Path) -> None:
    text = page(tmp_path, {})
    for word in ('V', 'W', 'S', 'V+W→S', 'NMSE_var', 'utt', 'direct'):
        assert f'<dt>{word}</dt><dd>' in text


def test_values_are_escaped_and_empty_ones_left_out(tmp_path: Path) -> None:
    text = page(tmp_path, {'fusor': '<script>'})
    assert 'data: &lt;b&gt;' in text
    assert '&lt;script&gt;' in text
    assert 'model:' not in text


def test_suites_that_were_not_run_are_named(tmp_path: Path) -> None:
    text = page(tmp_path, {})
    assert 'Suite fusors was not run.' in text
    assert 'Suite tasks was not run.' in text


def complete_results() -> list[dict[str, object]]:
    """Rows of every goal, each with its own value."""
    rows = [
        {'suite': 'operations', 'method': method, 'operation': operation, 'sources': sources,
         'target': target}
        for method, operation, (sources, target) in product(
            ('utt', 'utt_past', 'direct', 'specific'), ('merge', 'split'),
            (('camera', 'imu'), ('ftm', 'imu'), ('imu', 'camera')))]
    rows += [
        {'suite': 'operations', 'method': method, 'operation': 'merge', 'target': 'camera',
         'metric': metric, 'high': 0.8}
        for method, metric in (('utt', TO_RIDGE), ('utt_past', TO_RIDGE), ('direct', TO_RIDGE),
                               ('utt', TO_BEST_SOURCE))]
    rows += [
        {'suite': 'withheld', 'method': 'utt_belief', 'operation': f'withheld_{gap_s}s',
         'target': target, 'metric': TO_BEST_RIVAL, 'high': 0.8}
        for target, limits in WITHHELD_GOALS.items() for gap_s in limits]
    rows += [
        {'suite': 'fewshot', 'method': 'transferred', 'operation': operation, 'metric': metric,
         'high': 0.8}
        for operation, metric in (('0_windows', TO_ALL_WINDOWS),
                                  ('windows_needed', OF_WINDOWS_FROM_SCRATCH))]
    rows += [
        {'suite': 'federation', 'method': method, 'operation': operation, 'sources': sources,
         'metric': metric}
        for (methods, metric), operation, sources in product(
            ((('utt', 'centralised'), 'nmse_var'),
             (('utt_single', 'direct_single', 'centralised_single'), 'time_s')),
            ('merge', 'split'), ('camera', 'ftm'))
        for method in methods]
    rows += [
        {'suite': 'fusors', 'fusor': fusor, 'sources': sources}
        for fusor, sources in product(('gating', 'gating_sum', 'concat'), ('camera', 'ftm'))]
    rows += [
        {'suite': 'tasks', 'operation': operation, 'target': target, 'metric': metric,
         'method': method}
        for operation, targets, metrics, methods in (
            ('position', ('camera', 'camera_gone'), ('median_m', 'p90_m'), ('utt',)),
            ('trajectory', ('1s', '3s'), ('ade_m',), ('utt', 'kalman_camera')),
            ('interval', ('camera', 'camera_gone'), ('coverage_90',), ('utt',)))
        for target, metric, method in product(targets, metrics, methods)]
    rows += [
        {'suite': 'fusors', 'method': 'utt_corrupted', 'operation': 'merge_corrupted_ftm',
         'fusor': 'gating', 'metric': metric, 'high': 0.8}
        for metric in (MERGE_TO_BEST_SOURCE, *TO_FUSORS.values())]
    rows += [{'suite': 'federation', 'method': 'mixed_gated', 'operation': 'merge',
              'metric': TO_FEDAVG, 'high': 0.8}]
    return [row | {'value': 0.5 + 0.01 * number} for number, row in enumerate(rows)]


@pytest.mark.slow
@pytest.mark.filterwarnings('error')
def test_no_number_or_verdict_is_given_from_partial_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(html_report, 'draw_bars', lambda panels, ylabel: b'PNG')
    rows = complete_results()

    def cells(*changes: dict[str, object]) -> list[str]:
        return re.findall(r'<td[^>]*>(.*?)</td>', page(tmp_path, *changes))

    complete = cells(*rows)
    assert 'not measured' not in complete
    for place, row in enumerate(rows):
        partial = cells(*rows[:place], row | {'value': None}, *rows[place + 1:])
        changed = [new for old, new in zip(complete, partial, strict=True) if new != old]
        assert set(changed) == {'nan', '-', 'not measured'}, row


def test_results_without_any_value_are_reported(tmp_path: Path) -> None:
    text = page(tmp_path, *(row | {'value': None} for row in complete_results()))
    assert 'reached' not in text
    assert '>yes<' not in text


def test_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match=r'results\.json: FileNotFoundError'):
        write_report(tmp_path)
