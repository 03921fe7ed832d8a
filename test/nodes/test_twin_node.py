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

"""The twin over DDS: predictions out, missing sensors said, broken models refused."""

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Path
from sensor_msgs.msg import Imu
from utt_ros.msg import DeployedModel, SyncedSamples, TwinStatus
from visualization_msgs.msg import Marker, MarkerArray

from utt_ros.bridge.messages.federation import deployment_to_message
from utt_ros.bridge.messages.sensors import samples_to_message, to_ns, to_time
from utt_ros.bridge.node.qos import RELIABLE, STATE
from utt_ros.federation.keys import KeyFolder
from utt_ros.federation.signing import KeySigner, NullSigner, sealed
from utt_ros.federation.types import Deployment
from utt_ros.geometry.camera import CameraModel
from utt_ros.settings import AreaSettings
from utt_ros.types import SyncedBatch

TICK_NS = 100_000_000
LAG_NS = 20_000_000
T0 = 1_700_000_000_000_000_000
CAMERA = CameraModel(AreaSettings(area='hall'))
START = {'ann': (6.0, 1.0), 'bob': (8.0, -1.0)}  # both walk along x at 1 m/s


class Hall:
    """Ticks go in, what the twin says comes out."""

    def __init__(self, listener, wait_until):
        self.listener, self._wait_until = listener, wait_until
        node = listener.node
        self._samples = node.create_publisher(SyncedSamples, '/hall/synced', RELIABLE)
        self.models = node.create_publisher(DeployedModel, '/hall/deployed_model', STATE)
        self.statuses = listener.hear(TwinStatus, '/hall/twin_status', RELIABLE)
        self.outputs = {
            (name, output): listener.hear(kind, f'/hall/twins/{name}/{output}', RELIABLE)
            for name in START for output, kind in (
                ('position', PoseWithCovarianceStamped), ('trajectory', Path), ('imu', Imu))}
        self.sequence = 0

    def wait(self, condition, timeout_sec=20.0):
        self._wait_until(condition, timeout_sec, self.listener.spin)

    def wait_listening(self):
        self.wait(lambda: self._samples.get_subscription_count()
                  and self.models.get_subscription_count())

    @property
    def status(self):
        return self.statuses[-1] if self.statuses else TwinStatus()

    def truth(self, name, sequence):
        x, y = START[name]
        return x + 0.1 * sequence, y

    def tick(self, names=('ann', 'bob'), *, camera=True):
        """The phones lie flat and point north, which is along x."""
        count = len(names)
        truth = np.array([self.truth(name, self.sequence) for name in names]).reshape(-1, 2)
        imu = np.zeros((count, 5, 9), np.float32)
        imu[..., 2], imu[..., 6:] = 9.81, (0.0, 28e-6, -30e-6)
        ranges = np.hypot(np.hypot(*truth.T), 1.3)
        batch = SyncedBatch(
            T0 + self.sequence * TICK_NS, 0, self.sequence, camera, tuple(names), ('',) * count,
            np.ones(count, np.float32), CAMERA.project(truth).astype(np.float32) * camera,
            np.full(count, camera), np.stack([ranges, 0 * ranges + 0.3], 1).astype(np.float32),
            np.full(count, 0.1, np.float32), np.ones(count, bool), imu,
            np.ones((count, 5), bool))
        self._samples.publish(samples_to_message(batch, 'hall'))
        self.sequence += 1

    def deploy(self, graph, model_round, checksum=None, signer=None, area='hall'):
        deployment = Deployment(area, 'run', model_round, '{}', graph)
        message = deployment_to_message(sealed(deployment, signer or self.signer), to_time(T0))
        message.checksum = checksum or message.checksum
        self.models.publish(message)


@pytest.fixture
def hall(start_node, listener, wait_until, tmp_path):
    hall = Hall(listener, wait_until)
    hall.signer = KeySigner(KeyFolder(tmp_path / 'keys'), 'hall')
    start_node('twin', '--ros-args', '-r', '__ns:=/hall', '-p', 'area:=hall',
               '-p', f'magnetic_yaw:={np.pi / 2}')
    hall.wait_listening()
    return hall


