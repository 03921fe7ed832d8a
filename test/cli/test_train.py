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

"""Command line of `utt train`."""

import json
from pathlib import Path

import pytest

from utt_ros.cli.main import main
from utt_ros.models.model_card import load_model


def test_model_is_written_with_its_card_and_score(trained: tuple[Path, str]) -> None:
    model, printed = trained
    card = json.loads(model.with_suffix('.json').read_bytes())
    assert card['training']['plan'] == 'centralised'
    assert 'score' in printed
    assert load_model(model)[0].settings.fusor == 'max'


@pytest.mark.parametrize(('words', 'error'), [
    (['--out', 'missing/model'], '--out is missing/model'),
    (['--out', 'model.json'], '--out is model.json'),
    (['--out', 'model', '--rounds', '0'], 'rounds is 0'),
    (['--out', 'model', '--corruption', '1.5'], 'corruption is 1.5'),
    (['--out', 'model', '--width', '50'], 'width is 50'),
    (['--out', 'model', '--data', 'nowhere'], 'nowhere')])
def test_wrong_arguments_are_refused_with_their_value(
    words: list[str], error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    data = [] if '--data' in words else ['--data', '.']
    assert main(['train', *data, *words]) == 2
    assert error in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
