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

"""Initial model from a child process."""

import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from utt_ros.errors import ModelError
from utt_ros.federation.initial_model import InitialModel
from utt_ros.federation.wire import Tensors
from utt_ros.models import initial
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.settings import WindowSettings

pytestmark = pytest.mark.slow

CONFIG = dump_config(ModelSettings(width=8, heads=2, feedforward=8), WindowSettings())
IMPORT_SEC = 60.0  # torch, on a machine that is busy


def weights(
    config: str, seed: int, folder: Path, wait_until: Callable[..., None],
) -> Tensors:
    child = InitialModel(config, seed, folder)
    got: list[Tensors | None] = []

    def poll() -> bool:
        got.append(child.poll())
        return got[-1] is not None

    try:
        wait_until(poll, IMPORT_SEC)
    finally:
        child.close()
    assert got[-1] is not None
    return got[-1]


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_interrupt_of_the_group_is_left_to_the_parent(
    number: signal.Signals, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    wait_until: Callable[..., None],
) -> None:
    before = set(psutil.Process().children())
    child = InitialModel(CONFIG, 5, tmp_path)
    try:
        for process in set(psutil.Process().children()) - before:
            process.send_signal(number)
        wait_until(lambda: child.poll() is not None, IMPORT_SEC)
    finally:
        child.close()
    assert capfd.readouterr().err == ''


def test_the_weights_are_those_of_the_configuration_and_the_seed(
    tmp_path: Path, wait_until: Callable[..., None],
) -> None:
    weights_read = weights(CONFIG, 5, tmp_path, wait_until)
    expected = initial_weights(
        ModelSettings(width=8, heads=2, feedforward=8), WindowSettings(), seed=5,
    )
    assert list(weights_read) == sorted(expected)
    for name, tensor in expected.items():
        assert (weights_read[name] == tensor).all()
    assert list(tmp_path.iterdir()) == []


def test_a_child_that_fails_is_an_error(
    tmp_path: Path, wait_until: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr('sys.executable', 'false')
    with pytest.raises(ModelError, match='initial model was not made: its process ended with 1'):
        weights(CONFIG, 5, tmp_path, wait_until)


@pytest.mark.parametrize(('config', 'message'), [
    ('{', 'model configuration is not JSON'),
    (dump_config(ModelSettings(fusor='glue'), WindowSettings()), "fusor is 'glue'"),
])
def test_a_configuration_that_cannot_be_built_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], config: str, message: str,
) -> None:
    assert initial.main([config, '5', str(tmp_path / 'file')]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_closing_ends_the_process_at_once(tmp_path: Path) -> None:
    before = set(psutil.Process().children())
    child = InitialModel(CONFIG, 5, tmp_path)
    running = set(psutil.Process().children()) - before
    assert running
    child.close()
    assert not any(process.is_running() for process in running)