def test_three_outputs_of_every_subject_follow_each_tick(hall, make_graph):
    hall.deploy(make_graph(1.0), 3)
    hall.wait(lambda: hall.status.model_ready)
    hall.tick()
    hall.wait(lambda: all(
        hall.listener.node.count_publishers(f'/hall/twins/{name}/{output}')
        for name, output in hall.outputs))
    for _ in range(30):
        hall.tick()
    last_ns = T0 + 30 * TICK_NS
    hall.wait(lambda: all(
        heard and to_ns(heard[-1].header.stamp) == last_ns - LAG_NS * (output == 'imu')
        for (_, output), heard in hall.outputs.items()))
    for name in START:
        expected = hall.truth(name, 30)
        position = hall.outputs[name, 'position'][-1]
        assert position.header.frame_id == 'hall'
        point = position.pose.pose.position
        assert np.hypot(point.x - expected[0], point.y - expected[1]) < 0.2
        assert 0 < position.pose.covariance[0] < 0.1
        path = hall.outputs[name, 'trajectory'][-1]
        assert len(path.poses) == 30
        assert to_ns(path.poses[-1].header.stamp) == last_ns + 30 * TICK_NS
        end = path.poses[-1].pose.position
        assert np.hypot(end.x - expected[0] - 3.0, end.y - expected[1]) < 0.6
        imu = hall.outputs[name, 'imu'][-1]
        assert imu.header.frame_id == name
        assert imu.orientation_covariance[0] == -1.0
        assert imu.linear_acceleration.z == pytest.approx(9.81)
        stamps_ns = [to_ns(each.header.stamp) for each in hall.outputs[name, 'imu'][-5:]]
        assert stamps_ns == [last_ns - k * LAG_NS for k in (5, 4, 3, 2, 1)]
    hall.wait(lambda: hall.status.ticks == 31)
    status = hall.status
    assert (status.round, status.ticks_lost, status.predictions) == (3, 0, 62)
    assert status.subjects == ['ann', 'bob']
    assert status.sources == ['camera+ftm+imu'] * 2
    assert 0 < status.compute_p50 <= status.compute_p99
    assert max(status.position_std) < 0.3


def test_camera_that_is_lost_is_named_and_positions_go_on(hall, make_graph):
    hall.deploy(make_graph(1.0), 1)
    hall.wait(lambda: hall.status.model_ready)
    for _ in range(20):
        hall.tick()
    for _ in range(30):
        hall.tick(camera=False)
    hall.wait(lambda: hall.status.ticks == 50)
    status = hall.status
    assert status.missing == ['camera']
    assert status.note.startswith('no data from camera for 3.0 s; positions are based on ftm+imu')
    assert status.sources == ['ftm+imu'] * 2
    hall.wait(lambda: to_ns(hall.outputs['ann', 'position'][-1].header.stamp)
              == T0 + 49 * TICK_NS)
    point = hall.outputs['ann', 'position'][-1].pose.pose.position
    expected = hall.truth('ann', 49)
    assert np.hypot(point.x - expected[0], point.y - expected[1]) < 1.5


def test_broken_model_is_refused_and_the_old_one_kept(hall, make_graph):
    hall.deploy(make_graph(1.0), 1)
    hall.wait(lambda: hall.status.model_ready)
    hall.deploy(b'no graph', 2)
    hall.deploy(make_graph(1.1), 3, checksum='0' * 64)
    hall.tick()
    hall.wait(lambda: hall.status.ticks == 1)
    assert hall.status.round == 1
    hall.deploy(make_graph(fragile=True), 4)  # opens well, but fails at work
    hall.wait(lambda: hall.status.round == 4)
    for _ in range(15):
        hall.tick()
    hall.wait(lambda: hall.status.ticks == 16)
    hall.wait(lambda: to_ns(hall.outputs['ann', 'position'][-1].header.stamp)
              == T0 + 15 * TICK_NS)


