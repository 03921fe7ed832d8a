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

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.access_point_list import AccessPoint
from utt_ros.errors import MeasurementError
from utt_ros.evaluation.benchmarks.hostile_graphs import hostile_graph
from utt_ros.models.onnx_export import export_onnx
from utt_ros.models.settings import ModelSettings
from utt_ros.models.twin import UnifiedTwin, build_twin, initial_weights
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.twin import engine as engine_module
from utt_ros.twin.engine import TwinEngine
from utt_ros.twin.onnx_model import OnnxModel

SHAPE = WindowSettings()
FIELD_T = 28e-6


class Walk:
    """A person who walks along x at 1 m/s with a flat phone that points ahead."""

    def __init__(self, world, x=5.0):
        self.people = world(subjects=1)
        self.people.compass_error[:] = 0
        self.x = x

    def tick(self, **sensors):
        self.people.position[:] = self.x - 0.12, 0.0
        self.people.direction[:], self.people.speed[:] = 0.0, 1.0
        batch = self.people.tick(**sensors)
        self.people.position[:] = self.x, 0.0
        self.x += 0.1
        batch.imu[..., 2] = 9.81
        batch.imu[..., 6:] = 0.0, FIELD_T, -30e-6
        return batch


@pytest.fixture
def engine(make_graph):
    """An engine whose x axis points to magnetic north."""
    engine = TwinEngine(AreaSettings(area='hall', magnetic_yaw=np.pi / 2), SHAPE)
    engine.deploy(OnnxModel(make_graph(1.0), SHAPE))
    return engine


def run(engine, walk, ticks, **sensors):
    for _ in range(ticks):
        predictions = engine.step(walk.tick(**sensors))
    return predictions


def test_future_leads_ahead_of_the_position(engine, world):
    found = run(engine, Walk(world), 40)
    assert found.trajectory.shape == (1, SHAPE.horizon, 2)
    np.testing.assert_allclose(found.trajectory[:, -1] - found.position, [[3.0, 0.0]], atol=0.4)
    assert (found.trajectory_stamps_ns - found.stamp_ns == 10**8 * np.arange(1, 31)).all()


def test_a_model_reads_the_ranges_to_all_access_points_of_the_area(world):
    area = AreaSettings(access_points=tuple(
        AccessPoint(str(number), (4.0 * number, 1.0, 2.5)) for number in range(3)))
    model = ModelSettings(width=8, heads=2, feedforward=8, access_points_read='all')
    engine, walk = TwinEngine(area, SHAPE), Walk(world)
    engine.deploy(OnnxModel(export_onnx(UnifiedTwin(model, SHAPE), 3), SHAPE))
    for further in (2, 2, 0, 2):  # also ticks of a recording without the others
        batch = replace(
            walk.tick(), further_ftm=np.full((1, further, 2), 5.0, np.float32),
            further_ftm_age_s=np.zeros((1, further), np.float32),
            further_ftm_mask=np.ones((1, further), bool))
        pending = engine.begin(engine.locate(batch))
        engine.predict(pending)
        assert engine.synthesize(pending) is not None
        geometry = pending.windows.values.get('ap_geometry')
        assert (geometry is None) == (not further)
    np.testing.assert_allclose(geometry[0, 2], [8.0, 1.0, 2.5 - area.camera_height])
    assert engine.failures == 0


def test_synthesized_imu_has_the_rows_and_stamps_of_the_tick(engine, world):
    found = run(engine, Walk(world), 3)
    assert found.imu.shape == (1, 5, 9)
    assert (found.stamp_ns - found.imu_stamps_ns).tolist() == [
        100_000_000, 80_000_000, 60_000_000, 40_000_000, 20_000_000]


def test_sources_name_the_sensors_with_recent_measurements(engine, world):
    walk = Walk(world)
    assert run(engine, walk, 10).sources == ('camera+ftm+imu',)
    assert run(engine, walk, 10, camera=False).sources == ('ftm+imu',)
    assert run(engine, walk, 25, camera=False, ftm=False).sources == ('imu',)
    assert run(engine, walk, 10, camera=False, ftm=False, imu=False).sources == ('memory',)


def test_positions_continue_when_the_camera_is_lost(engine, world):
    walk = Walk(world)
    run(engine, walk, 30)
    found = run(engine, walk, 30, camera=False)
    assert np.linalg.norm(found.position - walk.people.position) < 1.2


