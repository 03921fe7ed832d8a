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

"""`utt export`: tables of recordings for other programs."""

import argparse
from pathlib import Path

from utt_ros.errors import SettingsError
from utt_ros.map_origin import MapOrigin, read_map_origin
from utt_ros.sessions.export.bag_export import export_bags, find_bags, read_geometry
from utt_ros.sessions.export.export_table import ExportTable
from utt_ros.sessions.export.export_tables import TABLES
from utt_ros.sessions.export.table_writers import COLUMN_FILE, WRITERS

EXAMPLES = f"""
examples:
  utt export evening --out tables                        a recorded run as CSV
  utt export sessions --out tables --table truth imu     two tables of all sessions
  utt export evening --out places --format geojson --origin 48.1374,11.5755,90

SRC is a bag, a storage file of one, or a folder of sessions. Each table is one file; its columns,
with units, are listed in {COLUMN_FILE}. Rows are in order of their topic's log times. GeoJSON has
the tables with positions, in WGS84 where the area file has map_origin (or --origin is given).
Tables: {', '.join(TABLES)}.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `utt export`."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.set_defaults(run=run)
    parser.add_argument('sources', nargs='+', type=Path, metavar='SRC',
                        help='bag, or folder of sessions')
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='new folder')
    parser.add_argument('--format', choices=sorted(WRITERS), default='csv', help='(default: csv)')
    parser.add_argument('--table', nargs='+', choices=list(TABLES), metavar='TABLE',
                        help='only these tables (default: all but '
                             f'{", ".join(t.name for t in TABLES.values() if not t.is_default)})')
    parser.add_argument('--area', nargs='+', type=Path, default=[], metavar='FILE',
                        help='area files: poses of areas in the map, and its origin (default: '
                             'those beside the bags, and the poses that twins reported)')
    parser.add_argument('--origin', type=_origin, metavar='LAT,LON,HEADING',
                        help='origin of the map and heading of its x axis, clockwise from north '
                             '[deg]')


def run(args: argparse.Namespace) -> int:
    """Export, and print the size of each table. Raises UttError."""
    areas = [read_geometry(file) for file in args.area]
    tables = [TABLES[name] for name in args.table] if args.table else [
        table for table in TABLES.values() if table.is_default]
    if args.format == 'geojson':
        tables = _placed(tables)
    rows = export_bags(find_bags(args.sources), args.out, args.format, tables,
                       areas=areas, origin=args.origin)
    for name, count in rows.items():
        print(f'{args.out / name}.{args.format}: {count} rows')
    return 0


def _placed(tables: list[ExportTable]) -> list[ExportTable]:
    """Return the tables that GeoJSON can hold. Raises SettingsError where there is none."""
    placed = [table for table in tables if table.frame]
    if not placed:
        known = ', '.join(table.name for table in TABLES.values() if table.frame)
        raise SettingsError(f'--table {tables[0].name}: GeoJSON has tables of positions: {known}')
    return placed


def _origin(word: str) -> MapOrigin:
    try:
        origin = read_map_origin([float(part) for part in word.split(',')])
    except ValueError as err:
        raise argparse.ArgumentTypeError(
            str(err) if isinstance(err, SettingsError) else
            f'{word!r}: it must be LATITUDE,LONGITUDE,HEADING [deg]') from err
    if origin is None:
        raise argparse.ArgumentTypeError(f'{word!r}: it must be LATITUDE,LONGITUDE,HEADING [deg]')
    return origin
