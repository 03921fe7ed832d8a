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

"""Recordings are deleted when their days are over, and no others."""

from collections.abc import Callable
from pathlib import Path

import pytest

from utt_ros.errors import SessionError
from utt_ros.sessions.bag_writer import BagWriter, TopicDefinition
from utt_ros.sessions.retention import (
    KEEP_DAYS,
    NS_PER_DAY,
    check_keep_days,
    delete_bag,
    delete_expired,
    expired_bags,
    finish_deletions,
)

NOW_NS = 20_000 * NS_PER_DAY
Record = Callable[..., Path]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Write a bag whose newest message has an age; with a number of days that it is kept."""
    def make(name: str, age_days: float, keep: str = '') -> Path:
        path = tmp_path / name
        writer = BagWriter(path, {KEEP_DAYS: keep} if keep else {})
        topic = writer.add_topic(TopicDefinition('/hall/a', 'std_msgs/msg/Empty'))
        writer.write(topic, round(NOW_NS - age_days * NS_PER_DAY), bytes((0, 1, 0, 0)))
        writer.close()
        return path
    return make


def test_recordings_with_days_are_deleted_after_them(record: Record, tmp_path: Path) -> None:
    old, new, kept = record('old', 7.1, '7'), record('new', 6.9, '7'), record('kept', 999.0)
    assert delete_expired(tmp_path, NOW_NS) == [old]
    assert [path.exists() for path in (old, new, kept)] == [False, True, True]


def test_all_recordings_of_an_age_are_found_on_demand(record: Record, tmp_path: Path) -> None:
    old = record('hall/one/old', 31.0)
    record('hall/new', 29.0, '1')
    assert list(expired_bags(tmp_path, NOW_NS, 30.0)) == [old]
    assert delete_expired(tmp_path, NOW_NS) == [], 'only beside the new one'


@pytest.mark.parametrize('days', ['nan', 'soon'])
def test_bags_that_do_not_tell_their_days_are_kept(
    days: str, record: Record, tmp_path: Path,
) -> None:
    record('odd', 999.0, days)
    (record('broken', 999.0, '1') / 'metadata.yaml').write_text('nonsense')
    assert delete_expired(tmp_path, NOW_NS) == []


def test_empty_recording_is_kept(tmp_path: Path) -> None:
    BagWriter(tmp_path / 'empty', {KEEP_DAYS: '1'}).close()
    assert delete_expired(tmp_path, NOW_NS) == []


def test_a_deletion_that_was_killed_is_finished(record: Record, tmp_path: Path) -> None:
    record('half', 1.0).rename(tmp_path / '.deleted-half')
    delete_expired(tmp_path, NOW_NS)
    assert list(tmp_path.iterdir()) == []


def test_a_recording_that_begins_looks_for_killed_deletions_beside_it_only(tmp_path: Path) -> None:
    deeper = tmp_path / 'other/.deleted-bag'
    deeper.mkdir(parents=True)
    delete_expired(tmp_path, NOW_NS)
    assert deeper.exists()
    finish_deletions(tmp_path)
    assert not deeper.exists()


def test_a_bag_that_cannot_be_deleted_is_named(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match='none: '):
        delete_bag(tmp_path / 'none')


@pytest.mark.parametrize('days', [0.0, -1.0, float('nan'), 1e9])
def test_days_beyond_a_century_are_refused(days: float) -> None:
    with pytest.raises(ValueError, match='it must be more than 0 and at most 36525'):
        check_keep_days(days)
    assert check_keep_days(0.5) == 0.5
