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

"""Observer of several areas: when they predict, when their nodes report, time of a tick.

Messages are taken in batches. Times are those of reception by the DDS layer (CLOCK_REALTIME).
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.subscription import Subscription

from utt_ros.bridge.node.qos import RELIABLE, SENSOR
from utt_ros.msg import TwinStatus
from utt_ros.orchestration.discovery import discovery_environment
from utt_ros.types import NS_PER_S

POLL_SEC = 0.05


class AreaWatch:
    """Arrivals of predictions by area, newest diagnostics by node, p99 of ticks by area."""

    def __init__(self, node: Node, phones: Mapping[str, Sequence[str]]) -> None:
        """`phones`: of each area."""
        self._positions = [
            (area, node.create_subscription(
                PoseWithCovarianceStamped, f'/{area}/twins/{phone}/position', _ignore, SENSOR,
                raw=True))
            for area, names in phones.items() for phone in names]
        self._status = [
            (area, node.create_subscription(
                TwinStatus, f'/{area}/twin_status', _ignore, RELIABLE)) for area in phones]
        self._diagnostics = node.create_subscription(
            DiagnosticArray, '/diagnostics', _ignore, RELIABLE)
        self.arrivals: dict[str, list[int]] = {area: [] for area in phones}  # [ns]
        self.compute_p99: dict[str, list[tuple[int, float]]] = {area: [] for area in phones}
        self.reported: dict[str, int] = {}  # node such as 'area0/sync' -> newest arrival [ns]

    def poll(self) -> None:
        """Take what has arrived."""
        for area, subscription in self._positions:
            self.arrivals[area] += [
                info['received_timestamp'] for _, info in take_all(
                    subscription, PoseWithCovarianceStamped, raw=True)]
        for area, subscription in self._status:
            self.compute_p99[area] += [
                (info['received_timestamp'], message.compute_p99)
                for message, info in take_all(subscription, TwinStatus, raw=False)]
        for message, info in take_all(self._diagnostics, DiagnosticArray, raw=False):
            for status in message.status:
                name = status.name.replace(': ', '/', 1)
                self.reported[name] = info['received_timestamp']

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Poll until a condition holds or the time is over; return whether it holds."""
        deadline_s = time.monotonic() + seconds
        while True:
            self.poll()
            if condition():
                return True
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(POLL_SEC)

    def pause(self, seconds: float) -> None:
        """Poll for some time."""
        self.wait(lambda: False, seconds)

    def silence_s(self, area: str, begin_ns: int, end_ns: int) -> float:
        """Return the longest time without a prediction of an area within an interval [s]."""
        return longest_gap_s(self.arrivals[area], begin_ns, end_ns)


def longest_gap_s(arrivals_ns: Sequence[int], begin_ns: int, end_ns: int) -> float:
    """Return the longest gap between arrivals, and the ends of the interval [s]."""
    times = np.sort(np.asarray(arrivals_ns, np.int64))
    inside = times[(begin_ns < times) & (times < end_ns)]
    return float(np.diff([begin_ns, *inside.tolist(), end_ns]).max() / NS_PER_S)


@contextmanager
def open_watch(phones: Mapping[str, Sequence[str]]) -> Iterator[AreaWatch]:
    """Observe areas in the domain of the environment while the block runs."""
    os.environ.update(discovery_environment(os.environ))
    context = rclpy.Context()
    rclpy.init(args=[], context=context, signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node('area_watch', context=context)
    try:
        yield AreaWatch(node, phones)
    finally:
        node.destroy_node()
        context.try_shutdown()


def take_all(subscription: Subscription, kind: type[Any], *, raw: bool) -> Iterator[
        tuple[Any, dict[str, int]]]:
    """Take every message that waits, with the times of the middleware."""
    with subscription.handle:
        while (taken := subscription.handle.take_message(kind, raw)) is not None:
            yield taken


def _ignore(message: object) -> None:
    """Placeholder callback: messages are taken, not delivered."""
