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

"""`utt keys`: from a new key at one site to its trust at another."""

from pathlib import Path

import pytest

from utt_ros.cli.main import main


def test_key_made_at_one_site_is_trusted_at_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    here, there = str(tmp_path / 'here'), str(tmp_path / 'there')
    assert main(['keys', 'create', 'hall', '--keys', here]) == 0
    line = capsys.readouterr().out
    assert line.startswith('hall ed25519:')
    assert main(['keys', 'show', 'hall', '--keys', here]) == 0
    assert capsys.readouterr().out == line
    assert main(['keys', 'trust', line.strip(), '--keys', there]) == 0
    assert main(['keys', 'trust', str(tmp_path / 'here/hall.pub'), '--keys', there]) == 0
    capsys.readouterr()
    assert main(['keys', 'list', '--keys', there]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows if 'hall' in row] == ['hall']
    assert rows[-1].endswith('elsewhere')
    assert not list(Path(there).glob('*.key'))


@pytest.mark.parametrize(('words', 'complaint'), [
    (['create'], 'give names'), (['create', '../x'], 'is not the name of an area'),
    (['show', 'hall'], "has no key of 'hall'"), (['trust', 'nofile'], 'neither a public line'),
    (['trust', 'hall ed25519:AAAA'], 'is not a public key'), (['trust'], 'give public lines')])
def test_wrong_request_is_refused_in_a_sentence(
    words: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(['keys', *words, '--keys', str(tmp_path)]) == 2
    assert complaint in capsys.readouterr().err
