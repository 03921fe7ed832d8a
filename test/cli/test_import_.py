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

from pathlib import Path

import pytest

from utt_ros.cli.main import main


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match='0'):
        main(['import', '--help'])
    assert 'utt import vifi ~/RAN4model_dfv4p4 --out sessions' in capsys.readouterr().out


def test_a_folder_without_sequences_ends_with_an_error(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for source in (tmp_path, tmp_path / 'nowhere'):
        assert main(['import', 'vifi', str(source), '--out', str(tmp_path / 'out')]) == 2
        assert str(source) in capsys.readouterr().err


def test_a_broken_scenes_json_ends_with_an_error(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / 'indoor' / 'scene0' / 'a' / 'IMU').mkdir(parents=True)
    (tmp_path / 'scenes.json').write_text('[]')
    assert main(['import', 'vifi', str(tmp_path), '--out', str(tmp_path / 'out')]) == 2
    assert 'scenes.json' in capsys.readouterr().err
