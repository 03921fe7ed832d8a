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

"""Task twins survive the round trip through messages; invalid ones are refused."""

from dataclasses import replace

import pytest
from builtin_interfaces.msg import Time
from rclpy.serialization import deserialize_message, serialize_message
from utt_ros.action import Merge, Split, Transfer
from utt_ros.msg import TaskTwin, TaskTwins

from utt_ros.bridge.messages.task_twins import (
    handover_from_request,
    handover_to_request,
    twin_from_message,
    twin_to_message,
    twins_from_message,
    twins_to_message,
)
from utt_ros.errors import TwinError
from utt_ros.federation.types import Seal, TwinHandover
from utt_ros.task_twins import types
from utt_ros.task_twins.registry_file import dump_twin

TWIN = types.TaskTwin(
    'hall_position_2', 'hall', 'position', ('camera', 'imu'),
    types.ModelReference('f00d', 7, 'a' * 64, 'hall_position_2.safetensors'), 'merge',
    ('hall_tracking', 'hall_trajectory'), 'hall_position', 2**40, 'b' * 64, 'hall', 12,
    {'range_m': 0.1, 'std_m': 0.7}, {'range_m': 1.3}, 'paused', True, 1_700_000_000_123_456_789)


def over_the_wire(message: object) -> object:
    return deserialize_message(serialize_message(message), type(message))


def test_a_task_twin_survives_the_round_trip() -> None:
    message = over_the_wire(twin_to_message(TWIN))
    assert isinstance(message, TaskTwin)
    assert message.channels == ['range_m', 'std_m']
    assert twin_from_message(message) == TWIN


def test_the_twins_of_an_area_are_sorted_by_id() -> None:
    native = types.TaskTwin('hall_position', 'hall', 'position', ('ftm',))
    message = over_the_wire(twins_to_message('hall', [TWIN, native], Time(sec=3)))
    assert isinstance(message, TaskTwins)
    assert message.header.stamp == Time(sec=3)
    assert twins_from_message(message) == (native, TWIN)


def test_an_invalid_task_twin_is_refused() -> None:
    with pytest.raises(TwinError, match="status 'idle' of hall_position_2 is unknown"):
        twin_from_message(twin_to_message(replace(TWIN, status='idle')))


@pytest.mark.parametrize(('name', 'values'), [
    ('nmse', [0.1]), ('nmse', [0.1, 0.7, 0.9]), ('std', []), ('channels', ['range_m']),
])
def test_lists_of_different_lengths_are_refused(name: str, values: list[float]) -> None:
    message = twin_to_message(TWIN)
    setattr(message, name, values)
    with pytest.raises(TwinError, match='must have one for each of'):
        twin_from_message(message)


def test_a_model_that_is_handed_over_round_trips_with_its_seal() -> None:
    handover = TwinHandover(
        'stairs', dump_twin(TWIN), '{}', 0.3, 'c' * 64, b'weights', Seal('key', 7, b'signature'))
    assert handover_from_request(over_the_wire(handover_to_request(handover))) == handover


@pytest.mark.parametrize('action', [Transfer, Merge, Split])
def test_operations_share_budget_result_and_feedback(action: type) -> None:
    fields = action.Goal.get_fields_and_field_types()
    assert {'max_windows', 'max_seconds', 'max_nmse'} <= fields.keys()
    assert action.Result.get_fields_and_field_types() == (
        Transfer.Result.get_fields_and_field_types())
    assert action.Feedback.get_fields_and_field_types() == (
        Transfer.Feedback.get_fields_and_field_types())
