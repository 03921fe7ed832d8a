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

"""Range offsets over restarts: begun with, begun anew when damaged or surveyed again."""

from pathlib import Path

import pytest

from utt_ros.errors import SettingsError
from utt_ros.twin.kept_offsets import OFFSETS_FILE, KeptOffsets
from utt_ros.twin.range_offsets import ApOffset, PhoneOffset, RangeOffsets, write_range_offsets

LEARNED = RangeOffsets((ApOffset('aa:01', (0.0, 0.0, 2.5), -1.0, 0.15),),
                       (PhoneOffset('anna', 'aa:01', 0.2, 0.1),))
SURVEYED = RangeOffsets((ApOffset('aa:01', (0.0, 0.0, 2.5), -2.0, 0.2),))


def test_a_twin_begins_with_what_it_kept(tmp_path: Path) -> None:
    folder = tmp_path / 'state' / 'hall'
    first = KeptOffsets(folder, None)
    assert first.begin is None
    first.write(LEARNED)
    assert KeptOffsets(folder, None).begin == LEARNED
    (folder / OFFSETS_FILE).unlink()
    first.write(LEARNED)
    assert not (folder / OFFSETS_FILE).exists(), 'the same offsets are not written again'


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    KeptOffsets(None, None).write(LEARNED)
    assert not list(tmp_path.iterdir())


def test_survey_is_the_start_and_another_one_outweighs_what_was_learned(tmp_path: Path) -> None:
    survey = tmp_path / 'survey.yaml'
    write_range_offsets(survey, SURVEYED)
    kept = KeptOffsets(tmp_path, survey)
    assert kept.begin == SURVEYED
    kept.write(LEARNED)
    again = KeptOffsets(tmp_path, survey).begin
    assert again is not None
    assert again.access_points == LEARNED.access_points
    write_range_offsets(survey, LEARNED)
    assert KeptOffsets(tmp_path, survey).begin == LEARNED
    assert KeptOffsets(tmp_path, None).begin is None, 'what was learned began with a survey'
    survey.write_text('nothing', encoding='utf-8')
    with pytest.raises(SettingsError, match=r'survey\.yaml: lists'):
        KeptOffsets(tmp_path, survey)


def test_damaged_file_is_kept_aside_and_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / OFFSETS_FILE
    path.write_bytes(b'access_points: [{offset: ')
    kept = KeptOffsets(tmp_path, None)
    assert kept.begin is None
    assert 'begin anew' in kept.note
    assert path.with_name(f'{OFFSETS_FILE}.damaged').read_bytes() == b'access_points: [{offset: '
    kept.write(LEARNED)
    assert KeptOffsets(tmp_path, None).begin == LEARNED
