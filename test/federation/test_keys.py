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

"""Keys on disk: private to their owner, made once, found again, trusted by line."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from utt_ros.errors import SettingsError
from utt_ros.federation.keys import KeyFolder, key_id, parse_public_line, public_line


@pytest.fixture
def keys(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / 'keys')


def test_new_key_is_private_to_its_owner_and_found_again(keys: KeyFolder) -> None:
    made = keys.private('hall').public_key()
    assert (keys.folder / 'hall.key').stat().st_mode & 0o777 == 0o600
    assert keys.folder.stat().st_mode & 0o777 == 0o700
    assert KeyFolder(keys.folder).private('hall').public_key() == made
    assert keys.public('hall') == {key_id(made): made}
    assert (keys.names(), keys.own_names()) == (['hall'], ['hall'])


@pytest.mark.parametrize('mode', [0o640, 0o604, 0o644, 0o660])
def test_key_that_others_can_read_is_refused_with_the_remedy(keys: KeyFolder, mode: int) -> None:
    keys.private('hall')
    (keys.folder / 'hall.key').chmod(mode)
    with pytest.raises(SettingsError, match=f'its mode is {mode:04o}: run chmod 600 .*hall.key'):
        keys.private('hall')


def test_list_of_trusted_keys_that_others_can_change_is_refused(keys: KeyFolder) -> None:
    keys.trust(public_line('stairs', KeyFolder(keys.folder / 'b').private('stairs').public_key()))
    (keys.folder / 'trusted').chmod(0o666)
    with pytest.raises(SettingsError, match='others can change it'):
        KeyFolder(keys.folder)


@pytest.mark.parametrize('mode', [0o777, 0o770, 0o1777])
def test_folder_that_others_can_change_is_refused_with_the_remedy(
    tmp_path: Path, mode: int,
) -> None:
    (tmp_path / 'keys').mkdir()
    (tmp_path / 'keys').chmod(mode)
    remedy = f'its mode is {mode:04o}: run chmod {mode & ~0o22:o} '
    with pytest.raises(SettingsError, match=remedy):
        KeyFolder(tmp_path / 'keys')


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can give a folder away')
def test_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'keys').mkdir(mode=0o755)
    os.chown(tmp_path / 'keys', 12345, 12345)
    with pytest.raises(SettingsError, match='belongs to user 12345'):
        KeyFolder(tmp_path / 'keys')


@pytest.mark.parametrize('content', [b'', b'\xff\xfe', b'-----BEGIN PRIVATE KEY-----\nx\n'])
def test_file_that_is_no_key_is_refused_by_name(keys: KeyFolder, content: bytes) -> None:
    path = keys.folder / 'hall.key'
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SettingsError, match=r'hall.key cannot be used as a key'):
        keys.private('hall')


@pytest.mark.parametrize('name', ['', '../hall', 'a/b', '.hall', 'x' * 65, 'ä'])
def test_name_that_no_area_can_have_is_refused(keys: KeyFolder, name: str) -> None:
    with pytest.raises(SettingsError, match='is not the name of an area'):
        keys.private(name)


def test_processes_that_start_at_once_make_one_key(tmp_path: Path) -> None:
    folders = [KeyFolder(tmp_path / 'keys') for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(lambda folder: key_id(folder.private('hall').public_key()), folders))
    assert made == {key_id(folders[0].private('hall').public_key())}
    assert {path.name for path in (tmp_path / 'keys').iterdir()} == {'hall.key', 'hall.pub'}


def test_key_of_another_site_is_trusted_by_its_line_and_without_a_restart(
    keys: KeyFolder, tmp_path: Path,
) -> None:
    other = KeyFolder(tmp_path / 'other').private('stairs').public_key()
    assert keys.public('stairs') == {}
    assert keys.trust(f'  {public_line("stairs", other)}\n') == 'stairs'
    assert keys.public('stairs') == {key_id(other): other}
    keys.trust(public_line('stairs', other))
    assert (keys.folder / 'trusted').read_text().count('stairs') == 1


def test_comments_and_empty_lines_of_the_trusted_keys_are_skipped(keys: KeyFolder) -> None:
    line = public_line('hall', keys.private('hall').public_key())
    (keys.folder / 'trusted').write_text(f'# the other building\n\n{line}\n')
    assert KeyFolder(keys.folder).names() == ['hall']


@pytest.mark.parametrize('line', [
    '', 'hall', 'hall ed25519:', 'hall ed25519:AAAA', 'hall rsa:AAAA', 'hall ed25519:%%%%',
    '../x ed25519:' + 'A' * 43 + '=', 'two words ed25519:' + 'A' * 43 + '='])
def test_line_that_is_no_public_key_is_refused(line: str) -> None:
    with pytest.raises(SettingsError, match='is not a public key'):
        parse_public_line(line)


def test_damaged_list_of_trusted_keys_leaves_the_known_ones_in_use(keys: KeyFolder) -> None:
    known = keys.private('hall').public_key()
    assert keys.public('hall')
    (keys.folder / 'trusted').write_text('hall garbage\n')
    assert keys.public('hall') == {key_id(known): known}
    assert 'is not a public key' in keys.problem


def test_removed_key_is_no_longer_trusted(keys: KeyFolder) -> None:
    keys.private('hall')
    assert keys.public('hall')
    (keys.folder / 'hall.pub').unlink()
    os.utime(keys.folder, ns=(1, 1))  # a later time on any file system
    assert keys.public('hall') == {}


def test_folder_that_cannot_be_made_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match='keys cannot be kept in /dev/null/keys'):
        KeyFolder(Path('/dev/null/keys'))
