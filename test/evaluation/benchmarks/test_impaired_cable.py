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

"""Frames wait and are lost as the settings of a cable say."""

import socket

import pytest

from utt_ros.errors import SettingsError
from utt_ros.evaluation.benchmarks import impaired_cable
from utt_ros.evaluation.benchmarks.impaired_cable import (
    FRAME_MEMORY_BYTES,
    STATISTICS,
    Cable,
    CableSettings,
    DelayLine,
    LostFrames,
)

FRAMES = [number.to_bytes(2, 'big') for number in range(10_000)]


def test_frames_wait_in_order() -> None:
    line = DelayLine(CableSettings(50.0), 0)
    assert line.next_s == float('inf')
    line.put(1.0, b'a')
    line.put(1.02, b'b')
    assert line.next_s == pytest.approx(1.05)
    assert list(line.due(1.04)) == []
    assert list(line.due(1.06)) == [b'a']
    assert list(line.due(9.0)) == [b'b']
    assert list(line.due(9.0)) == []


def passed(settings: CableSettings, direction: int) -> list[bytes]:
    line = DelayLine(settings, direction)
    for frame in FRAMES:
        line.put(0.0, frame)
    return list(line.due(0.0))


def test_a_share_of_frames_is_lost_by_seed_and_direction() -> None:
    assert passed(CableSettings(), 0) == FRAMES
    some = passed(CableSettings(loss=0.05, seed=3), 0)
    assert 0.94 < len(some) / len(FRAMES) < 0.96
    assert passed(CableSettings(loss=0.05, seed=3), 0) == some
    assert passed(CableSettings(loss=0.05, seed=3), 1) != some
    assert passed(CableSettings(loss=0.05, seed=4), 0) != some


def test_memory_of_waiting_frames_is_bounded_and_what_is_over_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(impaired_cable, 'MAX_DELAYED_BYTES', 3 * FRAME_MEMORY_BYTES + 1000)
    line = DelayLine(CableSettings(), 0)
    for size in (700, 700, 100, 200, 1):  # the second does not fit, nor does the last
        line.put(0.0, bytes(size))
    assert (line.overflowed, line.lost) == (2, 0)
    assert [len(frame) for frame in line.due(0.0)] == [700, 100, 200]
    line.put(0.0, bytes(1000))
    assert [len(frame) for frame in line.due(0.0)] == [1000]
    assert line.overflowed == 2


def test_frames_lost_by_chance_are_counted() -> None:
    line = DelayLine(CableSettings(loss=0.05, seed=3), 0)
    for frame in FRAMES:
        line.put(0.0, frame)
    assert line.lost == len(FRAMES) - len(list(line.due(0.0))) > 0
    assert line.overflowed == 0


class PairEnd(socket.socket):
    """End of a pair of sockets with the counters of a device."""

    drops = 0

    def getsockopt(self, *_: object) -> bytes:  # type: ignore[override]
        return STATISTICS.pack(100, self.drops)


def test_frames_that_the_kernel_dropped_and_a_device_refused_are_overload() -> None:
    (near, one), (other, far) = ((PairEnd(fileno=each.detach()) for each in socket.socketpair(
        socket.AF_UNIX, socket.SOCK_DGRAM)) for _ in range(2))
    with near, one, other, far:
        for device in (one, other, far):
            device.setblocking(False)
        one.drops, other.drops = 3, 4
        cable = Cable((one, other), CableSettings())
        near.send(b'a')
        cable.carry()
        assert far.recv(10) == b'a'
        far.close()
        near.send(b'b')
        cable.carry()
        assert cable.lost_frames() == LostFrames(by_chance=0, by_overload=8)


@pytest.mark.parametrize(('settings', 'text'), [
    ({'delay_ms': -1.0}, r'delay is -1 ms: it must be within 0..10000'),
    ({'delay_ms': float('nan')}, 'delay is nan ms'),
    ({'loss': 1.0}, r'loss is 1: it must be within 0..1, and below 1'),
])
def test_an_impossible_cable_is_refused(settings: dict[str, float], text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        CableSettings(**settings)  # type: ignore[arg-type]
