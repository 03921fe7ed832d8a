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

"""Managed nodes: work only while active, and transitions that are refused."""

from collections.abc import Callable, Iterator

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rclpy.experimental.events_executor import EventsExecutor
from rclpy.lifecycle import TransitionCallbackReturn

from utt_ros.bridge.node.managed_node import ManagedNode
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.errors import SourceError, UttError

DONE, FAILED = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class Worker(ManagedNode):
    """Notes the begin and the end of its work; `error` refuses its begin."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__('worker')
        self.error, self.work = error, []
        self.start()

    def begin_work(self) -> None:
        if self.error is not None:
            raise self.error
        self.work.append('begin')

    def end_work(self) -> None:
        self.work.append('end')

    def _values(self) -> dict[str, object]:
        return {'message': 'a remark', 'count': 3}


@pytest.fixture
def worker(ros: int) -> Iterator[Worker]:
    node = Worker()
    yield node
    node.destroy_node()


def test_work_begins_and_ends_with_the_active_state(worker: Worker) -> None:
    assert worker.is_active
    assert worker.trigger_deactivate() == DONE
    assert not worker.is_active
    assert worker.trigger_activate() == DONE
    assert worker.work == ['begin', 'end', 'begin']


@pytest.mark.parametrize('leave', ['trigger_shutdown', 'destroy_node'])
def test_work_ends_once_with_a_shutdown_and_with_the_node(ros: int, leave: str) -> None:
    node = Worker()
    getattr(node, leave)()
    assert node.work == ['begin', 'end']
    node.destroy_node()
    assert node.work == ['begin', 'end']


@pytest.mark.parametrize('error', [SourceError('the device is in use'), ValueError('odd')])
def test_node_that_cannot_begin_stays_inactive_and_says_why(
    worker: Worker, capfd: pytest.CaptureFixture[str], error: Exception,
) -> None:
    worker.trigger_deactivate()
    worker.error = error
    assert worker.trigger_activate() == FAILED
    assert not worker.is_active
    assert f'not activated: {error if isinstance(error, UttError) else repr(error)}' in (
        capfd.readouterr().err)
    worker.error = None
    assert worker.trigger_activate() == DONE


def test_node_that_cannot_become_active_at_start_is_an_error(ros: int) -> None:
    with pytest.raises(UttError, match='worker could not become active'):
        Worker(SourceError('the device is in use'))


def test_node_without_autostart_waits_for_the_transitions(ros_domain: int) -> None:
    rclpy.init(args=['--ros-args', '-p', 'autostart:=false'], domain_id=ros_domain)
    node = Worker()
    assert not node.work
    assert (node.trigger_configure(), node.trigger_activate()) == (DONE, DONE)
    assert node.work == ['begin']
    node.destroy_node()
    rclpy.shutdown()


def test_wrong_transition_is_answered_and_diagnostics_name_an_inactive_node(
    worker: Worker, wait_until: Callable[..., None],
) -> None:
    executor = EventsExecutor()
    executor.add_node(worker)
    heard: list[DiagnosticArray] = []
    worker.create_subscription(DiagnosticArray, '/diagnostics', heard.append, RELIABLE)
    client = worker.create_client(ChangeState, '/worker/change_state')
    wait_until(client.service_is_ready)
    spin = lambda: executor.spin_once(timeout_sec=0.05)  # noqa: E731

    def change(number: int) -> bool:
        future = client.call_async(ChangeState.Request(transition=Transition(id=number)))
        wait_until(future.done, spin=spin)
        return bool(future.result().success)

    assert not change(Transition.TRANSITION_ACTIVATE)
    assert worker.is_active
    assert change(Transition.TRANSITION_DEACTIVATE)
    heard.clear()
    wait_until(lambda: heard, spin=spin)
    assert heard[0].status[0].message == 'not active; a remark'
    executor.remove_node(worker)
    executor.shutdown()
