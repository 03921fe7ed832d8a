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

"""`utt status` of areas that run and of none."""

import json
import threading
from collections.abc import Callable, Iterator

import pytest
from rclpy.node import Node
from utt_ros.msg import TwinStatus

from utt_ros.bridge.node.qos import RELIABLE

UNTIL_SEC = 0.2


@pytest.fixture
def area(ros: int) -> Iterator[None]:
    """Report the state of hall five times a second."""
    node, closed = Node('twin', namespace='hall'), threading.Event()
    publisher = node.create_publisher(TwinStatus, 'twin_status', RELIABLE)
    status = TwinStatus(area='hall', round=7, model_ready=True, subjects=['ann'],
                        sources=['imu'], position_std=[0.5])

    def report() -> None:
        while not closed.wait(UNTIL_SEC):
            publisher.publish(status)

    thread = threading.Thread(target=report)
    thread.start()
    yield
    closed.set()
    thread.join()
    node.destroy_node()


@pytest.mark.usefixtures('area')
def test_a_running_area_is_shown_as_a_line_and_as_json(utt: Callable) -> None:
    shown = utt('status', '--wait', 30)
    assert shown == (0, 'hall: ann by imu (0.50 m); round 7\n', '')
    content = json.loads(utt('status', '--wait', 30, '--json').out)
    assert content['areas']['hall']['people'] == {'ann': {'sources': 'imu', 'std_m': 0.5}}
    missed = utt('status', '--area', 'roof', '--wait', 0.5)
    assert (missed.code, missed.out) == (1, '')
    assert missed.err.startswith("utt status: area 'roof' does not answer within 0.5 s")


@pytest.mark.usefixtures('ros_domain')
def test_no_running_area_is_said_in_one_sentence(utt: Callable) -> None:
    done = utt('status', '--wait', 0.5)
    assert (done.code, done.out, done.err.count('\n')) == (1, '', 1)
    assert done.err.startswith('utt status: no area answers within 0.5 s: start one')


@pytest.mark.parametrize(('words', 'complaint'), [
    (['--follow', '0'], '--follow is 0: it must be at least 0.5'),
    (['--follow', 'nan'], '--follow is nan'), (['--wait', '0'], '--wait is 0')])
def test_impossible_times_are_refused(words: list[str], complaint: str, utt: Callable) -> None:
    done = utt('status', *words)
    assert (done.code, done.out) == (2, '')
    assert done.err.startswith(f'utt status: {complaint}')
