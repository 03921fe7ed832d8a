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

"""The same behaviour from our module and, where it is installed, from ROS's own."""

import random
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import MagneticField, Temperature

from utt_ros.bridge.compat import message_filters as ours

SLOP_SEC = 0.1


@pytest.fixture(params=['ours', 'real'])
def filters(request: pytest.FixtureRequest) -> ModuleType:
    """Both implementations, one after the other."""
    if request.param == 'ours':
        return ours
    module: ModuleType = pytest.importorskip('message_filters')
    return module


def at(seconds: float) -> Temperature:
    """Make a message that was measured then; its value says when."""
    stamp_ns = round(seconds * 1e9)
    message = Temperature(temperature=seconds)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    return message


def collect(synchronizer: Any) -> list[tuple[float, ...]]:
    """Collect the values of what is joined."""
    joined: list[tuple[float, ...]] = []
    synchronizer.registerCallback(
        lambda *messages: joined.append(tuple(message.temperature for message in messages)))
    return joined


def test_exact_synchronizer_joins_equal_stamps_only(filters: ModuleType) -> None:
    left, right = filters.SimpleFilter(), filters.SimpleFilter()
    joined = collect(filters.TimeSynchronizer([left, right], 10))
    left.signalMessage(at(1.0))
    left.signalMessage(at(2.0))
    right.signalMessage(at(2.001))
    assert joined == []
    right.signalMessage(at(1.0))
    assert joined == [(1.0, 1.0)]


def test_shuffled_arrival_joins_the_same_pairs(filters: ModuleType) -> None:
    source = random.Random(0)
    for count in range(1, 10):
        left, right = filters.SimpleFilter(), filters.SimpleFilter()
        joined = collect(filters.ApproximateTimeSynchronizer([left, right], count, SLOP_SEC))
        stamps = [float(number) for number in range(count)]
        for stamp in source.sample(stamps, count):
            left.signalMessage(at(stamp))
        assert joined == []
        for stamp in source.sample(stamps, count):
            right.signalMessage(at(stamp + 0.03))
        assert sorted(joined) == [(stamp, stamp + 0.03) for stamp in stamps]


def test_stamps_must_lie_within_less_than_the_slop(filters: ModuleType) -> None:
    left, right = filters.SimpleFilter(), filters.SimpleFilter()
    joined = collect(filters.ApproximateTimeSynchronizer([left, right], 10, SLOP_SEC))
    left.signalMessage(at(5.0))
    right.signalMessage(at(5.0 + SLOP_SEC))
    assert joined == []
    right.signalMessage(at(5.0 + SLOP_SEC - 1e-9))
    assert len(joined) == 1


def test_nearest_candidates_are_joined_and_used_up(filters: ModuleType) -> None:
    inputs = [filters.SimpleFilter() for _ in range(3)]
    joined = collect(filters.ApproximateTimeSynchronizer(inputs, 200, SLOP_SEC))
    for number in range(10):
        inputs[0].signalMessage(at(1.0 + number * 0.01))
    inputs[1].signalMessage(at(1.02))
    inputs[2].signalMessage(at(1.05))
    inputs[2].signalMessage(at(1.05))
    assert joined == [(1.05, 1.02, 1.05)]


def test_three_streams_are_joined_at_the_rate_of_the_slowest(filters: ModuleType) -> None:
    inputs = [filters.SimpleFilter() for _ in range(3)]
    joined = collect(filters.ApproximateTimeSynchronizer(inputs, 200, SLOP_SEC))
    rates = (10, 3, 100)
    schedule = sorted(
        (count / rate, number) for number, rate in enumerate(rates) for count in range(10 * rate))
    for stamp, number in schedule:
        inputs[number].signalMessage(at(stamp))
    assert len(joined) == 30


def test_queues_are_bounded(filters: ModuleType) -> None:
    left, right = filters.SimpleFilter(), filters.SimpleFilter()
    synchronizer = filters.ApproximateTimeSynchronizer([left, right], 5, SLOP_SEC)
    joined = collect(synchronizer)
    for number in range(100):
        left.signalMessage(at(float(number)))
    assert [len(queue) for queue in synchronizer.queues] == [5, 0]
    right.signalMessage(at(94.0))
    assert joined == []
    right.signalMessage(at(95.0))
    assert joined == [(95.0, 95.0)]


def test_extra_arguments_follow_the_messages(filters: ModuleType) -> None:
    left, right = filters.SimpleFilter(), filters.SimpleFilter()
    synchronizer = filters.ApproximateTimeSynchronizer([left, right], 5, SLOP_SEC)
    received: list[str] = []
    synchronizer.registerCallback(lambda _left, _right, phone: received.append(phone), 'phone_1')
    left.signalMessage(at(1.0))
    right.signalMessage(at(1.0))
    assert received == ['phone_1']


def test_subscriber_passes_on_messages_over_dds(
    filters: ModuleType, ros: int, wait_until: Callable[..., None],
) -> None:
    node = rclpy.create_node('listener')
    publisher = node.create_publisher(MagneticField, 'mag', 10)
    received: list[MagneticField] = []
    subscriber = filters.Subscriber(node, MagneticField, 'mag', qos_profile=10)
    subscriber.registerCallback(received.append)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    wait_until(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(MagneticField())
    wait_until(lambda: received, spin=lambda: executor.spin_once(timeout_sec=0.1))
    executor.shutdown()
    node.destroy_node()


def test_exception_in_a_callback_does_not_lock_the_filter() -> None:
    left, right = ours.SimpleFilter(), ours.SimpleFilter()
    synchronizer = ours.ApproximateTimeSynchronizer([left, right], 5, SLOP_SEC)
    synchronizer.registerCallback(lambda left, right: 1 / left.temperature)
    joined = collect(synchronizer)
    left.signalMessage(at(0.0))
    with pytest.raises(ZeroDivisionError):
        right.signalMessage(at(0.0))
    left.signalMessage(at(1.0))
    right.signalMessage(at(1.0))
    assert joined == [(1.0, 1.0)]


def test_callback_may_feed_the_filter_again() -> None:
    left, right = ours.SimpleFilter(), ours.SimpleFilter()
    synchronizer = ours.TimeSynchronizer([left, right], 5)
    joined = collect(synchronizer)

    def again(first: Temperature, _second: Temperature) -> None:
        if first.temperature < 2.0:
            left.signalMessage(at(first.temperature + 1.0))
            right.signalMessage(at(first.temperature + 1.0))

    synchronizer.registerCallback(again)
    left.signalMessage(at(0.0))
    right.signalMessage(at(0.0))
    assert joined == [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]


@pytest.mark.parametrize('kind', ['exact', 'approximate'])
def test_joining_goes_on_after_the_clock_jumped_back(kind: str) -> None:
    left, right = ours.SimpleFilter(), ours.SimpleFilter()
    synchronizer = (ours.TimeSynchronizer([left, right], 5) if kind == 'exact'
                    else ours.ApproximateTimeSynchronizer([left, right], 5, SLOP_SEC))
    joined = collect(synchronizer)
    for number in range(100, 110):
        left.signalMessage(at(float(number)))
    for number in range(3):
        left.signalMessage(at(float(number)))
        right.signalMessage(at(float(number)))
    assert joined == [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)]


def test_load_prefers_the_real_package(monkeypatch: pytest.MonkeyPatch) -> None:
    real = ModuleType('message_filters')
    monkeypatch.setitem(sys.modules, 'message_filters', real)
    assert ours.load_message_filters() is real


def test_load_falls_back_to_this_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'message_filters', None)
    assert ours.load_message_filters() is ours
