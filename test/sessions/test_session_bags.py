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

import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer

from utt_ros.errors import SessionError
from utt_ros.sessions.message_types import typestore
from utt_ros.sessions.session_bags import (
    find_sessions,
    is_readable_bag,
    read_area,
    read_session,
    read_split,
    write_area,
    write_session,
)
from utt_ros.settings import AreaSettings
from utt_ros.types import Session


def same(left: Any, right: Any) -> bool:
    """Whether two records hold the same, arrays by value and type, NaN equal to NaN."""
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and np.array_equal(left, right, equal_nan=True)
    if hasattr(left, '__dataclass_fields__'):
        return all(same(getattr(left, item.name), getattr(right, item.name))
                   for item in fields(left))
    return bool(left == right)


def rewrite(bag: Path, to: Path, plugin: StoragePlugin, rows: list[Any]) -> None:
    with Writer(to, version=8, storage_plugin=plugin) as writer:
        topics = {}
        for topic, msgtype, stamp, data in rows:
            if topic not in topics:
                topics[topic] = writer.add_connection(topic, msgtype, typestore=typestore())
            writer.write(topics[topic], stamp, data)


def test_each_range_keeps_its_access_point_also_two_of_one_stamp(
        session: Session, area: AreaSettings, tmp_path: Path) -> None:
    phone = session.phones['anna']
    stamps = phone.ftm_stamps_ns.copy()
    stamps[1] = stamps[0]
    mixed = replace(phone, ap='02:b', ftm_aps=('02:b', '02:c', 'other') * 3, ftm_stamps_ns=stamps)
    write_session(replace(session, phones={'anna': mixed}), area, tmp_path / 'bag')
    found = read_session(tmp_path / 'bag').phones['anna']
    assert same(found, mixed)


def test_a_session_comes_back_as_it_was_written(session: Session, bag: Path) -> None:
    read = read_session(bag)
    assert (read.area, read.name, read.split) == ('hall', 'first', 'val')
    assert same(session.frames, read.frames)
    assert same(session.phones['anna'], read.phones['anna'])
    ben = replace(session.phones['ben'], ftm_signal=None, ap='')  # without any range
    assert same(ben, read.phones['ben'])
    truth, read_truth = session.truth['anna'], read.truth['anna']
    assert same(truth.stamps_ns, read_truth.stamps_ns)
    assert same(truth.positions_m, read_truth.positions_m)
    assert read_truth.headings_rad == pytest.approx(truth.headings_rad, abs=1e-12)


def test_a_shuffled_sqlite_bag_is_read_in_order_of_stamps_each_once(
        session: Session, bag: Path, tmp_path: Path, rng: np.random.Generator, stored) -> None:
    rows = stored(bag)
    rows += rows[::3]
    shuffled = [rows[i] for i in rng.permutation(len(rows))]
    arrived = [(topic, kind, 10**18 + i, data)
               for i, (topic, kind, _, data) in enumerate(shuffled)]
    rewrite(bag, tmp_path / 'recorded', StoragePlugin.SQLITE3, arrived)
    read = read_session(tmp_path / 'recorded')
    assert (read.area, read.name, read.split) == ('hall', 'recorded', '')
    assert same(session.frames, read.frames)
    assert same(session.phones['anna'], read.phones['anna'])


def test_topics_that_were_not_recorded_leave_their_part_empty(
        bag: Path, tmp_path: Path, stored) -> None:
    rows = [row for row in stored(bag) if row[0] == '/hall/phones/anna/imu/mag']
    rewrite(bag, tmp_path / 'mag', StoragePlugin.MCAP, rows)
    read = read_session(tmp_path / 'mag')
    assert read.frames is None
    assert read.truth == {}
    assert len(read.phones['anna'].magnetic) == 140
    assert read.phones['anna'].inertial.shape == (0, 6)
    assert read.phones['anna'].ftm.shape == (0, 2)


def test_a_bag_of_several_areas_requires_a_choice(bag: Path, tmp_path: Path, stored) -> None:
    rows = stored(bag)
    both = rows + [(topic.replace('/hall/', '/yard/'), *rest) for topic, *rest in rows[:50]]
    rewrite(bag, tmp_path / 'both', StoragePlugin.MCAP, both)
    with pytest.raises(SessionError, match='several areas, hall, yard'):
        read_session(tmp_path / 'both')
    assert read_session(tmp_path / 'both', area='hall').area == 'hall'


def cut(bag: Path) -> None:
    path = bag / 'first_0.mcap'
    path.write_bytes(path.read_bytes()[:500])


def lose(bag: Path) -> None:
    (bag / 'first_0.mcap').unlink()


def flip(bag: Path) -> None:
    path = bag / 'first_0.mcap'
    content = bytearray(path.read_bytes())
    content[40:4000] = b'\xff' * 3960
    path.write_bytes(content)


@pytest.mark.parametrize('damage', [cut, lose, flip])
def test_a_broken_bag_is_an_error_that_names_it(
        damage: Callable[[Path], None], bag: Path) -> None:
    damage(bag)
    with pytest.raises(SessionError, match='hall/first'):
        read_session(bag)


