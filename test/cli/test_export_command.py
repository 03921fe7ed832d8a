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

"""`utt export` of simulated sessions, and what it refuses."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest


def test_sessions_become_one_file_per_table(
    sessions: Path, tmp_path: Path, utt: Callable,
) -> None:
    out = tmp_path / 'tables'
    done = utt('export', sessions, '--out', out, '--table', 'truth', 'ranges')
    assert (done.code, done.err) == (0, '')
    with (out / 'truth.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert f'{out}/truth.csv: {len(rows)} rows' in done.out
    assert {row['recording'].split('/')[0] for row in rows} == {'area0', 'area1'}
    moved = {row['area']: float(row['map_y_m']) - float(row['y_m']) for row in rows}
    assert moved['area0'] == 0.0
    assert moved['area1'] > 1.0


def test_places_are_written_on_the_earth(sessions: Path, tmp_path: Path, utt: Callable) -> None:
    bag = next(iter(sorted((sessions / 'area0').glob('*/metadata.yaml')))).parent
    done = utt('export', bag, '--out', tmp_path / 'out', '--format', 'geojson', '--origin',
               '48,11,90')
    assert done.code == 0
    feature = json.loads((tmp_path / 'out/truth.geojson').read_text())['features'][0]
    assert feature['geometry']['coordinates'] == pytest.approx([11.0, 48.0], abs=1e-3)


@pytest.mark.parametrize(('words', 'complaint'), [
    (['--format', 'geojson', '--table', 'imu'],
     'utt export: --table imu: GeoJSON has tables of positions: positions, people'),
    (['--origin', '48,11'], 'map_origin is [48.0, 11.0]: it must hold 3 numbers'),
    (['--origin', 'here'], "'here': it must be LATITUDE,LONGITUDE,HEADING [deg]"),
    ([], 'no bag, and no folder with <area>/<session>')])
def test_what_cannot_be_exported_is_said(
    words: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    from utt_ros.cli.main import main

    try:
        code = main(['export', str(tmp_path), '--out', str(tmp_path / 'out'), *words])
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert complaint in capsys.readouterr().err
