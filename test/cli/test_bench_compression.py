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

"""`utt bench compression` prints a row per compression, relative to plain updates."""

import pytest

from utt_ros.cli.main import main

pytestmark = pytest.mark.slow


def test_each_compression_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    words = ['--areas', '3', '--rounds', '2', '--seeds', '1', '--only', 'sign']
    assert main(['bench', 'compression', *words]) == 0
    _, plain, sign, note = capsys.readouterr().out.splitlines()
    assert (plain.split()[0], plain.split()[3], plain.split()[5]) == ('none', '1.0', '1.0000')
    assert sign.split()[0] == 'sign'
    assert note.startswith('mean, 2 rounds, 1 seeds, machine load ')


@pytest.mark.parametrize(('words', 'message'), [
    (['--areas', '2'], '--areas is 2: it must be within 3..64'),
    (['--rounds', '1'], '--rounds is 1: it must be within 2..1000')])
def test_a_number_outside_its_limits_is_named(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(['bench', 'compression', *words]) == 2
    assert message in capsys.readouterr().err
