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

"""Training on trusted recordings, within this process; as a child in test_root_of_trust."""

from pathlib import Path

import pytest

from utt_ros.errors import SessionError
from utt_ros.federation.root_of_trust import model_path, update_path
from utt_ros.federation.wire import parse, serialize
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.settings import WindowSettings
from utt_ros.training.root_update import (
    LearnedRoot,
    main,
    make_root_trainer,
    train_rounds,
)

MODEL, WINDOW = ModelSettings(width=8, heads=2, feedforward=8), WindowSettings()
CONFIG = dump_config(MODEL, WINDOW)


def test_rounds_are_trained_in_order_and_their_models_removed(
    sessions: Path, tmp_path: Path,
) -> None:
    weights = initial_weights(MODEL, WINDOW, 1)
    for number in (1, 2):
        model_path(tmp_path, number).write_bytes(serialize(weights))
    train_rounds(LearnedRoot(make_root_trainer(sessions, CONFIG)), tmp_path, ['1\n', '2\n'])
    first, second = (parse(update_path(tmp_path, number).read_bytes()) for number in (1, 2))
    assert first.keys() == second.keys() <= weights.keys()
    assert any((first[name] != second[name]).any() for name in first)  # other batches
    assert len(list(tmp_path.iterdir())) == 2


def test_folders_without_recordings_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SessionError):
        make_root_trainer(tmp_path, CONFIG)
    assert main([str(tmp_path), CONFIG, str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err