def test_without_a_model_positions_and_paths_come_from_the_particle_filter(hall):
    for _ in range(10):
        hall.tick()
    hall.wait(lambda: hall.status.ticks == 10)
    assert not hall.status.model_ready
    assert hall.status.note == 'no model yet: positions come from the particle filter alone'
    hall.tick()
    hall.wait(lambda: len(hall.outputs['bob', 'trajectory']) > 0)
    assert not hall.outputs['bob', 'imu']


def test_hostile_samples_and_lost_ticks_are_counted(hall):
    hall.tick()
    hall._samples.publish(b'\x00\x01\x00\x00garbage')
    short = SyncedSamples(subjects=['ann'], imu_rows=5)
    hall._samples.publish(short)
    hall.sequence += 4
    hall.tick()
    hall.wait(lambda: hall.status.ticks == 2)
    assert hall.status.ticks_lost == 4


def test_markers_are_drawn_for_present_subjects_and_deleted_for_others(hall):
    heard = hall.listener.hear(MarkerArray, '/hall/markers', RELIABLE)
    hall.wait(lambda: hall.listener.node.count_publishers('/hall/markers'))

    def names(action):
        return {each.ns for array in heard for each in array.markers if each.action == action}

    def drawn(wanted, action, **options):
        def check():
            hall.tick(**options)
            return wanted <= names(action)
        return check

    hall.wait(drawn({'twin/ann', 'twin/bob'}, Marker.ADD))
    hall.wait(drawn({'twin/bob'}, Marker.DELETE, names=('ann',)))
    assert 'twin/ann' not in names(Marker.DELETE)
    hall.wait(lambda: 'area' in names(Marker.ADD))


def test_deactivated_twin_publishes_nothing_until_it_is_activated_again(hall, operator):
    hall.tick()
    hall.wait(lambda: hall.status.ticks == 1)
    assert operator.change('/hall/twin', 'deactivate')
    hall.wait(lambda: not hall._samples.get_subscription_count())
    assert not operator.change('/hall/twin', 'deactivate')  # and it lives on
    assert operator.change('/hall/twin', 'activate')
    hall.wait(lambda: hall._samples.get_subscription_count())
    hall.tick()
    hall.wait(lambda: hall.status.ticks == 2)


def test_belief_is_reset_and_predictions_go_on(hall, operator):
    for _ in range(10):
        hall.tick(camera=hall.sequence < 5)
    hall.wait(lambda: hall.status.ticks == 10)
    before = len(hall.outputs['ann', 'position'])
    assert operator.trigger('/hall/twin/reset_belief') == (
        True, 'the belief of 2 subjects is dropped: each starts anew at its next box or range')
    hall.tick(camera=False)
    hall.wait(lambda: len(hall.outputs['ann', 'position']) > before)
    newest = hall.outputs['ann', 'position'][-1]
    assert to_ns(newest.header.stamp) == T0 + 10 * TICK_NS
    # a ring about the access point: nothing is left of what boxes said
    assert np.sqrt(newest.pose.covariance[0]) > 2.0
    hall.tick()
    hall.wait(lambda: to_ns(hall.outputs['ann', 'position'][-1].header.stamp)
              == T0 + 11 * TICK_NS)
    point = hall.outputs['ann', 'position'][-1].pose.pose.position
    assert np.hypot(point.x - hall.truth('ann', 11)[0], point.y - hall.truth('ann', 11)[1]) < 1.0


def test_graphs_of_strangers_are_refused_and_named(hall, make_graph, tmp_path):
    reports = hall.listener.hear(DiagnosticArray, '/diagnostics', RELIABLE)
    stairs = KeySigner(KeyFolder(tmp_path / 'keys'), 'stairs')
    hall.deploy(make_graph(1.0), 3)
    hall.wait(lambda: hall.status.model_ready)
    hall.deploy(make_graph(9.0), 4, signer=NullSigner())
    hall.deploy(make_graph(9.0), 4, signer=stairs)
    hall.deploy(make_graph(9.0), 4, signer=stairs, area='stairs')
    hall.wait(lambda: any("it is for area 'stairs', not 'hall'" in status.message
                          for message in reports for status in message.status))
    refused = {item.key: item.value for item in reports[-1].status[0].values}['models_refused']
    assert refused == '3'
    assert hall.status.round == 3
