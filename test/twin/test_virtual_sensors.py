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

"""Task twins are evaluated for subjects with all sources; wrong ones are refused."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.errors import ModelError
from utt_ros.federation.types import Seal, TaskDeployment
from utt_ros.geometry.camera import CameraModel
from utt_ros.geometry.compass import rotate_magnetic_field
from utt_ros.models.settings import ModelSettings
from utt_ros.models.task_twin_export import export_task_twin
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import AreaSettings, WindowSettings
from utt_ros.twin import virtual_sensors
from utt_ros.twin.expected_measurements import ExpectedMeasurement
from utt_ros.twin.model_service import MAX_BAD_TICKS
from utt_ros.twin.virtual_sensors import MAX_VIRTUAL_SENSORS, VirtualSensors
from utt_ros.types import CHANNELS, Windows

AREA = AreaSettings(area='hall', magnetic_yaw=0.7)
SHAPE = WindowSettings()
BOX = CameraModel(AREA).project([8.0, 1.0])
BOX_STD = (20.0, 8.0, 0.5, 4.0, 10.0)
NAMES = ('ann', 'bob', 'cem')


def make_windows(names=NAMES) -> Windows:
    """Make windows of subjects who carry flat phones that point north; nobody has a box."""
    values, masks = {}, {}
    for name, channels in CHANNELS.items():
        rows = SHAPE.ticks * (SHAPE.imu_rows if name == 'imu' else 1)
        values[name] = np.zeros((len(names), rows, len(channels)), np.float32)
        masks[name] = np.full((len(names), rows), name != 'camera')
    values['imu'][..., 2], values['imu'][..., 6:] = 9.81, (0.0, 28e-6, -30e-6)
    return Windows(np.zeros(len(names), np.int64), names, values, masks)


def changed(deployment, **fields):
    """Return a deployment with other fields and the checksum of its graph."""
    return replace(deployment, checksum='', **fields)


@pytest.fixture
def deployment(make_task_graph):
    """A trajectory twin that places everybody at one spot."""
    graph = make_task_graph(('ftm', 'imu'), 'camera', BOX[None])
    return TaskDeployment('hall', 'hall_trajectory_2', ('ftm', 'imu'), 'camera', 'run', 4, '{}',
                          BOX_STD, graph)


@pytest.fixture
def sensors(deployment):
    sensors = VirtualSensors(AREA, SHAPE)
    sensors.deploy(deployment)
    return sensors


def test_a_task_twin_measures_subjects_all_of_whose_sources_are_recent(sensors):
    windows = make_windows()
    windows.masks['ftm'][1, -21:] = False  # bob's newest range is 2.1 s old
    windows.masks['imu'][2, :-30] = False  # cem has just arrived
    made = sensors.measure('hall_trajectory_2', windows)
    assert made.subjects == sensors.subjects('hall_trajectory_2', windows) == ('ann', 'cem')
    np.testing.assert_allclose(made.values, [[BOX]] * 2, rtol=1e-6)
    np.testing.assert_allclose(made.std, BOX_STD)


@pytest.mark.parametrize(('reads', 'expected'), [
    ('first', ('ann',)), ('all', ('ann', 'cem'))])
def test_ranges_of_each_access_point_that_is_read_are_a_source(
    sensors, deployment, reads, expected,
):
    model = ModelSettings(width=8, heads=2, feedforward=8, access_points_read=reads)
    graph = export_task_twin(UnifiedTwin(model, SHAPE), (('ftm', 'imu'), 'camera'), 3)
    sensors.deploy(changed(deployment, graph=graph))
    windows = make_windows()
    windows.masks['ftm'][1:] = False
    further = np.zeros((3, SHAPE.ticks, 2), bool)
    further[2, -3, 1] = True
    windows.masks['further_ftm'] = further
    windows.values['further_ftm'] = np.zeros((*further.shape, 2), np.float32)
    windows.values['ap_geometry'] = np.ones((3, 3, 3), np.float32)
    assert sensors.subjects('hall_trajectory_2', windows) == expected
    sensors.measure('hall_trajectory_2', windows)
    assert sensors.failures == 0


def test_boxes_that_the_belief_expects_are_merged_with_those_of_the_graph(sensors):
    def expect(target):
        assert target == 'camera'
        return {'ann': ExpectedMeasurement(
            np.array([*BOX[:2], BOX[2] + 1.0, *BOX[3:]]), np.array(BOX_STD))}

    made = sensors.measure('hall_trajectory_2', make_windows(('ann', 'bob')), None, expect)
    halfway = [*BOX[:2], BOX[2] + 0.5, *BOX[3:]]  # both are as sure
    np.testing.assert_allclose(made.values, [[halfway], [BOX]], rtol=1e-5)


def test_only_the_wanted_subjects_are_evaluated(sensors):
    made = sensors.measure('hall_trajectory_2', make_windows(), {'bob', 'stranger'})
    assert made.subjects == ('bob',)


def test_nothing_is_made_without_sources_or_of_an_unknown_twin(sensors):
    windows = make_windows()
    windows.masks['imu'][:] = False
    assert sensors.measure('hall_trajectory_2', windows) is None
    assert sensors.measure('hall_trajectory_2', make_windows(())) is None
    assert sensors.measure('hall_tracking_2', make_windows()) is None
    assert sensors.subjects('hall_tracking_2', make_windows()) == ()


def test_boxes_are_clipped_to_the_image_and_left_out_where_nobody_could_be_seen(
    sensors, deployment, make_task_graph,
):
    def made_of(box):
        graph = make_task_graph(('ftm', 'imu'), 'camera', np.array([box]))
        sensors.deploy(changed(deployment, graph=graph))
        return sensors.measure(deployment.id, make_windows(('ann',)))

    made = made_of([10.0, 360.0, 5.0, 60.0, 200.0])
    np.testing.assert_allclose(made.values, [[[20.0, 360.0, 5.0, 40.0, 200.0]]])
    for box in ([-100.0, 360.0, 5.0, 60.0, 200.0], [640.0, 360.0, -1.0, 60.0, 200.0],
                [640.0, 360.0, 60.0, 60.0, 200.0]):
        made = made_of(box)
        assert (made.subjects, made.values.shape) == ((), (0, 1, 5))  # a frame with nobody in it


def test_imu_rows_are_in_the_frame_of_the_phone(make_task_graph):
    sensors = VirtualSensors(AREA, SHAPE)
    rows = make_windows(('ann',)).values['imu'][:, -SHAPE.imu_rows:]
    turned = rotate_magnetic_field(
        rows, np.ones(rows.shape[:2], bool), SHAPE.period / SHAPE.imu_rows, AREA.magnetic_yaw)
    graph = make_task_graph(('ftm',), 'imu', turned[0])
    sensors.deploy(TaskDeployment(
        'hall', 'hall_tracking_2', ('ftm',), 'imu', 'run', 4, '{}', (), graph))
    made = sensors.measure('hall_tracking_2', make_windows(('ann',)))
    np.testing.assert_allclose(made.values, rows, atol=1e-6)
    assert np.isnan(made.std).all()  # never judged


@pytest.mark.parametrize('yaw', [0.0, np.pi / 2])
def test_fields_that_the_belief_expects_are_merged_alike_however_a_phone_is_held(
    make_task_graph, yaw,
):
    sensors = VirtualSensors(replace(AREA, magnetic_yaw=yaw), SHAPE)
    rows = make_windows(('ann',)).values['imu'][:, -SHAPE.imu_rows:]
    turned = rotate_magnetic_field(
        rows, np.ones(rows.shape[:2], bool), SHAPE.period / SHAPE.imu_rows, yaw)
    std = (1.0,) * 6 + (1e-6, 2e-6, 7**0.5 * 1e-6)  # 2e-6 in root mean square
    sensors.deploy(TaskDeployment(
        'hall', 'hall_tracking_2', ('ftm',), 'imu', 'run', 4, '{}', std,
        make_task_graph(('ftm',), 'imu', turned[0])))
    field = np.where(np.arange(9) < 6, np.nan, 20e-6)
    made = sensors.measure('hall_tracking_2', make_windows(('ann',)), None, lambda target: {
        'ann': ExpectedMeasurement(field, np.where(np.arange(9) < 6, np.nan, 2e-6))})
    np.testing.assert_allclose(made.values[..., :6], rows[..., :6])
    np.testing.assert_allclose(made.values[..., 6:], (rows[..., 6:] + 20e-6) / 2, atol=1e-9)
    np.testing.assert_allclose(made.std, (1.0,) * 6 + (2e-6,) * 3, rtol=1e-6)


def test_a_new_graph_of_the_same_twin_takes_its_place_and_a_removed_one_is_gone(
    sensors, deployment, make_task_graph,
):
    other = CameraModel(AREA).project([6.0, 0.0])
    sensors.deploy(changed(
        deployment, graph=make_task_graph(('ftm', 'imu'), 'camera', other[None])))
    made = sensors.measure(deployment.id, make_windows())
    np.testing.assert_allclose(made.values[0, 0], other, rtol=1e-6)
    sensors.remove(deployment.id)
    sensors.remove('unknown')
    assert sensors.targets == {}
    assert sensors.measure(deployment.id, make_windows()) is None


WRONG = {
    'area': ({'area': 'yard'}, "is of area 'yard': this is 'hall'"),
    'id': ({'id': 'a/b'}, "id 'a/b' of a task twin cannot be part of a topic name"),
    'target': ({'target': 'lidar'}, "'lidar' is no translation between camera, ftm, imu"),
    'no source': ({'sources': ()}, 'is no translation'),
    'target as source': ({'sources': ('camera', 'imu')}, 'is no translation'),
    'short std': ({'std': (1.0,)}, 'there must be 5 or none'),
    'std': ({'std': (1.0, 1.0, -1.0, 1.0, 1.0)}, 'finite and not negative'),
    'bytes': ({'graph': b'no graph'}, 'not a graph'),
    'surplus source': ({'sources': ('imu',)}, 'reads ftm, which is no source'),
    'missing output': ({'target': 'ftm', 'sources': ('imu',), 'std': ()},
                       'lacks the outputs newest_ftm'),
}


@pytest.mark.parametrize(('change', 'error'), WRONG.values(), ids=WRONG)
def test_a_wrong_task_twin_is_refused_and_the_former_one_kept(sensors, deployment, change, error):
    with pytest.raises(ModelError, match=error):
        sensors.deploy(changed(deployment, **change))
    made = sensors.measure(deployment.id, make_windows())
    np.testing.assert_allclose(made.values[0, 0], BOX, rtol=1e-6)


def test_a_graph_with_outputs_of_another_shape_or_not_finite_is_refused(
    sensors, deployment, make_task_graph,
):
    for rows, error in ((np.zeros((2, 5)), r'newest_camera has shape \(1, 2, 5\)'),
                        (np.full((1, 5), np.inf), 'is not finite')):
        with pytest.raises(ModelError, match=error):
            sensors.deploy(changed(
                deployment, graph=make_task_graph(('ftm', 'imu'), 'camera', rows)))


def test_a_repeated_deployment_opens_no_graph(sensors, deployment):
    before = sensors._sensors[deployment.id]
    sensors.deploy(changed(deployment, seal=Seal('key', 7, b'signature')))
    assert sensors._sensors[deployment.id] is before
    sensors.deploy(changed(deployment, round=deployment.round + 1))
    assert sensors._sensors[deployment.id] is not before


def test_one_twin_more_than_the_limit_is_refused(sensors, deployment):
    for number in range(3, 2 + MAX_VIRTUAL_SENSORS):
        sensors.deploy(changed(deployment, id=f'hall_trajectory_{number}'))
    with pytest.raises(ModelError, match='8 task twins are in service: at most 8'):
        sensors.deploy(changed(deployment, id='hall_trajectory_99'))
    sensors.deploy(deployment)  # in the place of the former one


PLAIN_ROW = (0.0, 0.0, 9.81, 0.0, 0.0, 0.0, 0.0, 28e-6, -30e-6)
IMPLAUSIBLE = {
    'negative range': ('ftm', (-50.1, 0.3)),
    'long range': ('ftm', (300.1, 0.3)),
    'range std': ('ftm', (5.0, 300.1)),
    'acceleration': ('imu', (300.0, 300.0, 300.0, *PLAIN_ROW[3:])),
    'rate': ('imu', (*PLAIN_ROW[:3], 0.0, 0.0, 101.0, *PLAIN_ROW[6:])),
    'field': ('imu', (*PLAIN_ROW[:6], 0.0, -0.011, 0.0)),
    'overflow': ('imu', (3e38, 3e38, *PLAIN_ROW[2:])),
}


@pytest.mark.parametrize(('target', 'row'), IMPLAUSIBLE.values(), ids=IMPLAUSIBLE)
def test_measurements_outside_the_limits_of_the_sensor_are_left_out_and_counted(
    deployment, make_task_graph, target, row,
):
    sensors = VirtualSensors(AREA, SHAPE)
    rows = np.tile(PLAIN_ROW, (SHAPE.imu_rows, 1)) if target == 'imu' else np.ones((1, 2))
    rows[-1] = row
    source = 'ftm' if target == 'imu' else 'imu'
    sensors.deploy(changed(deployment, target=target, sources=(source,), std=(),
                           graph=make_task_graph((source,), target, rows)))
    made = sensors.measure(deployment.id, make_windows())
    assert (made.subjects, len(made.values)) == ((), 0)
    assert (sensors.implausible, sensors.failures) == (3, 0)
    assert sensors.failure.endswith('outside the limits of the sensor')


def test_ranges_close_to_the_access_point_are_not_negative(deployment, make_task_graph):
    sensors = VirtualSensors(AREA, SHAPE)
    sensors.deploy(changed(deployment, target='ftm', sources=('imu',), std=(),
                           graph=make_task_graph(('imu',), 'ftm', [[-0.4, -0.2]])))
    made = sensors.measure(deployment.id, make_windows(('ann',)))
    np.testing.assert_allclose(made.values, [[[0.0, 0.2]]], rtol=1e-6)
    assert sensors.implausible == 0


def test_a_graph_that_fails_at_work_is_counted_and_named(sensors, deployment, make_task_graph):
    sensors.deploy(changed(
        deployment, graph=make_task_graph(('ftm', 'imu'), 'camera', BOX[None], fragile=True)))
    assert sensors.measure(deployment.id, make_windows()) is None
    assert sensors.failures == 1
    assert sensors.failure == 'hall_trajectory_2: newest_camera is not finite'


@pytest.mark.parametrize('kind', ['fails', 'is slow'])
def test_a_graph_that_fails_again_and_again_or_is_slow_is_dropped_for_good(
    sensors, deployment, make_task_graph, monkeypatch, kind,
):
    faulty = changed(deployment, graph=make_task_graph(
        ('ftm', 'imu'), 'camera', BOX[None], fragile=kind == 'fails'))
    sensors.deploy(faulty)
    if kind == 'is slow':
        monkeypatch.setattr(virtual_sensors, 'MAX_COMPUTING_S', 0.0)
    ticks = MAX_BAD_TICKS if kind == 'fails' else 1
    for number in range(ticks):
        assert (deployment.id in sensors.targets, sensors.dropped) == (True, 0), number
        assert sensors.measure(deployment.id, make_windows()) is None
    assert (sensors.targets, sensors.dropped, sensors.failures) == ({}, 1, ticks)
    assert sensors.failure.startswith('hall_trajectory_2 is dropped: ')
    with pytest.raises(ModelError, match='was dropped'):
        sensors.deploy(faulty)
