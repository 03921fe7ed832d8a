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
from utt_ros.msg import SubjectBeliefs, SyncedSamples
from visualization_msgs.msg import Marker, MarkerArray

from utt_ros.bridge.messages.beliefs import beliefs_to_message
from utt_ros.bridge.messages.sensors import to_ns
from utt_ros.bridge.node.qos import RELIABLE, SENSOR
from utt_ros.evaluation.benchmarks.hostile_graphs import hostile_graph
from utt_ros.federation.keys import KeyFolder
from utt_ros.federation.signing import KeySigner, NullSigner
from utt_ros.twin.subject_belief import AreaBeliefs, SubjectBelief

TICK_NS = 100_000_000
LAG_NS = 20_000_000
T0 = 1_700_000_000_000_000_000


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
    for name in hall.start:
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
        assert imu.header.frame_id == f'hall/{name}'
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
    hall.wait(lambda: hall.newest_ns('ann') == T0 + 49 * TICK_NS)
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
    hall.wait(lambda: hall.newest_ns('ann') == T0 + 15 * TICK_NS)
    hall.wait(lambda: hall.status.round == 1)  # the last good one serves


@pytest.mark.parametrize(('kind', 'key'), [
    ('loop on a measurement', 'models_refused'), ('constant of 15 GB', 'models_refused'),
    ('slow products', 'models_refused'), ('speed of light', 'models_dropped')])
def test_hostile_graph_costs_no_prediction_and_the_last_good_one_serves(
    hall, make_graph, kind, key,
):
    reports = hall.listener.hear(DiagnosticArray, '/diagnostics', RELIABLE)
    hall.deploy(make_graph(1.0), 1)
    hall.wait(lambda: hall.status.model_ready)
    hall.wait_served('ann')
    hall.deploy(hostile_graph(kind, make_graph(1.0)), 2)

    def stamps_ns():
        return [to_ns(message.header.stamp) for message in hall.outputs['ann', 'position']]

    def is_counted():
        if hall.newest_ns('ann') == T0 + (hall.sequence - 1) * TICK_NS:
            hall.tick()
        values = [item.values for message in reports for item in message.status]
        return values and {item.key: item.value for item in values[-1]}[key] == '1'

    hall.wait(is_counted, 40.0)
    hall.wait(lambda: hall.newest_ns('ann') == T0 + (hall.sequence - 1) * TICK_NS)
    first = (stamps_ns()[0] - T0) // TICK_NS
    assert stamps_ns() == [T0 + number * TICK_NS for number in range(first, hall.sequence)]
    hall.wait(lambda: hall.status.round == 1)
    hall.deploy(make_graph(1.1), 3)  # one of good will is used again
    hall.wait(lambda: hall.status.round == 3)


def test_without_a_model_positions_and_paths_come_from_the_particle_filter(hall):
    for _ in range(10):
        hall.tick()
    hall.wait(lambda: hall.status.ticks == 10)
    assert not hall.status.model_ready
    assert hall.status.note == 'no model yet: positions come from the particle filter alone'
    hall.wait_served('bob', 'trajectory')
    assert not hall.outputs['bob', 'imu']


def test_hostile_samples_and_lost_ticks_are_counted(hall):
    hall.tick()
    hall.samples.publish(b'\x00\x01\x00\x00garbage')
    short = SyncedSamples(subjects=['ann'], imu_rows=5)
    hall.samples.publish(short)
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
    hall.wait(lambda: not hall.samples.get_subscription_count())
    assert not operator.change('/hall/twin', 'deactivate')  # and it lives on
    assert operator.change('/hall/twin', 'activate')
    hall.wait(lambda: hall.samples.get_subscription_count())
    hall.tick()
    hall.wait(lambda: hall.status.ticks == 2)


def test_belief_is_reset_and_predictions_go_on(hall, operator):
    hall.wait_served('ann')
    for _ in range(5):
        hall.tick(camera=False)
    hall.wait(lambda: hall.status.ticks == hall.sequence)
    assert operator.trigger('/hall/twin/reset_belief') == (
        True, 'the belief of 2 subjects is dropped: each starts anew at its next box or range')
    hall.tick(camera=False)
    hall.wait(lambda: hall.newest_ns('ann') == T0 + (hall.sequence - 1) * TICK_NS)
    newest = hall.outputs['ann', 'position'][-1]
    # a ring about the access point: nothing is left of what boxes said
    assert np.sqrt(newest.pose.covariance[0]) > 2.0
    hall.tick()
    hall.wait(lambda: hall.newest_ns('ann') == T0 + (hall.sequence - 1) * TICK_NS)
    point = hall.outputs['ann', 'position'][-1].pose.pose.position
    expected = hall.truth('ann', hall.sequence - 1)
    assert np.hypot(point.x - expected[0], point.y - expected[1]) < 1.0


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


def test_who_comes_from_another_area_begins_where_that_area_saw_them(
    hall, wait_until, tmp_path,
):
    values = {}

    def read(report):
        for status in report.status:
            if status.name == 'hall: twin':
                values.update({item.key: item.value for item in status.values})

    hall.listener.node.create_subscription(DiagnosticArray, '/diagnostics', read, RELIABLE)
    publisher = hall.listener.node.create_publisher(SubjectBeliefs, '/utt/beliefs', SENSOR)
    hall.wait(publisher.get_subscription_count)
    known = {name: SubjectBelief(np.array([*start, 1.0, 0.0, 0.0]), 0.04 * np.eye(5), None)
             for name, start in hall.start.items()}
    signer = KeySigner(KeyFolder(tmp_path / 'keys'), 'stairs')

    def tell():  # again and again, as areas do: a message may be lost
        publisher.publish(beliefs_to_message(AreaBeliefs('stairs', T0, known), signer))
        hall.listener.spin()

    def tick():
        hall.tick(camera=False)
        hall.listener.spin()

    wait_until(lambda: values.get('beliefs_kept') == '2', 30.0, tell)
    beliefs = hall.listener.hear(SubjectBeliefs, '/utt/beliefs', SENSOR)
    tick()
    hall.wait(lambda: hall.listener.is_matched('/hall/twins/ann/position'), 30.0)
    positions = hall.outputs['ann', 'position']
    wait_until(lambda: positions, 30.0, tick)
    point = positions[-1].pose.pose.position
    sequence = (to_ns(positions[-1].header.stamp) - T0) // TICK_NS
    expected = hall.truth('ann', sequence)  # ranges alone leave a ring
    assert np.hypot(point.x - expected[0], point.y - expected[1]) < 1.0
    hall.wait(lambda: int(values.get('beliefs_taken', 0)) >= 2, 30.0)
    wait_until(lambda: any(each.area == 'hall' for each in beliefs), 30.0, tick)
