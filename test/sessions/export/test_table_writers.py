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

"""Tables in CSV, GeoJSON and Parquet."""

import csv
import json
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import SettingsError
from utt_ros.sessions.export import table_writers
from utt_ros.sessions.export.export_table import Column, ExportTable, float_columns
from utt_ros.sessions.export.table_writers import (
    CsvTables,
    GeoJsonTables,
    ParquetTables,
    write_column_list,
)

OWN = (Column('name', 'str', 'a name'), Column('is_good', 'bool', 'truth'),
       *float_columns(('loss', 'a loss [1]')))
TABLE = ExportTable('people', 'none', re.compile(''), '', OWN, dict, 'map')
ROWS = {
    'stamp_ns': np.array([2**60, 2**60 + 1]), 'time': np.array(['one', 'two']),
    'recording': np.array(['r', 'r']), 'area': np.array(['hall', 'hall']),
    'name': np.array(['a,"b"', 'ä']), 'is_good': np.array([True, False]),
    'loss': np.array([0.1, np.nan]), 'map_x_m': np.array([1.5, np.nan]),
    'map_y_m': np.array([2.5, np.nan]), 'latitude_deg': np.array([48.0, np.nan]),
    'longitude_deg': np.array([11.0, np.nan])}


def test_csv_has_a_line_of_names_and_empty_cells_for_unknown_numbers(tmp_path: Path) -> None:
    with CsvTables(tmp_path) as writer:
        writer.write(TABLE, ROWS)
        writer.write(TABLE, ROWS)
    with (tmp_path / 'people.csv').open(newline='', encoding='utf-8') as file:
        lines = list(csv.reader(file))
    assert lines[0] == [column.name for column in TABLE.columns]
    assert lines[1] == [str(2**60), 'one', 'r', 'hall', 'a,"b"', 'True', '0.1', '48.0', '11.0']
    assert lines[2][-3:] == ['', '', '']
    assert lines[3:] == lines[1:3]


@pytest.mark.parametrize(('geographic', 'place', 'frame'), [
    (True, [11.0, 48.0], 'WGS84'), (False, [1.5, 2.5], 'map')])
def test_geojson_has_a_point_per_row_longitude_first(
    geographic: bool, place: list[float], frame: str, tmp_path: Path,
) -> None:
    with GeoJsonTables(tmp_path, geographic=geographic) as writer:
        writer.write(TABLE, ROWS)
        writer.write(TABLE, ROWS)
        writer.write(ExportTable('imu', 'none', re.compile(''), '', OWN, dict), ROWS)
    assert [path.name for path in tmp_path.iterdir()] == ['people.geojson']
    content = json.loads((tmp_path / 'people.geojson').read_text())
    assert (content['type'], content['frame']) == ('FeatureCollection', frame)
    assert len(content['features']) == 4
    first, second, *_ = content['features']
    assert first['geometry'] == {'type': 'Point', 'coordinates': place}
    assert first['properties'] == {
        'stamp_ns': 2**60, 'time': 'one', 'recording': 'r', 'area': 'hall', 'name': 'a,"b"',
        'is_good': True, 'loss': 0.1}
    assert second['geometry'] is None
    assert second['properties']['loss'] is None


def test_parquet_without_pyarrow_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table_writers, 'find_spec', lambda _: None)
    with pytest.raises(SettingsError, match=r"pip install 'utt_ros\[export\]', or give --format"):
        ParquetTables(tmp_path)


@pytest.mark.skipif(find_spec('pyarrow') is None, reason='the extra `export` is not installed')
def test_parquet_has_types_meanings_and_nulls(tmp_path: Path) -> None:
    parquet = pytest.importorskip('pyarrow.parquet')
    with ParquetTables(tmp_path) as writer:
        writer.write(TABLE, ROWS)
        writer.write(TABLE, ROWS)
    table = parquet.read_table(tmp_path / 'people.parquet')
    assert table.column_names == [column.name for column in TABLE.columns]
    assert table.to_pydict()['loss'] == [0.1, None] * 2
    assert table.to_pydict()['stamp_ns'][1] == 2**60 + 1
    assert table.schema.field('loss').metadata == {b'text': b'a loss [1]'}


def test_columns_are_listed_with_their_meaning(tmp_path: Path) -> None:
    write_column_list(tmp_path, [TABLE])
    assert 'people,loss,float64,a loss [1]\n' in (tmp_path / 'columns.csv').read_text()