@pytest.mark.parametrize('text', [None, '', 'rosbag2_bagfile_information: [1, {', 'a: b'])
def test_a_session_is_read_and_found_without_its_metadata(
        session: Session, bag: Path, text: str | None) -> None:
    (bag / 'metadata.yaml').unlink()
    if text is not None:
        (bag / 'metadata.yaml').write_text(text)
    read = read_session(bag)
    assert (read.area, read.name, read.split) == ('hall', 'first', '')
    assert same(session.phones['anna'], read.phones['anna'])
    assert find_sessions(bag.parents[1]) == {'hall': [bag]}
    if text is None:
        assert read_split(bag) == ''


def test_a_topic_of_another_type_is_refused(bag: Path, tmp_path: Path, stored) -> None:
    rows = [('/hall/phones/anna/ftm', kind, stamp, data)
            for topic, kind, stamp, data in stored(bag) if topic.endswith('data_raw')]
    rewrite(bag, tmp_path / 'odd', StoragePlugin.MCAP, rows)
    with pytest.raises(SessionError, match='must be a utt_ros/msg/FtmRange'):
        read_session(tmp_path / 'odd')


def test_a_bag_of_somebody_else_is_refused(bag: Path, tmp_path: Path, stored) -> None:
    rows = [('/imu', *rest) for topic, *rest in stored(bag) if topic.endswith('data_raw')]
    rewrite(bag, tmp_path / 'other', StoragePlugin.MCAP, rows)
    with pytest.raises(SessionError, match='none of its topics'):
        read_session(tmp_path / 'other')


def test_a_full_disk_leaves_no_half_bag(
        session: Session, area: AreaSettings, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(SessionError, match='File too large'):
            write_session(session, area, tmp_path / 'bag')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_bag_is_replaced_but_nothing_else_is(
        session: Session, area: AreaSettings, bag: Path, tmp_path: Path) -> None:
    write_session(replace(session, split='test'), area, bag)
    assert read_session(bag).split == 'test'
    assert [path.name for path in bag.parent.iterdir()] == ['first']
    (tmp_path / 'home').mkdir()
    with pytest.raises(SessionError, match='is not a bag'):
        write_session(session, area, tmp_path / 'home')


def test_sessions_that_cannot_be_written_are_refused(
        session: Session, area: AreaSettings, tmp_path: Path) -> None:
    empty = replace(session, frames=None, phones={}, truth={})
    with pytest.raises(SessionError, match='nothing was measured'):
        write_session(empty, area, tmp_path / 'bag')
    with pytest.raises(SessionError, match="'two words' cannot be in a topic"):
        write_session(replace(session, phones={'two words': session.phones['anna']}), area,
                      tmp_path / 'bag')
    early = replace(session.truth['anna'], stamps_ns=np.arange(20) - 3)
    with pytest.raises(SessionError, match='-3 ns'):
        write_session(replace(session, truth={'anna': early}), area, tmp_path / 'bag')


def test_sessions_are_found_by_area_and_their_split_read_without_the_data(
        bag: Path, area: AreaSettings) -> None:
    write_area(area, bag.parent)
    (bag.parent / '.first.x7' / 'first').mkdir(parents=True)
    (bag.parent / 'notes').mkdir()
    assert find_sessions(bag.parents[1]) == {'hall': [bag]}
    (bag / 'first_0.mcap').unlink()
    assert read_split(bag) == 'val'
    assert read_area(bag.parent) == area


def test_a_folder_without_sessions_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match='no bag at'):
        find_sessions(tmp_path / 'nowhere')


@pytest.mark.parametrize('text', ['{', 'a: b', 'rosbag2_bagfile_information: 3'])
def test_a_split_in_broken_metadata_is_an_error(bag: Path, text: str) -> None:
    (bag / 'metadata.yaml').write_text(text)
    with pytest.raises(SessionError, match=r'metadata\.yaml'):
        read_split(bag)


def test_an_mcap_file_without_its_folder_is_read(session: Session, bag: Path) -> None:
    read = read_session(bag / 'first_0.mcap')
    assert same(session.frames, read.frames)


def test_sessions_and_their_commands_load_neither_ros_nor_torch() -> None:
    code = ('import sys, utt_ros.cli.import_, utt_ros.cli.simulate\n'
            'sys.exit(bool({"rclpy", "torch", "onnxruntime"} & set(sys.modules)))')
    assert subprocess.run([sys.executable, '-c', code], check=False).returncode == 0


def test_a_folder_is_a_readable_bag_with_metadata_or_storage_alone(
        bag: Path, tmp_path: Path) -> None:
    assert is_readable_bag(bag)
    (bag / 'metadata.yaml').unlink()
    assert is_readable_bag(bag)
    (bag / 'first_0.mcap').unlink()
    assert not is_readable_bag(bag)
    assert not is_readable_bag(tmp_path / 'none')
