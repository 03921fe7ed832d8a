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

"""Virtual sensors of a running twin: task twins in, measurements of absent sensors out."""

import time

import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from sensor_msgs.msg import Imu, MagneticField
from utt_ros.msg import DeployedTwin, FtmRange, SyncedSamples, Tracks

from utt_ros.bridge.messages.sensors import samples_from_message, to_ns
from utt_ros.bridge.messages.virtual_measurements import task_deployment_to_message
from utt_ros.bridge.node.qos import RELIABLE, SENSOR
from utt_ros.federation.keys import KeyFolder
from utt_ros.federation.signing import KeySigner, NullSigner, sealed
from utt_ros.federation.types import TaskDeployment
from utt_ros.geometry.camera import CameraModel
from utt_ros.models.modalities import modality
from utt_ros.models.settings import ModelSettings
from utt_ros.models.task_twin_export import export_task_twin
from utt_ros.models.twin import UnifiedTwin
from utt_ros.settings import AreaSettings, WindowSettings

T0 = 1_700_000_000_000_000_000
LAG_NS = 20_000_000
LATCHED = QoSProfile(depth=16, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
BOX = CameraModel(AreaSettings(area='hall')).project([8.0, 1.0])
BOX_STD = (20.0, 8.0, 0.5, 4.0, 10.0)
CAMERA_TWIN = '/hall/twins/hall_trajectory_2/camera'
SOURCES = {'camera': ('ftm', 'imu'), 'ftm': ('camera', 'imu'), 'imu': ('camera', 'ftm')}


class TwinHall:
    """The hall, the topic of its task twins, and what its twin publishes and reports."""

    def __init__(self, hall):
        self.hall = hall
        self.wait, self.tick = hall.wait, hall.tick
        self._twins = hall.listener.node.create_publisher(
            DeployedTwin, '/hall/deployed_twins', LATCHED)
        self._reports = hall.listener.hear(DiagnosticArray, '/diagnostics', RELIABLE)

    def deploy(self, name, target, graph, *, area='hall', std=(), checksum='', signer=None):
        deployment = TaskDeployment(
            area, name, SOURCES[target], target, 'run', 1, '{}', std, graph)
        message = task_deployment_to_message(
            sealed(deployment, signer or self.hall.signer), Time())
        message.checksum = checksum or message.checksum
        self._twins.publish(message)

    def hear(self, kind, topic):
        return self.hall.listener.hear(kind, topic, SENSOR)

    def values(self):
        """Return the newest diagnostics of the twin."""
        reports = [status for message in self._reports for status in message.status
                   if status.name == 'hall: twin']
        return {item.key: item.value for item in reports[-1].values} if reports else {}

    def wait_value(self, name, value):
        self.wait(lambda: self.values().get(name) == value)

    def wait_ticking(self, condition, **options):
        """Publish ticks, no faster than a twin is able to follow, until the condition holds."""
        due_s = 0.0

        def check():
            nonlocal due_s
            if time.monotonic() >= due_s:
                self.tick(**options)
                due_s = time.monotonic() + 0.03
            return condition()
        self.wait(check)

    def tick_through(self, count, **options):
        """Publish ticks and wait for the predictions of the last one."""
        for _ in range(count):
            self.tick(**options)
        self.wait(lambda: self.hall.status.ticks == self.hall.sequence)

    def topics(self):
        node = self.hall.listener.node
        return {name for name, _ in node.get_topic_names_and_types()
                if name.startswith('/hall/twins/hall_') and node.count_publishers(name)}


@pytest.fixture
def twins(hall):
    return TwinHall(hall)


def test_exported_task_twins_measure_what_their_sensors_would(twins):
    model = UnifiedTwin(ModelSettings(width=16, heads=2, feedforward=16), WindowSettings())
    names = {'camera': 'hall_trajectory_2', 'ftm': 'hall_position_2', 'imu': 'hall_tracking_2'}
    for target, name in names.items():
        twins.deploy(name, target, export_task_twin(model, (SOURCES[target], target)),
                     std=BOX_STD if target == 'camera' else ())
    boxes = twins.hear(Tracks, f'{CAMERA_TWIN}/tracks')
    spread = twins.hear(Tracks, f'{CAMERA_TWIN}/tracks_std')
    phones = {(name, kind): twins.hear(kind, f'/hall/twins/{topic.format(name)}')
              for name in twins.hall.start for kind, topic in (
                  (FtmRange, 'hall_position_2/phones/{}/ftm'),
                  (Imu, 'hall_tracking_2/phones/{}/imu/data_raw'),
                  (MagneticField, 'hall_tracking_2/phones/{}/imu/mag'))}
    twins.wait_value('task_twins', 'hall_position_2 hall_tracking_2 hall_trajectory_2')
    twins.wait_ticking(lambda: all((boxes, spread, *phones.values())))
    last_ns = T0 + (twins.hall.sequence - 1) * 100_000_000
    twins.wait(lambda: all(to_ns(heard[-1].header.stamp) >= last_ns - LAG_NS
                           for heard in (boxes, spread, *phones.values())))
    usual, scale = modality('camera').offset, modality('camera').scale
    frame, stds = boxes[-1], spread[-1]
    assert (to_ns(frame.header.stamp), frame.header.frame_id) == (last_ns, 'hall/camera_optical')
    assert [(each.track_id, each.subject) for each in frame.tracks] == [
        ('ann', 'ann'), ('bob', 'bob')]
    assert all(abs(each.depth - usual[2]) < 3 * scale[2] for each in frame.tracks)
    assert [each.depth for each in stds.tracks] == [BOX_STD[2]] * 2
    for name in twins.hall.start:
        ranging = phones[name, FtmRange][-1]
        assert (to_ns(ranging.header.stamp), ranging.header.frame_id) == (last_ns, 'hall/ap')
        assert ranging.phone == name
        assert 0.0 <= ranging.range < 100.0
        for kind in (Imu, MagneticField):
            rows = phones[name, kind][-5:]
            assert [row.header.frame_id for row in rows] == [f'hall/{name}'] * 5
            assert [to_ns(row.header.stamp) for row in rows] == [
                last_ns - k * LAG_NS for k in (5, 4, 3, 2, 1)]
        assert phones[name, Imu][-1].orientation_covariance[0] == -1.0
    assert twins.values()['task_twin_failures'] == twins.values()['task_twin_implausible'] == '0'


def test_a_task_twin_is_evaluated_only_while_somebody_subscribes_and_its_failures_stop_nothing(
    twins, make_task_graph,
):
    twins.deploy('hall_trajectory_2', 'camera', make_task_graph(
        SOURCES['camera'], 'camera', BOX[None], fragile=True))
    twins.wait_value('task_twins', 'hall_trajectory_2')
    twins.tick_through(5)
    twins.wait(lambda: twins.topics() == {f'{CAMERA_TWIN}/tracks', f'{CAMERA_TWIN}/tracks_std'})
    before = len(twins._reports)
    twins.tick_through(5)
    twins.wait(lambda: len(twins._reports) > before + 2)
    assert twins.values()['task_twin_failures'] == '0'  # it was not evaluated
    boxes = twins.hear(Tracks, f'{CAMERA_TWIN}/tracks')

    twins.wait_ticking(lambda: twins.values()['task_twin_failures'] != '0')
    twins.tick_through(3)
    last_ns = T0 + (twins.hall.sequence - 1) * 100_000_000
    positions = twins.hall.outputs['ann', 'position']
    twins.wait(lambda: to_ns(positions[-1].header.stamp) == last_ns)
    assert not boxes


def test_a_task_twin_is_silent_without_its_sources_and_leaves_when_it_is_withdrawn(
    twins, make_task_graph,
):
    twins.deploy('hall_trajectory_2', 'camera', make_task_graph(
        SOURCES['camera'], 'camera', BOX[None]))
    twins.deploy('hall_position_2', 'ftm', make_task_graph(SOURCES['ftm'], 'ftm', [[5.0, 0.3]]))
    boxes = twins.hear(Tracks, f'{CAMERA_TWIN}/tracks')
    ranges = twins.hear(FtmRange, '/hall/twins/hall_position_2/phones/ann/ftm')
    twins.wait_ticking(lambda: boxes and ranges)
    twins.tick_through(25, phones=False)  # boxes of the camera alone: both lack the IMU
    silent_ns = T0 + twins.hall.sequence * 100_000_000
    twins.tick_through(10, phones=False)
    since = lambda heard: [each for each in heard if to_ns(each.header.stamp) >= silent_ns]  # noqa: E731
    assert (since(boxes), since(ranges)) == ([], [])
    twins.deploy('hall_position_2', 'ftm', b'')
    twins.wait(lambda: twins.topics() == {f'{CAMERA_TWIN}/tracks', f'{CAMERA_TWIN}/tracks_std'})
    twins.wait_ticking(lambda: since(boxes))
    assert since(ranges) == []


def test_a_refused_task_twin_is_named_and_the_former_one_stays(
    twins, make_task_graph, tmp_path,
):
    stairs = KeySigner(KeyFolder(tmp_path / 'keys'), 'stairs')
    graph = make_task_graph(SOURCES['camera'], 'camera', BOX[None])
    twins.deploy('hall_trajectory_2', 'camera', graph)
    twins.wait_value('task_twins', 'hall_trajectory_2')
    twins.deploy('hall_trajectory_2', 'camera', b'no graph')
    twins.deploy('hall_position_2', 'camera', graph, checksum='0' * 64)
    twins.deploy('stairs_trajectory_2', 'camera', graph, area='stairs', signer=stairs)
    twins.deploy('hall_trajectory_2', 'camera', b'', signer=stairs)  # it is not his to withdraw
    twins.deploy('hall_trajectory_2', 'camera', b'', signer=NullSigner())
    twins.wait_value('task_twins_refused', '5')
    assert twins.values()['task_twins'] == 'hall_trajectory_2'
    boxes = twins.hear(Tracks, f'{CAMERA_TWIN}/tracks')
    twins.wait_ticking(lambda: boxes)


def test_a_deactivated_twin_has_no_virtual_sensors_until_it_is_active_again(
    twins, make_task_graph, operator,
):
    twins.deploy('hall_trajectory_2', 'camera', make_task_graph(
        SOURCES['camera'], 'camera', BOX[None]))
    twins.wait(lambda: len(twins.topics()) == 2)
    assert operator.change('/hall/twin', 'deactivate')
    twins.wait(lambda: not twins.topics())
    reports = len(twins._reports)
    twins.wait(lambda: len(twins._reports) > reports + 2)
    assert not twins.topics()
    assert operator.change('/hall/twin', 'activate')
    boxes = twins.hear(Tracks, f'{CAMERA_TWIN}/tracks')
    twins.wait(lambda: len(twins.topics()) == 2)
    twins.wait(lambda: twins.hall.samples.get_subscription_count())
    twins.wait_ticking(lambda: boxes)


def test_a_reader_of_boxes_that_is_remapped_to_a_task_twin_outlives_the_camera(
    twins, start_node, make_task_graph,
):
    twins.deploy('hall_trajectory_2', 'camera', make_task_graph(
        SOURCES['camera'], 'camera', BOX[None]))
    start_node('sync', '--ros-args', '-r', '__ns:=/hall', '-r', '__node:=reader',
               '-r', 'camera/tracks:=twins/hall_trajectory_2/camera/tracks',
               '-r', 'synced:=reader/synced', '-p', 'area:=hall', '-p', 'modalities:=[camera]')
    read = twins.hall.listener.hear(SyncedSamples, '/hall/reader/synced', RELIABLE)
    twins.wait_ticking(lambda: read)
    count, outage_ns = len(read), T0 + twins.hall.sequence * 100_000_000
    twins.wait_ticking(lambda: len(read) > count + 20, camera=False)
    twins.wait(lambda: 'camera' in twins.hall.status.missing)
    batch = samples_from_message(read[-1])
    assert batch.stamp_ns > outage_ns
    assert batch.subjects == ('ann', 'bob')
    assert batch.camera_mask.all()
    assert batch.camera[:, 2] == pytest.approx(BOX[2], rel=1e-5)
