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

import time
from threading import Event, Timer

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from utt_ros.evaluation.benchmarks.hostile_graphs import ATTACKS_BY_OUTPUT, hostile_graph
from utt_ros.motion.features import CONTEXT
from utt_ros.settings import WindowSettings
from utt_ros.twin import model_service
from utt_ros.twin.model_service import (
    MAX_BAD_TICKS,
    MAX_WAIT_S,
    REPLAY_WAIT_S,
    ModelService,
)
from utt_ros.twin.onnx_model import OnnxModel
from utt_ros.types import CHANNELS, Windows

WINDOW = WindowSettings(ticks=8, horizon=4, imu_rows=2)
HORIZON_S = np.float32([0.1, 0.2, 0.3, 0.4])


def windows_of(subjects: int) -> Windows:
    values, masks = {}, {}
    for name, channels in CHANNELS.items():
        rows = WINDOW.ticks * (WINDOW.imu_rows if name == 'imu' else 1)
        values[name] = np.zeros((subjects, rows, len(channels)), np.float32)
        masks[name] = np.ones((subjects, rows), bool)
    return Windows(np.zeros(subjects, np.int64), tuple(map(str, range(subjects))), values, masks)


@pytest.fixture
def service():
    return ModelService(HORIZON_S)


def begin(service, windows):
    """Start the evaluations of a tick."""
    context = np.zeros((len(windows), len(CONTEXT)), np.float32)
    pending = service.submit(context)
    service.submit_imu(pending, windows, context, lambda part: part)
    return pending


def tick(service, subjects=2):
    """Return motion and IMU of a tick; None where one of both is not usable."""
    pending = begin(service, windows_of(subjects))
    motion = service.await_motion(pending)
    imu = service.await_imu(pending)
    return None if motion is None or imu is None else (motion, imu)


def cubic(payload: bytes) -> bytes:
    """A graph that obeys the schema and takes S^3 times 0.1 s or so for S subjects."""
    model = onnx.load_from_string(payload)
    for node in model.graph.node:
        node.output[:] = ['genuine' if name == 'velocity' else name for name in node.output]
    make = helper.make_node
    constants = {'many': np.array([1000]), 'nothing': np.zeros(1, np.float32)}
    model.graph.initializer.extend(
        numpy_helper.from_array(value, name) for name, value in constants.items())
    model.graph.node.extend((
        make('Shape', ['context'], ['shape'], start=0, end=1),
        make('Mul', ['shape', 'many'], ['size']), make('Concat', ['size', 'size'], ['square'],
                                                       axis=0),
        make('ReduceMax', ['context'], ['any'], keepdims=0),
        make('Expand', ['any', 'square'], ['p0']),
        *(make('MatMul', [f'p{k}', f'p{k}'], [f'p{k + 1}']) for k in range(200)),
        make('ReduceMax', ['p200'], ['most'], keepdims=0),
        make('Mul', ['most', 'nothing'], ['effect']),
        make('Add', ['genuine', 'effect'], ['velocity'])))
    return model.SerializeToString()


class Blocked:
    """Stands for a model whose evaluation does not end, and does not compute either."""

    def __init__(self):
        self.go = Event()

    def prepare_motion(self, context):
        return self.go.wait

    def prepare_imu(self, windows, context, as_read):
        return self.go.wait

    def stop(self):
        self.go.set()


def test_the_newest_model_serves_from_the_next_tick_on(service, make_graph):
    assert (tick(service), service.round) == (None, None)
    for number, speed in enumerate((1.0, 2.0)):
        service.deploy(OnnxModel(make_graph(speed, WINDOW), WINDOW), number)
        assert service.round == number
        np.testing.assert_allclose(tick(service)[0].velocity, [[speed, 0]] * 2)
    assert (service.failures, service.dropped) == (0, 0)


@pytest.mark.parametrize('kind', ATTACKS_BY_OUTPUT)
def test_an_absurd_model_is_dropped_for_the_last_good_one(service, make_graph, kind):
    good = make_graph(1.0, WINDOW)
    service.deploy(OnnxModel(good, WINDOW), 1)
    tick(service)
    service.deploy(OnnxModel(hostile_graph(kind, good), WINDOW), 2)
    for _ in range(MAX_BAD_TICKS):
        assert tick(service) is None
    assert (service.implausible, service.dropped, service.round) == (2 * MAX_BAD_TICKS, 1, 1)
    assert 'round 2 is dropped: its predictions are beyond' in service.failure
    assert tick(service) is not None


def test_an_absurd_model_without_a_good_one_before_it_is_never_used(service, make_graph):
    service.deploy(OnnxModel(
        hostile_graph('speed of light', make_graph(1.0, WINDOW)), WINDOW), 2)
    for _ in range(3 * MAX_BAD_TICKS):
        assert tick(service) is None
    assert (service.failures, service.dropped, service.round) == (3 * MAX_BAD_TICKS, 0, 2)


