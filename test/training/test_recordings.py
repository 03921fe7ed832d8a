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

"""Recorded sequences, their splits and windows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from utt_ros.errors import SessionError, SettingsError
from utt_ros.sessions.session_bags import (
    find_sessions,
    read_area,
    write_area,
    write_session,
)
from utt_ros.training.recordings import Recordings, fingerprint, load_recordings
from utt_ros.twin.settings import ParticleFilterSettings


def test_splits_are_those_that_were_recorded(data: Recordings) -> None:
    assert [item.split for item in data.of('train')] == ['train', 'train']
    assert {item.sequence for item in data.of('test')} == {'area0/session02', 'area1/session02'}
    assert data.notes == ()


def test_windows_have_their_sequences_and_do_not_overlap(data: Recordings) -> None:
    cut = data.windows('test', 'area0', ticks=data.window.ticks)
    assert set(cut.sequences) == {'area0/session02'}
    length_ns = round(data.window.ticks * data.window.period * 1e9)
    for subject in set(cut.windows.subjects):
        rows = [row for row, name in enumerate(cut.windows.subjects) if name == subject]
        assert (np.diff(cut.windows.stamps_ns[rows]) >= 0.99 * length_ns).all()


def test_windows_of_an_unknown_area_are_an_error(data: Recordings) -> None:
    with pytest.raises(SessionError, match='no train sequence'):
        data.windows('train', 'area7')


def test_the_fingerprint_changes_with_the_contents(tmp_path: Path) -> None:
    (tmp_path / 'a').write_text('1')
    before = fingerprint(tmp_path)
    (tmp_path / '.hidden').write_text('x')
    assert fingerprint(tmp_path) == before
    (tmp_path / 'a').write_text('2')
    assert fingerprint(tmp_path) != before


def test_sequences_are_held_out_where_no_split_was_recorded(
    sessions: Path, tmp_path: Path,
) -> None:
    for area, bags in find_sessions(sessions).items():
        (tmp_path / 'in' / area).mkdir(parents=True)
        (tmp_path / 'in' / area / 'area.yaml').symlink_to(sessions / area / 'area.yaml')
        for bag in bags:
            copy = tmp_path / 'in' / area / bag.name
            copy.mkdir()
            for file in bag.iterdir():
                content = file.read_bytes()
                if file.name == 'metadata.yaml':
                    text = content.decode()
                    for split in ('train', 'val', 'test'):
                        text = text.replace(f'split: {split}', "split: ''")
                    content = text.encode()
                (copy / file.name).write_bytes(content)
    loaded = load_recordings(tmp_path / 'in', tmp_path / 'cache')
    assert [item.split for item in loaded.recordings] == ['train', 'val', 'test'] * 2
    assert loaded.notes[0].startswith('no test split was recorded: held out area0/session02')


def test_real_recordings_are_read_in_their_own_layout(mini: Path, tmp_path: Path) -> None:
    loaded = load_recordings(mini, tmp_path)
    assert {item.split for item in loaded.recordings} == {'train', 'val', 'test'}
    assert loaded.modalities == ('camera', 'ftm', 'imu')
    assert all(item.session.truth for item in loaded.recordings)


@pytest.fixture
def more(data: Recordings, tmp_path: Path) -> Path:
    """Write a further area: what was measured in the other splits, each as a train session."""
    area = replace(data.areas['area0'], area='hall')
    folder = tmp_path / 'more'
    write_area(area, folder / 'hall')
    for item in data.of('train', 'area0') + data.of('test', 'area0'):
        session = replace(item.session, area='hall', split='train')
        write_session(session, area, folder / 'hall' / item.name)
    return folder


def test_a_folder_of_train_sequences_adds_to_the_train_split_alone(
    sessions: Path, more: Path, data: Recordings, tmp_path: Path,
) -> None:
    both = load_recordings([sessions, more], tmp_path / 'cache')
    assert list(both.areas) == ['area0', 'area1', 'hall']
    for split in ('val', 'test'):
        assert [item.sequence for item in both.of(split)] == [
            item.sequence for item in data.of(split)]
    assert [item.sequence for item in both.of('train')] == [
        'area0/session00', 'area1/session00', 'hall/session00']
    assert both.fingerprint not in (data.fingerprint, fingerprint(more))
    other = load_recordings([more, sessions], tmp_path / 'cache')
    assert (other.fingerprint, other.notes) == (both.fingerprint, both.notes)
    assert [item.sequence for item in other.recordings] == [
        item.sequence for item in both.recordings]


def test_a_walk_of_the_test_split_is_left_out_of_the_training_of_another_folder(
    sessions: Path, more: Path, tmp_path: Path,
) -> None:
    both = load_recordings([sessions, more], tmp_path / 'cache')
    assert 'hall/session02' not in {item.sequence for item in both.recordings}
    assert both.notes == ('left out, with a walk of the test split: hall/session02',)


def test_a_sequence_in_two_folders_is_refused_with_the_names_of_both(
    sessions: Path, tmp_path: Path,
) -> None:
    (tmp_path / 'link').symlink_to(sessions)
    with pytest.raises(SessionError, match=f'{sessions} and .*/link both have the sequence area0'):
        load_recordings([sessions, tmp_path / 'link'], tmp_path / 'cache')


def test_sequences_have_the_belief_that_the_area_file_states(
    sessions: Path, tmp_path: Path,
) -> None:
    folder = tmp_path / 'in'
    for area, bags in find_sessions(sessions).items():
        (folder / area).mkdir(parents=True)
        for bag in bags:
            (folder / area / bag.name).symlink_to(bag)
    write_area(read_area(sessions / 'area0'), folder / 'area0', belief={'range_std': 0.7})
    write_area(read_area(sessions / 'area1'), folder / 'area1')
    loaded = load_recordings(folder, tmp_path / 'cache')
    stated, default = ({item.belief for item in loaded.recordings if item.area.area == area}
                       for area in ('area0', 'area1'))
    assert stated == {ParticleFilterSettings(range_std=0.7)}
    assert default == {ParticleFilterSettings()}
    (one,) = load_recordings(folder / 'area0' / 'session00', tmp_path / 'cache').recordings
    assert one.belief.range_std == 0.7


def test_a_belief_that_no_filter_could_have_is_an_error(sessions: Path, tmp_path: Path) -> None:
    (tmp_path / 'area0').mkdir()
    (tmp_path / 'area0' / 'session00').symlink_to(sessions / 'area0' / 'session00')
    write_area(read_area(sessions / 'area0'), tmp_path / 'area0', belief={'range_std': -1.0})
    with pytest.raises(SettingsError, match=r'range_std is -1'):
        load_recordings(tmp_path, tmp_path / 'cache')