def test_without_a_model_the_future_is_a_straight_line_and_there_is_no_imu(world):
    engine, walk = TwinEngine(AreaSettings(area='hall'), SHAPE), Walk(world)
    found = run(engine, walk, 40)
    assert found.imu is None
    np.testing.assert_allclose(
        found.trajectory[0], found.position + 0.1 * np.arange(1, 31)[:, None] * found.velocity,
        rtol=1e-5)
    np.testing.assert_allclose(found.velocity, [[1.0, 0.0]], atol=0.3)


def test_a_failing_model_is_counted_and_positions_continue(make_graph, world):
    engine, walk = TwinEngine(AreaSettings(area='hall'), SHAPE), Walk(world)
    engine.deploy(OnnxModel(make_graph(fragile=True), SHAPE))
    found = run(engine, walk, 40)
    assert engine.failures > 25
    assert engine.failure == 'velocity is not finite'
    assert np.linalg.norm(found.position - walk.people.position) < 0.3


def test_a_model_is_replaced_between_two_ticks(engine, make_graph, world):
    walk = Walk(world)
    run(engine, walk, 30)
    engine.deploy(OnnxModel(make_graph(2.0), SHAPE))
    found = run(engine, walk, 1)
    assert np.linalg.norm(found.trajectory[0, -1] - found.position[0]) == pytest.approx(6, abs=0.1)


def test_no_subjects_or_no_known_position_give_empty_predictions(engine, world):
    people = world(subjects=2)
    assert engine.step(people.tick(who=slice(0, 0))).subjects == ()
    found = engine.step(people.tick(camera=False, ftm=False))
    assert found.subjects == ()
    assert found.position.shape == (0, 2)
    assert found.trajectory.shape == (0, SHAPE.horizon, 2)


def test_a_tick_of_another_shape_is_refused(engine, world):
    batch = world(subjects=1).tick()
    object.__setattr__(batch, 'imu', batch.imu[:, :4])
    with pytest.raises(MeasurementError, match='4 rows of IMU'):
        engine.step(batch)


def test_a_jump_back_in_time_starts_anew(engine, world):
    walk = Walk(world)
    run(engine, walk, 30)
    walk.people.sequence, walk.people.epoch = 0, 1
    assert run(engine, walk, 1, camera=False, ftm=False).subjects == ()


def test_a_reset_belief_starts_at_the_next_measurement_and_the_model_goes_on(engine, world):
    walk = Walk(world)
    run(engine, walk, 40)
    assert engine.reset_belief() == len(walk.people.names)
    walk.people.sequence += walk.people.sequence % 3 == 0  # a tick without ranges
    assert run(engine, walk, 1, camera=False, ftm=False).subjects == ()
    found = run(engine, walk, 1)
    assert found.subjects
    assert found.imu is not None


def bounce(predictions):
    """Synthesized vertical accelerations of a tick without their mean."""
    return (predictions.imu - predictions.imu_mean)[0, :, 2]


def test_synthesized_accelerations_oscillate_about_their_mean(make_graph, world):
    engine, walk = TwinEngine(AreaSettings(area='hall'), SHAPE), Walk(world)
    engine.deploy(OnnxModel(make_graph(rms=0.3), SHAPE))
    found = [engine.step(walk.tick()) for _ in range(60)]
    rows = np.concatenate([bounce(item) for item in found])
    assert rows.std() == pytest.approx(0.3 * np.sqrt(5), rel=0.15)  # four harmonics and a rest
    np.testing.assert_allclose(found[-1].imu_mean[0, :, 2], 9.81, rtol=1e-6)
    np.testing.assert_array_equal(found[-1].imu[..., 6:], found[-1].imu_mean[..., 6:])


def test_a_gait_restarts_in_another_epoch(make_graph, world):
    engine, walk = TwinEngine(AreaSettings(area='hall'), SHAPE), Walk(world)
    engine.deploy(OnnxModel(make_graph(rms=0.3), SHAPE))
    first, later = bounce(engine.step(walk.tick())), bounce(engine.step(walk.tick()))
    assert np.abs(first - later).max() > 0.1
    walk.people.sequence, walk.people.epoch, walk.x = 0, 1, 5.0
    np.testing.assert_array_equal(bounce(engine.step(walk.tick())), first)


def in_parts(engine, batch, imu_of=None):
    """Predictions and synthesized IMU of a tick, computed as the node does."""
    located = engine.locate(batch)
    tick = engine.begin(located, imu_of)
    predictions = engine.predict(tick)
    imu = engine.synthesize(tick)
    engine.prepare_next()
    np.testing.assert_array_equal(located.positions.position, predictions.position)
    return predictions, imu


