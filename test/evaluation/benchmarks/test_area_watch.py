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

"""Observer of several areas."""

from collections.abc import Callable

import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from utt_ros.msg import TwinStatus

from utt_ros.bridge.node.qos import RELIABLE, SENSOR
from utt_ros.evaluation.benchmarks.area_watch import longest_gap_s, open_watch

S = 10**9


@pytest.mark.parametrize(('arrivals', 'gap_s'), [
    ([], 10.0), ([S], 9.0), ([9 * S], 9.0), ([4 * S, 6 * S], 4.0), ([6 * S, 4 * S], 4.0),
    ([-S, 0, 20 * S], 10.0), (list(range(0, 11 * S, S)), 1.0)])
def test_longest_gap_includes_the_ends_of_the_interval(arrivals: list[int], gap_s: float) -> None:
    assert longest_gap_s(arrivals, 0, 10 * S) == gap_s


def test_predictions_status_and_diagnostics_are_observed_by_area(ros_domain: int) -> None:
    with open_watch({'hall': ('anna', 'ben'), 'stairs': ('eva',)}) as watch:
        rclpy.init(args=[])
        node = rclpy.create_node('twin')
        positions = node.create_publisher(
            PoseWithCovarianceStamped, '/hall/twins/ben/position', SENSOR)
        status = node.create_publisher(TwinStatus, '/hall/twin_status', RELIABLE)
        diagnostics = node.create_publisher(DiagnosticArray, '/diagnostics', RELIABLE)

        def observed() -> bool:
            positions.publish(PoseWithCovarianceStamped())
            status.publish(TwinStatus(compute_p99=3.0))
            diagnostics.publish(DiagnosticArray(status=[DiagnosticStatus(name='hall: twin')]))
            return bool(watch.arrivals['hall'] and watch.compute_p99['hall'] and watch.reported)

        assert watch.wait(observed, 30.0)
        assert watch.compute_p99['hall'][0][1] == 3.0
        assert set(watch.reported) == {'hall/twin'}
        assert watch.arrivals['stairs'] == []
        first_ns = watch.arrivals['hall'][0]
        assert watch.silence_s('hall', first_ns, first_ns + 1) <= 1e-9
        assert not watch.wait(lambda: False, 0.0)
        node.destroy_node()
        rclpy.try_shutdown()


def test_two_watches_one_after_the_other(ros_domain: int, wait_until: Callable[..., None]) -> None:
    for _ in range(2):
        with open_watch({'hall': ()}) as watch:
            watch.pause(0.0)
