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

"""Diagnostics of a node: levels, texts, and counters that warn once."""

import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from utt_ros.bridge.node.diagnostics import MAX_TEXT_LENGTH, CounterAlarm, Diagnostics
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.orchestration.ros_environment import CHECKOUT


def test_values_are_published_as_a_status_with_level_and_bounded_text(ros, wait_until):
    node, received = Node('twin', namespace='/hall'), []
    node.create_subscription(DiagnosticArray, '/diagnostics', received.append, RELIABLE)
    values = {'level': 'warn', 'message': '\ud800' + 'x' * 2000, 'ticks': 3}
    Diagnostics(node, 'twin', lambda: values)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    wait_until(lambda: received, 30.0, lambda: executor.spin_once(timeout_sec=0.05))
    status = received[0].status[0]
    assert (status.name, status.level) == ('hall: twin', DiagnosticStatus.WARN)
    assert len(status.message) == MAX_TEXT_LENGTH
    assert [(item.key, item.value) for item in status.values] == [('ticks', '3')]
    executor.shutdown()
    node.destroy_node()


@pytest.mark.parametrize(('values', 'message', 'hardware'), [
    ({}, '', 'none'),
    ({'level': 'warn', 'lost': 3, 'found': 0, 'ok': True}, 'lost 3', 'none'),
    ({'level': 'error', 'message': 'gone', 'lost': 3}, 'gone', 'iw wlan0')])
def test_a_warning_has_a_text_and_hardware_its_name(values, message, hardware, ros, wait_until):
    node, received = Node('ftm', namespace='/hall'), []
    node.create_subscription(DiagnosticArray, '/diagnostics', received.append, RELIABLE)
    Diagnostics(node, 'ftm', lambda: values, *([hardware] if hardware != 'none' else []))
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    wait_until(lambda: received, 30.0, lambda: executor.spin_once(timeout_sec=0.05))
    status = received[0].status[0]
    assert (status.message, status.hardware_id) == (message, hardware)
    executor.shutdown()
    node.destroy_node()


@pytest.mark.parametrize('name', [
    'hall: camera', 'hall: ftm', 'site/hall: imu', 'hall: sync', 'hall: twin', 'hall: trainer',
    'utt: aggregator', 'utt: recorder'])
def test_one_analyzer_of_the_package_takes_each_node(name):
    file = CHECKOUT / 'config' / 'diagnostics.yaml'
    parameters = yaml.safe_load(file.read_text())['analyzers']['ros__parameters']
    analyzers = [each for each in parameters.values() if isinstance(each, dict)]
    assert {each['type'] for each in analyzers} == {'diagnostic_aggregator/GenericAnalyzer'}
    assert sum(any(part in name for part in each['contains']) for each in analyzers) == 1


@pytest.mark.parametrize(('counters', 'grown', 'harmful'), [
    ({'ticks': 5, 'lost': 1}, ['ticks'], []),
    ({'ticks': 4, 'lost': 2}, ['lost'], ['lost']),
    ({'ticks': 4, 'lost': 1, 'new': 1}, ['new'], ['new']),
])
def test_alarm_names_counters_that_grew_since_the_last_report(counters, grown, harmful):
    alarm = CounterAlarm({'ticks'})
    alarm.update({'ticks': 4, 'lost': 1})
    assert alarm.update(counters) == (grown, harmful)
    assert alarm.update(counters) == ([], [])
