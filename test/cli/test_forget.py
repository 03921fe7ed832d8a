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

"""`utt forget` over recordings and state, by name and by pseudonym, and of old recordings."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from utt_ros.drivers.pseudonyms import open_pseudonyms
from utt_ros.sessions.bag_writer import BagWriter, TopicDefinition
from utt_ros.sessions.retention import KEEP_DAYS, NS_PER_DAY
from utt_ros.twin.range_offsets import (
    PhoneOffset,
    RangeOffsets,
    read_range_offsets,
    write_range_offsets,
)


@pytest.fixture
def stored(tmp_path: Path, make_bag: Callable[..., Path]) -> Path:
    """Write a recording and a state with ann, by name and by pseudonym."""
    pseudonym = open_pseudonyms(tmp_path / 'state/keys').of('ann')
    make_bag(tmp_path / 'recordings/one', '/hall/phones/ann/ftm', '/hall/phones/ben/ftm')
    make_bag(tmp_path / 'recordings/two', f'/hall/phones/{pseudonym}/ftm')
    make_bag(tmp_path / 'recordings/three', '/hall/phones/ben/ftm')
    (tmp_path / 'state/hall').mkdir()
    write_range_offsets(tmp_path / 'state/hall/range_offsets.yaml', RangeOffsets(
        (), tuple(PhoneOffset(phone) for phone in ('ann', pseudonym, 'ben'))))
    return tmp_path


def words(stored: Path, *people: str) -> tuple[object, ...]:
    return ('forget', *people, '--recordings', stored / 'recordings', '--state', stored / 'state')


def test_people_are_forgotten_in_recordings_and_state(stored: Path, utt: Callable) -> None:
    wanted = utt(*words(stored, 'ann'), '--dry-run')
    assert 'one: 1 messages would be removed, 0 would be changed' in wanted.out
    done = utt(*words(stored, 'ann'))
    assert done.code == 0
    assert 'one: 1 messages removed, 0 changed' in done.out
    assert 'two: 1 messages removed, 0 changed' in done.out
    assert 'three: no trace of them' in done.out
    assert 'range_offsets.yaml: 2 offsets of phones removed' in done.out
    assert 'models are not changed' in done.out
    left = read_range_offsets(stored / 'state/hall/range_offsets.yaml')
    assert [row.phone for row in left.phones] == ['ben']
    assert utt(*words(stored, 'ann')).out.count('no trace of them') == 3


@pytest.mark.parametrize('left', ['.one.killed.tmp/.former', '.gone.killed.tmp/.former',
                                  '.two.killed.tmp/two', '.deleted-one'])
def test_copies_that_killed_commands_left_are_forgotten_too(
    stored: Path, utt: Callable, make_bag: Callable[..., Path], left: str,
) -> None:
    recordings = stored / 'recordings'
    (recordings / left).parent.mkdir(exist_ok=True)
    make_bag(recordings / left, '/hall/phones/ann/ftm', '/hall/phones/ben/ftm')
    assert utt(*words(stored, 'ann'), '--dry-run').code == 0
    assert (recordings / left).exists()
    assert utt(*words(stored, 'ann')).code == 0
    found = sorted(path.name for path in recordings.iterdir())
    assert found == sorted({'one', 'two', 'three', *(['gone'] if 'gone' in left else [])})
    assert utt(*words(stored, 'ann')).out.count('no trace of them') == len(found)


def test_old_recordings_are_deleted(tmp_path: Path, utt: Callable) -> None:
    for name, age, keep in (('old', 40, {}), ('new', 2, {}), ('over', 3, {KEEP_DAYS: '1'})):
        writer = BagWriter(tmp_path / name, keep)
        topic = writer.add_topic(TopicDefinition('/hall/a', 'std_msgs/msg/Empty'))
        writer.write(topic, time.time_ns() - age * NS_PER_DAY, bytes((0, 1, 0, 0)))
        writer.close()
    assert utt('forget', '--expired', '--recordings', tmp_path, '--dry-run').out == (
        f'{tmp_path}/over: would be deleted\n')
    assert utt('forget', '--expired', '--recordings', tmp_path).code == 0
    assert utt('forget', '--older-than', 30, '--recordings', tmp_path).out == (
        f'{tmp_path}/old: deleted\n')
    assert [path.name for path in tmp_path.iterdir()] == ['new']


@pytest.mark.parametrize(('words', 'complaint'), [
    ([], 'give PERSON, or --older-than DAYS, or --expired'),
    (['ann', '--expired'], 'give PERSON, or --older-than DAYS, or --expired'),
    (['--expired'], 'give --recordings'),
    (['an-n'], "'an-n' is no name of a phone")])
def test_unclear_wishes_are_refused(words: list[str], complaint: str, utt: Callable) -> None:
    done = utt('forget', *words)
    assert (done.code, done.out) == (2, '')
    assert complaint in done.err