def trained_engine():
    engine = TwinEngine(AreaSettings(area='hall'), SHAPE)
    model = ModelSettings(width=8, heads=2, feedforward=8)
    weights = initial_weights(model, SHAPE, 1)
    engine.deploy(OnnxModel(export_onnx(build_twin(model, SHAPE, weights)), SHAPE))
    return engine


def test_a_step_in_parts_gives_the_predictions_of_a_whole_one(world):
    whole, parts = trained_engine(), trained_engine()
    people, others = world(subjects=3), world(subjects=3)
    for _ in range(40):
        expected = whole.step(people.tick())
        predictions, imu = in_parts(parts, others.tick())
        for name in ('stamp_ns', 'position', 'covariance', 'velocity', 'trajectory'):
            np.testing.assert_array_equal(
                getattr(predictions, name), getattr(expected, name), err_msg=name)
        assert imu.subjects == expected.subjects
        np.testing.assert_array_equal(imu.rows, expected.imu)
        np.testing.assert_array_equal(imu.mean, expected.imu_mean)
        np.testing.assert_array_equal(imu.stamps_ns, expected.imu_stamps_ns)


def test_how_a_phone_is_held_is_learned_when_a_tick_is_synthesized(engine, world):
    batch = Walk(world).tick()
    tick = engine.begin(engine.locate(batch), ())
    engine.predict(tick)
    assert not engine.expected_measurements('imu', batch.stamp_ns)
    engine.synthesize(tick)
    assert list(engine.expected_measurements('imu', batch.stamp_ns)) == ['s00']


def test_the_imu_of_who_is_read_is_that_of_a_tick_at_which_all_are(world):
    whole, parts = trained_engine(), trained_engine()
    people, others = world(subjects=4), world(subjects=4)
    read = {'s01', 's03'}
    for tick in range(60):  # the last of them without any other source than the IMU itself
        sensors = {'camera': tick < 20, 'ftm': tick < 20}
        expected = whole.step(people.tick(**sensors))
        predictions, imu = in_parts(parts, others.tick(**sensors), read)
        np.testing.assert_array_equal(predictions.trajectory, expected.trajectory)
        rows = [row for row, name in enumerate(expected.subjects) if name in read]
        assert imu.subjects == tuple(expected.subjects[row] for row in rows)
        np.testing.assert_allclose(imu.rows, expected.imu[rows], rtol=1e-5, atol=1e-6)


def test_nothing_of_the_imu_is_computed_while_nobody_reads_it(engine, world, monkeypatch):
    walk = Walk(world)
    run(engine, walk, 5)
    monkeypatch.setattr(OnnxModel, 'prepare_imu', None)
    monkeypatch.setattr(engine_module, 'rotate_magnetic_field', None)
    for _ in range(3):
        predictions, imu = in_parts(engine, walk.tick(), ())
        assert imu is None
        assert predictions.subjects == walk.people.names
    assert engine.failures == 0


def test_ticks_that_are_located_and_never_predicted_disturb_no_later_one(engine, world):
    walk = Walk(world)
    run(engine, walk, 20)
    pending = [engine.begin(engine.locate(walk.tick())) for _ in range(5)]
    assert all(tick.output is not None for tick in pending)
    predictions = run(engine, walk, 10)
    assert engine.failures == 0
    np.testing.assert_allclose(
        predictions.trajectory[:, -1] - predictions.position, [[3.0, 0.0]], atol=0.4)


def test_subjects_with_absurd_outputs_are_predicted_without_the_model(engine, world):
    people = world(subjects=2)
    for _ in range(10):
        batch = people.tick()
        batch.imu[0] = 1e6  # which the graph repeats
        found = engine.step(batch)
    assert found.subjects == people.names
    assert np.isfinite(found.imu).reshape(2, -1).all(axis=1).tolist() == [False, True]
    for name in ('position', 'covariance', 'velocity', 'trajectory'):
        assert np.isfinite(getattr(found, name)).all(), name
    assert (engine.models.implausible, engine.failures) == (10, 0)


def test_an_absurd_model_leaves_positions_alone(make_graph, world):
    engine, walk = TwinEngine(AreaSettings(area='hall'), SHAPE), Walk(world)
    engine.deploy(OnnxModel(hostile_graph('speed of light', make_graph(1.0)), SHAPE))
    found = run(engine, walk, 40)
    assert np.linalg.norm(found.position - walk.people.position) < 0.3
    assert found.imu is None