def test_a_model_that_computes_without_end_is_dropped_and_no_tick_waits_long(
    service, make_graph, wait_until,
):
    good = make_graph(1.0, WINDOW)
    service.deploy(OnnxModel(good, WINDOW), 1)
    tick(service, 8)
    endless = OnnxModel(cubic(good), WINDOW)
    service.deploy(endless, 2)
    assert tick(service, 8) is None
    wait_until(lambda: tick(service, 8) is not None)
    assert (service.dropped, service.round) == (1, 1)
    assert 'round 2 is dropped: it computed for' in service.failure


def test_a_model_whose_thread_is_not_scheduled_is_late_and_serves_on(service, make_graph):
    stuck = Blocked()
    service.deploy(stuck, 1)
    waited_s = []
    for _ in range(4):
        begin_s = time.monotonic()
        assert tick(service) is None
        waited_s.append(time.monotonic() - begin_s)
    assert waited_s[0] >= model_service.MAX_WAIT_S  # later ticks do not wait at all
    assert min(waited_s[1:]) < 0.1
    assert (service.dropped, service.round) == (0, 1)
    service.deploy(OnnxModel(make_graph(1.0, WINDOW), WINDOW), 2)
    assert tick(service) is not None
    assert stuck.go.is_set()


class Delayed:
    """A model whose evaluations wait for `go`, as on a busy machine."""

    def __init__(self, model):
        self.model, self.go = model, Event()
        self.go.set()

    def prepare_motion(self, context):
        work = self.model.prepare_motion(context)
        return lambda: self.go.wait(60.0) and work()

    def prepare_imu(self, windows, context, as_read):
        return self.model.prepare_imu(windows, context, as_read)

    def stop(self):
        self.model.stop()


@pytest.fixture
def delayed(service, make_graph):
    """A good model in service that has answered once."""
    model = Delayed(OnnxModel(make_graph(1.0, WINDOW), WINDOW))
    service.deploy(model, 1)
    assert tick(service) is not None
    return model


@pytest.mark.parametrize(('max_wait_s', 'failures'), [(MAX_WAIT_S, 1), (REPLAY_WAIT_S, 0)])
def test_a_replay_waits_for_a_model_that_is_too_late_for_a_live_tick(
    max_wait_s, failures, make_graph,
):
    service, model = ModelService(HORIZON_S, max_wait_s), Delayed(
        OnnxModel(make_graph(1.0, WINDOW), WINDOW))
    service.deploy(model)
    model.go.clear()
    pending = service.submit(np.zeros((2, len(CONTEXT)), np.float32))
    Timer(2 * MAX_WAIT_S, model.go.set).start()
    assert (service.await_motion(pending) is None) == bool(failures)
    assert service.failures == failures


def test_a_good_model_that_was_late_when_it_was_replaced_still_stands_by(
    service, make_graph, delayed, wait_until,
):
    delayed.go.clear()
    assert tick(service) is None
    service.deploy(OnnxModel(
        hostile_graph('speed of light', make_graph(1.0, WINDOW)), WINDOW), 2)
    assert tick(service) is None
    delayed.go.set()
    wait_until(lambda: tick(service) is not None)
    assert (service.dropped, service.round) == (1, 1)


def test_late_ticks_and_a_bad_one_do_not_drop_a_good_model(
    service, make_graph, delayed, wait_until,
):
    newer = Delayed(OnnxModel(make_graph(2.0, WINDOW), WINDOW))
    service.deploy(newer, 2)
    assert tick(service) is not None
    for _ in range(MAX_BAD_TICKS):
        newer.go.clear()
        pending = begin(service, windows_of(2))
        assert service.await_motion(pending) is None
        assert service.await_imu(pending) is None
        newer.go.set()
        wait_until(pending.last.done)
    newer.model, good = OnnxModel(
        hostile_graph('speed of light', make_graph(1.0, WINDOW)), WINDOW), newer.model
    assert tick(service) is None
    newer.model = good
    assert tick(service) is not None
    assert (service.dropped, service.round) == (0, 2)


def test_one_absurd_subject_is_left_out_and_the_others_are_used(service, make_graph):
    model = OnnxModel(make_graph(1.0, WINDOW), WINDOW)
    service.deploy(model, 1)
    windows = windows_of(3)
    windows.values['imu'][1] = 1e9  # which the graph repeats
    pending = begin(service, windows)
    motion, imu = service.await_motion(pending), service.await_imu(pending)
    assert np.isfinite(motion.velocity).all()
    assert np.isfinite(motion.future).all()
    assert np.isfinite(imu.imu).reshape(3, -1).all(axis=1).tolist() == [True, False, True]
    assert imu.swing[1].max() == imu.cadence[1] == 0.0
    assert (service.implausible, service.failures) == (1, 0)


def test_more_subjects_than_a_batch_are_evaluated_in_parts(service, make_graph):
    service.deploy(OnnxModel(make_graph(1.0, WINDOW), WINDOW), 1)
    assert tick(service, 70)[0].velocity.shape == (70, 2)
