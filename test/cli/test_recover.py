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


def test_recover_writes_a_clean_bag_and_tells_its_size(
        sessions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = min(sessions.glob('area0/*/*.mcap'))
    cut = tmp_path / 'evening.mcap'
    cut.write_bytes(path.read_bytes()[:-50])
    assert main(['recover', str(cut)]) == 0
    assert f'{tmp_path}/evening_recovered: ' in capsys.readouterr().out
    assert main(['recover', str(path.parent), '--out', str(tmp_path / 'copy')]) == 0
    assert 'nothing was wrong' in capsys.readouterr().out
    assert main(['recover', str(path.parent), '--out', str(tmp_path / 'copy')]) == 2
    assert 'exists' in capsys.readouterr().err
