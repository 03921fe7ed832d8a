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

"""The synchronizer warns of silence, but not before simulated time begins."""

from collections.abc import Callable, Iterator

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rosgraph_msgs.msg import Clock

from utt_ros.bridge.messages.sensors import to_time
from utt_ros.bridge.node.qos import RELIABLE
from utt_ros.nodes import sync_node
from utt_ros.nodes.sync_node import MAX_SILENCE_SEC, SyncNode
from utt_ros.types import NS_PER_S

WAIT_SEC = 30.0


class SilentArea:
    """A synchronizer that receives nothing; `passed_s` is the time since its start."""

    def __init__(self, wait_until: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
        self.passed_s = 0.0
        monkeypatch.setattr(sync_node, 'monotonic', lambda: self.passed_s)
        self.node, self._wait_until = SyncNode(), wait_until
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._reports: list[DiagnosticArray] = []
        self.node.create_subscription(
            DiagnosticArray, '/diagnostics', self._reports.append, RELIABLE)
        self._clock = self.node.create_publisher(Clock, '/clock', 1)

    def report(self) -> DiagnosticStatus:
        """Return the next report."""
        self._reports.clear()
        self._spin_until(lambda: self._reports)
        return self._reports[0].status[0]

    def begin_time(self) -> None:
        """Publish the clock until the synchronizer has it."""
        def is_begun() -> bool:
            self._clock.publish(Clock(clock=to_time(NS_PER_S)))
            return self.node.get_clock().now().nanoseconds > 0
        self._spin_until(is_begun)

    def close(self) -> None:
        self._executor.shutdown()
        self.node.destroy_node()

    def _spin_until(self, is_done: Callable[[], object]) -> None:
        self._wait_until(is_done, WAIT_SEC, lambda: self._executor.spin_once(timeout_sec=0.05))


@pytest.fixture
def start_area(
    ros_domain: int, wait_until: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., SilentArea]]:
    areas: list[SilentArea] = []

    def start(*, is_simulated: bool) -> SilentArea:
        rclpy.init(args=['--ros-args', '-r', '__ns:=/hall', '-p',
                         f'use_sim_time:={str(is_simulated).lower()}'], domain_id=ros_domain)
        areas.append(SilentArea(wait_until, monkeypatch))
        return areas[-1]

    yield start
    for area in areas:
        area.close()
    rclpy.try_shutdown()


def test_silence_is_reported_after_a_while(start_area: Callable[..., SilentArea]) -> None:
    area = start_area(is_simulated=False)
    assert area.report().level == DiagnosticStatus.OK
    area.passed_s = MAX_SILENCE_SEC
    report = area.report()
    assert report.level == DiagnosticStatus.WARN
    assert 'no measurements on /hall/camera/tracks' in report.message


def test_nothing_is_missed_before_simulated_time_begins(
    start_area: Callable[..., SilentArea],
) -> None:
    area = start_area(is_simulated=True)
    area.passed_s = 3600.0  # a replay waits for its model
    assert area.report().level == DiagnosticStatus.OK
    area.begin_time()
    assert area.report().level == DiagnosticStatus.OK
    area.passed_s += MAX_SILENCE_SEC
    assert 'no measurements on /hall/camera/tracks' in area.report().message
