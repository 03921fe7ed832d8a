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

"""The load: the same bytes as rclpy, on schedule."""

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message

from utt_ros.cdr import replace_stamp
from utt_ros.evaluation.benchmarks.circling_walkers import LOOP_SEC
from utt_ros.evaluation.benchmarks.load_messages import (
    RATES_HZ,
    LoadStream,
    loop_schedule,
    make_streams,
    phone_names,
)

STAMP_NS = 1_700_000_000_123_456_789


@pytest.fixture(scope='module')
def streams() -> list[LoadStream]:
    return make_streams(3)


def test_bytes_are_those_that_rclpy_serializes(streams: list[LoadStream]) -> None:
    for stream in (stream for stream in streams if stream.kind != 'camera'):  # that one is rclpy's
        message = replace_stamp(stream.messages[-1], STAMP_NS)
        rclpy_bytes = bytes(serialize_message(deserialize_message(message, stream.type)))
        assert len(rclpy_bytes) == len(message)
        padding = [place for place, byte in enumerate(message) if byte != rclpy_bytes[place]]
        assert len(padding) <= 12  # rclpy leaves what was in its buffer there
        assert not any(message[place] for place in padding)


def test_every_frame_shows_every_phone_with_its_label(streams: list[LoadStream]) -> None:
    camera = next(stream for stream in streams if stream.kind == 'camera')
    for message in camera.messages:
        tracks = deserialize_message(message, camera.type).tracks
        assert [track.subject for track in tracks] == phone_names(3)


def test_schedule_has_every_message_once_in_order_and_at_its_rate(
    streams: list[LoadStream],
) -> None:
    events = loop_schedule(streams)
    assert events == sorted(events)
    assert len({(number, index) for _, number, index in events}) == len(events)
    for number, stream in enumerate(streams):
        due_ns = [due for due, at, _ in events if at == number]
        assert len(due_ns) == LOOP_SEC * RATES_HZ[stream.kind]
        assert np.ptp(np.diff(due_ns)) <= 1


def test_loop_begins_again_one_step_after_its_end(streams: list[LoadStream]) -> None:
    for stream in streams:
        count = len(stream.messages)
        period_ns = LOOP_SEC * 10**9 / count
        assert 0 <= stream.phase_ns < 10**9
        assert stream.phase_ns + (count - 1) * period_ns < stream.phase_ns + LOOP_SEC * 10**9


def contents(streams: list[LoadStream]) -> list[tuple[object, ...]]:
    """Return what the streams say: rclpy leaves what was in its buffer in the padding."""
    return [
        (stream.kind, stream.topic, stream.phase_ns,
         [deserialize_message(message, stream.type) for message in stream.messages])
        for stream in streams]


def test_equal_seeds_make_equal_loads() -> None:
    first = contents(make_streams(2, seed=5))
    assert contents(make_streams(2, seed=5)) == first
    assert contents(make_streams(2, seed=6)) != first
