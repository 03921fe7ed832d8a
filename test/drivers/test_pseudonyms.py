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

"""Pseudonyms are the same by one key, tell nothing without it, and their key is its owner's."""

import stat
from pathlib import Path

import pytest

from utt_ros.drivers.pseudonyms import KEY_FILE, Pseudonyms, open_pseudonyms, read_pseudonyms
from utt_ros.errors import SettingsError
from utt_ros.sensor_limits import is_name


def test_a_pseudonym_is_a_name_and_the_same_by_the_same_key() -> None:
    one, again, other = Pseudonyms(b'1' * 32), Pseudonyms(b'1' * 32), Pseudonyms(b'2' * 32)
    names = [f'phone{number}' for number in range(200)]
    pseudonyms = [one.of(name) for name in names]
    assert pseudonyms == [again.of(name) for name in names]
    assert len({*pseudonyms, *map(other.of, names)}) == 400
    assert all(is_name(pseudonym) and len(pseudonym) == 13 for pseudonym in pseudonyms)


def test_a_pseudonym_is_the_hmac_of_the_name() -> None:
    assert Pseudonyms(bytes(32)).of('anna') == 'phs2f43gj4pgw'  # by openssl dgst and base32


def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    assert read_pseudonyms(tmp_path / 'keys') is None
    made = open_pseudonyms(tmp_path / 'keys')
    path = tmp_path / 'keys' / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert open_pseudonyms(tmp_path / 'keys').of('anna') == made.of('anna')
    assert [each.name for each in path.parent.iterdir()] == [KEY_FILE]


@pytest.mark.parametrize(('content', 'mode', 'complaint'), [
    ('00' * 32, 0o640, 'has the mode 640: others can read'), ('00' * 31, 0o600, 'has 31 bytes'),
    ('nonsense', 0o600, 'cannot be used as a key'),
    ('00' * 999, 0o600, 'it is longer than 128 bytes')])
def test_a_key_that_others_read_or_that_is_none_is_refused(
    content: str, mode: int, complaint: str, tmp_path: Path,
) -> None:
    path = tmp_path / KEY_FILE
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(SettingsError, match=complaint):
        open_pseudonyms(tmp_path)


def test_a_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(SettingsError, match=r'/dev/null/keys/.* cannot be written'):
        open_pseudonyms(Path('/dev/null/keys'))
