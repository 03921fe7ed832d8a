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
"""Heartbeats between a process and its monitor: silence, start, pauses of the monitor."""

import os
from collections.abc import Iterator

import pytest

from utt_ros.orchestration import heartbeat
from utt_ros.orchestration.heartbeat import (
    HEARTBEAT_VARIABLE,
    START_SEC,
    Heartbeat,
    HeartbeatMonitor,
)


@pytest.fixture
def monitor() -> Iterator[HeartbeatMonitor]:
    monitor = HeartbeatMonitor(5.0)
    yield monitor
    monitor.close()


def hangs_within(monitor: HeartbeatMonitor, begin_s: float, end_s: float) -> bool:
    """Look at a heartbeat twice a second."""
    looks = range(int(2 * begin_s), int(2 * end_s) + 1)
    return any(monitor.is_hung(look / 2) for look in looks)


@pytest.fixture
def beating(monitor: HeartbeatMonitor, monkeypatch: pytest.MonkeyPatch) -> Heartbeat:
    monkeypatch.setattr(heartbeat, 'BEAT_SEC', 0.0)
    return Heartbeat(monitor.path)


def test_silence_beyond_the_limit_is_a_hang(monitor: HeartbeatMonitor, beating: Heartbeat) -> None:
    beating.beat()
    beating.beat()
    assert not hangs_within(monitor, 0.0, 5.0)
    beating.beat()
    assert not hangs_within(monitor, 5.5, 10.0)
    assert hangs_within(monitor, 10.5, 11.5)


def test_process_that_never_beats_is_not_judged(monitor: HeartbeatMonitor) -> None:
    assert not hangs_within(monitor, 0.0, 2.0 * START_SEC)


def test_start_has_a_longer_limit(monitor: HeartbeatMonitor, beating: Heartbeat) -> None:
    beating.beat()
    assert not hangs_within(monitor, 0.0, START_SEC)
    assert hangs_within(monitor, START_SEC, START_SEC + 2.0)


def test_limit_of_0_judges_nobody(beating: Heartbeat) -> None:
    monitor = HeartbeatMonitor(0.0)
    heartbeat = Heartbeat(monitor.path)
    heartbeat.beat()
    heartbeat.beat()
    assert not hangs_within(monitor, 0.0, 2.0 * START_SEC)
    monitor.close()


def test_pause_of_the_monitor_is_not_a_silence_of_the_process(
    monitor: HeartbeatMonitor, beating: Heartbeat,
) -> None:
    beating.beat()
    beating.beat()
    assert not monitor.is_hung(0.0)
    assert not monitor.is_hung(3600.0)


def test_beats_are_counted_once_a_second(monitor: HeartbeatMonitor) -> None:
    beating = Heartbeat(monitor.path)
    for _ in range(100):
        beating.beat()
    assert monitor.count() == 1


def test_variable_of_the_environment_is_not_inherited_by_children(
    monitor: HeartbeatMonitor, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(HEARTBEAT_VARIABLE, monitor.path)
    Heartbeat().beat()
    assert HEARTBEAT_VARIABLE not in os.environ
    assert monitor.count() == 1


@pytest.mark.parametrize('path', ['', '/proc/self/fd/no-such-file'])
def test_heartbeat_without_a_monitor_goes_nowhere(path: str) -> None:
    Heartbeat(path).beat()
