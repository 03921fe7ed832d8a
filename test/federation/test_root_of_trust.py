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

"""Updates of trusted recordings by a child process."""

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from utt_ros.federation import root_of_trust
from utt_ros.federation.aggregation import Contribution
from utt_ros.federation.aggregation_rules import make_aggregation_rule
from utt_ros.federation.checkpoints import Checkpoint, NullStore
from utt_ros.federation.client_messages import make_update
from utt_ros.federation.root_of_trust import TrustedRecordings
from utt_ros.federation.server import FederationServer
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.wire import Tensors
from utt_ros.models.settings import ModelSettings, dump_config
from utt_ros.models.twin import initial_weights
from utt_ros.settings import WindowSettings

pytestmark = pytest.mark.slow

MODEL, WINDOW = ModelSettings(width=8, heads=2, feedforward=8), WindowSettings()
CONFIG = dump_config(MODEL, WINDOW)
START_SEC = 120.0  # torch and the recordings, on a machine that is busy


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., TrustedRecordings]]:
    made: list[TrustedRecordings] = []

    def start(sessions: Path) -> TrustedRecordings:
        made.append(TrustedRecordings(sessions, CONFIG, tmp_path / 'root'))
        return made[-1]

    yield start
    for root in made:
        root.close()


def test_each_round_has_an_update_of_its_own_model(
    make: Callable[..., TrustedRecordings], sessions: Path, tmp_path: Path,
    wait_until: Callable[..., None],
) -> None:
    root, weights = make(sessions), initial_weights(MODEL, WINDOW, 1)
    root.begin(weights)
    wait_until(root.is_ready, START_SEC)
    first = root.update(weights)
    assert root.problem == ''
    assert first.keys() <= weights.keys()
    assert any(name.startswith('encoders.') for name in first)
    assert any((first[name] != weights[name]).any() for name in first)
    changed = {name: tensor + np.float32(0.01) for name, tensor in weights.items()}
    root.begin(changed)
    assert not root.is_ready()
    wait_until(root.is_ready, START_SEC)
    second = root.update(changed)
    assert second.keys() == first.keys()
    assert any((second[name] != first[name]).any() for name in first)
    assert list((tmp_path / 'root').iterdir()) == []


def test_recordings_that_cannot_be_read_leave_rounds_without_root(
    make: Callable[..., TrustedRecordings], tmp_path: Path, wait_until: Callable[..., None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    root = make(tmp_path / 'nowhere')
    root.begin({'w': np.ones(3, np.float32)})
    wait_until(root.is_ready, START_SEC)
    assert root.update({}) == {}
    assert root.problem == (
        'the process of the trusted recordings ended with 2: rounds are trimmed means')
    assert 'nowhere' in capfd.readouterr().err
    root.begin({'w': np.ones(3, np.float32)})
    wait_until(root.is_ready, 1.0)


def test_a_process_that_takes_too_long_is_killed_and_done_without(
    make: Callable[..., TrustedRecordings], sessions: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(root_of_trust, 'MAX_ROOT_SEC', 0.0)
    before = set(psutil.Process().children())
    root = make(sessions)
    root.begin({'w': np.ones(3, np.float32)})
    assert root.is_ready()
    assert 'were not trained on within 0 s' in root.problem
    root.begin({'w': np.ones(3, np.float32)})
    assert root.is_ready()
    assert root.update({}) == {}
    assert set(psutil.Process().children()) <= before


def test_closing_and_interrupts_leave_no_process(
    make: Callable[..., TrustedRecordings], sessions: Path,
) -> None:
    before = set(psutil.Process().children())
    root = make(sessions)
    (child,) = set(psutil.Process().children()) - before
    child.send_signal(signal.SIGINT)
    assert child.is_running()
    root.close()
    root.close()
    assert not child.is_running()


def test_files_of_an_earlier_process_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[..., TrustedRecordings],
) -> None:
    (tmp_path / 'root').mkdir()
    (tmp_path / 'root' / 'update-1.safetensors').write_bytes(b'of an earlier run')
    monkeypatch.setattr(sys, 'executable', 'true')
    make(tmp_path)
    assert list((tmp_path / 'root').iterdir()) == []


class FakeRoot:
    """Root that a test makes ready."""

    problem = ''

    def __init__(self) -> None:
        self.begun: list[float] = []
        self.ready, self.trained = False, {}

    def begin(self, tensors: Tensors) -> None:
        self.begun.append(float(tensors['encoders.imu.w'][0]))
        self.ready = False

    def is_ready(self) -> bool:
        return self.ready

    def update(self, tensors: Tensors) -> Tensors:
        return self.trained


def test_a_complete_round_waits_for_its_root_and_follows_it() -> None:
    initial = {'encoders.imu.w': np.zeros(2, np.float32)}
    settings = AggregatorSettings(
        weighting='fltrust', trust_sessions='/recordings', quorum=3, deadline=0.0,
        screening=False)
    root = FakeRoot()
    server = FederationServer(
        settings, NullStore(), Checkpoint('f', 0, '{}', initial), 0, root=root)
    for area, value in (('a', 1.0), ('b', -5.0), ('c', 1.0)):
        tensors = {'encoders.imu.w': np.full(2, value, np.float32)}
        assert server.receive(make_update(server.model, area, 1, ('imu',), tensors), 0) is None
    assert server.step(0) is None
    root.ready, root.trained = True, {'encoders.imu.w': np.ones(2, np.float32)}
    closed = server.step(0)
    assert closed is not None
    assert set(closed.accepted) == {'a', 'b', 'c'}
    np.testing.assert_allclose(server.tensors['encoders.imu.w'], 1.0)
    assert root.begun == [0.0, 1.0]


def test_a_round_without_root_is_a_trimmed_mean() -> None:
    root, updates = FakeRoot(), (-9.0, 1.0, 1.0, 1.0)
    rule = make_aggregation_rule('fltrust', (), root)
    contributions = [Contribution(
        str(value), {'encoders.imu.w': np.full(2, value, np.float32)}, 1, ('imu',))
        for value in updates]
    following = rule(contributions, {'encoders.imu.w': np.zeros(2, np.float32)})
    np.testing.assert_array_equal(following['encoders.imu.w'], 1.0)
