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

"""Bags become tables whose numbers are those of the messages, in bounded memory."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys.store import Typestore

from utt_ros.errors import SessionError, SettingsError
from utt_ros.map_origin import MapOrigin
from utt_ros.sessions.export import bag_export
from utt_ros.sessions.export.bag_export import (
    common_origin,
    export_bags,
    find_bags,
    read_geometry,
)
from utt_ros.sessions.export.export_tables import TABLES
from utt_ros.settings import AreaSettings

ALL = list(TABLES.values())
ORIGIN = MapOrigin(48.0, 11.0, 90.0)
Run = Callable[..., Path]


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline='') as opened:
        return list(csv.DictReader(opened))


def test_every_table_of_a_run_is_exported(make_run: Run, tmp_path: Path) -> None:
    out = tmp_path / 'tables'
    rows = export_bags({'evening': make_run()}, out, 'csv', ALL)
    assert rows == {'positions': 4, 'people': 1, 'futures': 2, 'truth': 4, 'boxes': 3,
                    'ranges': 4, 'imu': 4, 'magnetic': 4, 'twins': 1, 'metrics': 2,
                    'gates': 2}
    assert {path.stem: len(rows_of(path)) for path in out.glob('*.csv')
            if path.name != 'columns.csv'} == rows
    listed = {(row['table'], row['column']) for row in rows_of(out / 'columns.csv')}
    assert listed == {(name, column) for name in rows
                      for column in rows_of(out / f'{name}.csv')[0]}


def test_a_recording_from_before_gates_has_its_metrics_and_no_gates(
    older_metrics: tuple[Typestore, bytes], tmp_path: Path,
) -> None:
    store, report = older_metrics
    with Writer(tmp_path / 'older', version=9, storage_plugin=StoragePlugin.MCAP) as bag:
        topic = bag.add_connection(
            '/hall/training_metrics', 'utt_ros/msg/TrainingMetrics', typestore=store)
        bag.write(topic, 1_000_000_002, report)
    rows = export_bags({'older': tmp_path / 'older'}, tmp_path / 'out', 'csv', ALL)
    assert rows == {'metrics': 2}
    assert not (tmp_path / 'out/gates.csv').exists()
    assert [(row['operation'], row['nmse_var']) for row in rows_of(tmp_path / 'out/metrics.csv')
            ] == [('a', '0.5'), ('bcd', '0.25')]


def test_positions_are_in_the_area_in_the_map_and_on_the_earth(
    make_run: Run, tmp_path: Path,
) -> None:
    export_bags({'evening': make_run()}, tmp_path / 'out', 'csv', ALL, origin=ORIGIN)
    row = rows_of(tmp_path / 'out/positions.csv')[1]
    east, north = 10.0 - 3.0, 20.0 + 1.0  # (1, 3), turned by 90 degrees
    expected = ORIGIN.to_geodetic(np.array([[east, north]]))[0]
    assert row['time'] == '2023-11-14T22:13:20.100000000Z'
    assert (row['stamp_ns'], row['recording'], row['area'], row['subject']) == (
        '1700000000100000000', 'evening', 'hall', 'ann')
    assert [float(row[name]) for name in ('x_m', 'y_m', 'map_x_m', 'map_y_m', 'cov_xy_m2')] == [
        1.0, 3.0, east, north, 0.125]
    assert [float(row['latitude_deg']), float(row['longitude_deg'])] == pytest.approx(
        expected, abs=1e-9)


def test_without_origin_and_pose_these_columns_are_empty(make_run: Run, tmp_path: Path) -> None:
    export_bags({'evening': make_run(reported=False)}, tmp_path / 'out', 'csv', ALL)
    row = rows_of(tmp_path / 'out/truth.csv')[0]
    assert {row[name] for name in ('map_x_m', 'map_y_m', 'latitude_deg', 'longitude_deg')} == {''}
    with pytest.raises(SessionError, match='the pose of hall in the map is not known: give its'):
        export_bags({'evening': tmp_path / 'evening'}, tmp_path / 'geo', 'geojson',
                    [TABLES['truth']])
    assert not (tmp_path / 'geo').exists()


def test_area_files_override_what_twins_reported(make_run: Run, tmp_path: Path) -> None:
    file = tmp_path / 'area.yaml'
    file.write_text('/**:\n  ros__parameters: {area: hall, drivers: [imu], map_pose: '
                    '[0.0, 0.0, 0.0], map_origin: [48.0, 11.0, 90.0]}\n')
    export_bags({'evening': make_run()}, tmp_path / 'beside', 'geojson', [TABLES['truth']])
    export_bags({'evening': tmp_path / 'evening'}, tmp_path / 'given', 'geojson',
                [TABLES['truth']], areas=[read_geometry(file)],
                origin=MapOrigin(0.0, 0.0, 90.0))
    places = [json.loads((tmp_path / name / 'truth.geojson').read_text())['features'][0][
        'geometry']['coordinates'] for name in ('beside', 'given')]
    assert places[0] == pytest.approx([11.0, 48.0], abs=1e-4)
    assert places[1] == pytest.approx([0.0, 0.0], abs=1e-4)


@pytest.mark.parametrize('limit', ['CHUNK_MESSAGES', 'MAX_HELD_BYTES'])
def test_chunks_of_messages_give_the_same_rows(
    limit: str, make_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    bag = make_run()
    export_bags({'evening': bag}, tmp_path / 'whole', 'csv', ALL)
    monkeypatch.setattr(bag_export, limit, 3)
    export_bags({'evening': bag}, tmp_path / 'chunks', 'csv', ALL)
    for path in (tmp_path / 'whole').iterdir():
        assert (tmp_path / 'chunks' / path.name).read_bytes() == path.read_bytes()


def test_recordings_are_named_by_their_folders(make_run: Run, tmp_path: Path) -> None:
    one, other = make_run('sessions/hall/one'), make_run('sessions/stairs/one')
    assert find_bags([tmp_path / 'sessions']) == {'hall/one': one, 'stairs/one': other}
    assert find_bags([one]) == {'one': one}
    with pytest.raises(SessionError, match='are both named one: export them one after the other'):
        find_bags([one, other])
    with pytest.raises(SessionError, match='no bag, and no folder with <area>/<session>'):
        find_bags([one.parent.parent.parent / 'none'])


def test_nothing_is_left_of_an_export_that_fails(make_run: Run, tmp_path: Path) -> None:
    bag = make_run()
    with pytest.raises(SessionError, match='no message of the tables synthesized_imu'):
        export_bags({'evening': bag}, tmp_path / 'out', 'csv', [TABLES['synthesized_imu']])
    assert [path.name for path in tmp_path.iterdir()] == ['evening']
    with pytest.raises(SettingsError, match='evening exists: an export needs a new folder'):
        export_bags({'evening': bag}, bag, 'csv', ALL)


def test_topic_of_another_type_is_refused(
    make_bag: Callable[..., Path], tmp_path: Path,
) -> None:
    bag = make_bag(tmp_path / 'bag', '/hall/twins/ann/position')
    with pytest.raises(SessionError, match='/position is a std_msgs/msg/Empty: it must be a'):
        export_bags({'bag': bag}, tmp_path / 'out', 'csv', ALL)


def test_areas_of_one_map_have_one_origin() -> None:
    hall = AreaSettings(area='hall', map_origin=(48.0, 11.0, 0.0))
    assert common_origin([hall, AreaSettings()]) == MapOrigin(48.0, 11.0, 0.0)
    with pytest.raises(SettingsError, match=r'map_origin of hall is \[48.0, 11.0, 0.0\], that of'):
        common_origin([hall, AreaSettings(area='stairs', map_origin=(47.0, 11.0, 0.0))])
