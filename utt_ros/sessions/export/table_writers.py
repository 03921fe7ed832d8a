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

"""Writers of export tables: CSV, GeoJSON and Parquet, a chunk of rows at a time."""

import csv
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import ExitStack
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TextIO, TypeVar

import numpy as np

from utt_ros.errors import SettingsError
from utt_ros.map_pose import MAP_FRAME
from utt_ros.sessions.export.export_table import Cells, Column, ExportTable, TableRows

W = TypeVar('W', bound='TableWriter')
COLUMN_FILE = 'columns.csv'
GEO_COLUMNS = ('longitude_deg', 'latitude_deg')  # in the order of GeoJSON
MAP_COLUMNS = ('map_x_m', 'map_y_m')


class TableWriter(ABC):
    """Writer of tables into a folder, as a context."""

    def __init__(self, folder: Path, *, geographic: bool = False) -> None:
        """`geographic`: the map has an origin, so positions are known in WGS84."""
        self._folder, self._geographic = folder, geographic
        self._resources = ExitStack()

    def __enter__(self: W) -> W:  # noqa: PYI019  Self needs Python 3.11
        return self

    def __exit__(self, *reason: object) -> None:
        self.finish()
        self._resources.close()

    @abstractmethod
    def write(self, table: ExportTable, rows: TableRows) -> None:
        """Append rows to a table."""

    def finish(self) -> None:  # noqa: B027 - most have nothing to do
        """Complete all tables."""


class CsvTables(TableWriter):
    """Writes <table>.csv: a row of names, then values; an unknown value is empty."""

    def __init__(self, folder: Path, *, geographic: bool = False) -> None:
        super().__init__(folder, geographic=geographic)
        self._writers: dict[str, Any] = {}

    def write(self, table: ExportTable, rows: TableRows) -> None:
        if table.name not in self._writers:
            path = self._folder / f'{table.name}.csv'
            file = self._resources.enter_context(path.open('w', encoding='utf-8', newline=''))
            self._writers[table.name] = csv.writer(file, lineterminator='\n')
            self._writers[table.name].writerow(column.name for column in table.columns)
        columns = [_plain(rows[column.name]) for column in table.columns]
        self._writers[table.name].writerows(zip(*columns, strict=True))


class GeoJsonTables(TableWriter):
    """Writes <table>.geojson, a point per row, of the tables that hold positions.

    Coordinates are WGS84 (RFC 7946) where the map has an origin; metres in `map`, as the member
    `frame` tells, otherwise.
    """

    def __init__(self, folder: Path, *, geographic: bool = False) -> None:
        super().__init__(folder, geographic=geographic)
        self._files: dict[str, TextIO] = {}

    def finish(self) -> None:
        for file in self._files.values():
            file.write('\n]}\n')

    def write(self, table: ExportTable, rows: TableRows) -> None:
        if not table.frame:
            return
        begin = table.name not in self._files
        if begin:
            self._open(table.name)
        file = self._files[table.name]
        texts = [json.dumps(feature) for feature in self._features(table, rows)]
        file.write(('\n' if begin else ',\n') + ',\n'.join(texts))

    def _open(self, name: str) -> None:
        path = self._folder / f'{name}.geojson'
        self._files[name] = self._resources.enter_context(path.open('w', encoding='utf-8'))
        head = {'type': 'FeatureCollection', 'name': name,
                'frame': 'WGS84' if self._geographic else MAP_FRAME}
        self._files[name].write(json.dumps(head)[:-1] + ', "features": [')

    def _features(self, table: ExportTable, rows: TableRows) -> Iterable[dict[str, Any]]:
        names = [column.name for column in table.columns
                 if column.name not in (*GEO_COLUMNS, *MAP_COLUMNS)]
        values = zip(*(_plain(rows[name]) for name in names), strict=True)
        coordinates = GEO_COLUMNS if self._geographic else MAP_COLUMNS
        places = zip(*(_plain(rows[name]) for name in coordinates), strict=True)
        for place, cells in zip(places, values, strict=True):
            geometry = None if None in place else {'type': 'Point', 'coordinates': place}
            yield {'type': 'Feature', 'geometry': geometry,
                   'properties': dict(zip(names, cells, strict=True))}


class ParquetTables(TableWriter):
    """Writes <table>.parquet with pyarrow; each column's meaning is in its metadata."""

    def __init__(self, folder: Path, *, geographic: bool = False) -> None:
        super().__init__(folder, geographic=geographic)
        if find_spec('pyarrow') is None:
            raise SettingsError('pyarrow is not installed, which writes Parquet: '
                                "pip install 'utt_ros[export]', or give --format csv")
        self._arrow: Any = import_module('pyarrow')
        self._parquet: Any = import_module('pyarrow.parquet')
        self._writers: dict[str, Any] = {}

    def write(self, table: ExportTable, rows: TableRows) -> None:
        arrow = self._arrow
        schema = arrow.schema([
            arrow.field(column.name, self._type(column), metadata={'text': column.text})
            for column in table.columns])
        if table.name not in self._writers:
            path = self._folder / f'{table.name}.parquet'
            self._writers[table.name] = self._resources.enter_context(
                self._parquet.ParquetWriter(path, schema))
        arrays = [arrow.array(rows[column.name], type=field.type, from_pandas=True)
                  for column, field in zip(table.columns, schema, strict=True)]
        self._writers[table.name].write_table(arrow.Table.from_arrays(arrays, schema=schema))

    def _type(self, column: Column) -> Any:
        names = {'int64': 'int64', 'float64': 'float64', 'bool': 'bool_', 'str': 'string'}
        return getattr(self._arrow, names[column.kind])()


WRITERS: dict[str, type[TableWriter]] = {
    'csv': CsvTables, 'geojson': GeoJsonTables, 'parquet': ParquetTables}


def write_column_list(folder: Path, tables: Iterable[ExportTable]) -> None:
    """Write the list of all columns with type, meaning and unit."""
    with (folder / COLUMN_FILE).open('w', encoding='utf-8', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(('table', 'column', 'type', 'meaning'))
        writer.writerows((table.name, *column) for table in tables for column in table.columns)


def _plain(cells: Cells) -> list[Any]:
    """Return plain values of a column; None for those that are not finite."""
    if cells.dtype.kind != 'f':
        return list(cells.tolist())
    values = cells.astype(object)
    values[~np.isfinite(cells)] = None
    return list(values.tolist())
