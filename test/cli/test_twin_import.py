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

"""`utt twins import`: a model file becomes a task twin of a running area."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from utt_ros.bridge.node.twin_handover import AdoptionService
from utt_ros.errors import UttError
from utt_ros.federation.keys import KeyFolder
from utt_ros.federation.settings import SigningSettings
from utt_ros.federation.signing import make_verifier
from utt_ros.federation.types import TwinHandover
from utt_ros.federation.wire import unpack
from utt_ros.models.saved_model import read_saved_model, write_saved_model
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.settings import WindowSettings
from utt_ros.task_twins.registry_file import parse_twin
from utt_ros.task_twins.types import TaskTwin
from utt_ros.training.twin_models import TwinModel, model_writer

MADE = TaskTwin(
    'stairs_trajectory_4', 'stairs', 'trajectory', ('ftm',), operation='transfer',
    parents=('stairs_position',))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write an export of a task twin of another area."""
    model, shape = ModelSettings(width=16, heads=2, feedforward=16), WindowSettings(ticks=8)
    weights, path = initial_weights(model, shape, 1), tmp_path / 'twin.safetensors'
    model_writer(TwinModel(MADE, dump_config(model, shape), weights))(path)
    return path


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Make the key of hall."""
    KeyFolder(tmp_path / 'keys').private('hall')
    return tmp_path / 'keys'


@pytest.fixture
def adopt(serve_area: Callable, keys: Path) -> Callable[..., Any]:
    """Serve hall, which registers what is handed over with its seal."""
    def serve(*, signed: bool = True) -> Any:
        hall = serve_area('hall', ('ftm', 'imu'))
        verifier = make_verifier(SigningSettings(signed=signed, keys=str(keys)))

        def put_request(action: Callable[[], str]) -> 'Future[str]':
            pending: Future[str] = Future()
            try:
                pending.set_result(action())
            except UttError as err:
                pending.set_exception(err)
            return pending

        def take(handover: TwinHandover, begin_writing: Callable[[], None]) -> TaskTwin:
            unpack(handover.payload, handover.checksum, 2**24)
            begin_writing()
            return hall.registry.register(parse_twin(handover.record))

        AdoptionService(hall.node, verifier, put_request, take)
        return hall
    return serve


def test_an_export_becomes_a_twin_of_another_area(
    adopt: Callable, utt: Callable, file: Path, keys: Path,
) -> None:
    hall = adopt()
    done = utt('twins', 'import', file, '--area', 'hall', '--keys', keys, '--wait', 30)
    assert done == (0, 'hall_trajectory_2 serves trajectory in hall\n', '')
    twin = hall.registry.get('hall_trajectory_2')
    assert (twin.operation, twin.sources, twin.parents) == (
        'import', ('ftm',), ('stairs_trajectory_4',))


def test_an_area_without_signatures_takes_an_unsigned_one(
    adopt: Callable, utt: Callable, file: Path, keys: Path,
) -> None:
    adopt(signed=False)
    words = ['--area', 'hall', '--unsigned', '--wait', 30]
    assert utt('twins', 'import', file, *words).code == 0


def test_an_area_refuses_an_unsigned_model_in_one_sentence(
    adopt: Callable, utt: Callable, file: Path,
) -> None:
    registry = adopt().registry
    before = registry.twins
    done = utt('twins', 'import', file, '--area', 'hall', '--unsigned', '--wait', 30)
    assert done == (1, '', "utt twins: it is not signed by 'hall'\n")
    assert registry.twins == before


def test_an_area_that_does_not_run_is_reported_with_the_remedy(
    ros_domain: int, utt: Callable, file: Path, keys: Path,
) -> None:
    done = utt('twins', 'import', file, '--area', 'hall', '--keys', keys, '--wait', 0.2)
    assert (done.code, done.out, done.err.count('\n')) == (1, '', 1)
    assert 'start one with `utt run`' in done.err


@pytest.mark.parametrize(('words', 'complaint'), [
    (['none.safetensors'], 'none.safetensors: there is no such model file'),
    (['old.safetensors'], 'it was made by version 0.0.1: this is'),
    (['plain.safetensors'], 'plain.safetensors: the model names no task: give one of trajectory'),
    (['twin.safetensors', '--sources', 'lidar'], 'the model has no lidar: it has camera,'),
    (['twin.safetensors', '--sources', 'camera'], 'reads camera, which it makes'),
    (['twin.safetensors', '--area', '9th'], "area '9th' of a task twin is not a name"),
    (['twin.safetensors', '--max-nmse', '-1'], '--max-nmse is -1: it must be finite, at least 0'),
    (['twin.safetensors', '--max-nmse', 'nan'], '--max-nmse is nan'),
    (['twin.safetensors', '--keys', 'nokeys'],
     'nokeys has no private key of hall, with which hall believes its operator')])
def test_a_wrong_file_or_request_is_refused_before_the_area_is_asked(
    words: list[str], complaint: str, file: Path, keys: Path, utt: Callable, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    weights, card = read_saved_model(file)
    write_saved_model(Path('old.safetensors'), weights, replace(card, code_version='0.0.1'))
    write_saved_model(Path('plain.safetensors'), weights, replace(card, training={}))
    done = utt('twins', 'import', '--area', 'hall', '--keys', keys, *words)
    assert (done.code, done.out, done.err.count('\n')) == (2, '', 1)
    assert complaint in done.err
    assert not Path('nokeys').exists()
