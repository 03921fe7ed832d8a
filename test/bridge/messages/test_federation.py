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

"""Federation records survive the round trip through messages unchanged, by the fast path."""

import time
from dataclasses import replace
from math import inf, isnan, nan

import pytest
from builtin_interfaces.msg import Time
from rclpy.serialization import deserialize_message, serialize_message
from utt_ros.msg import GlobalModel, ModelUpdate, RoundStatus, TrainingMetrics

from utt_ros.bridge.messages import federation
from utt_ros.errors import ModelError
from utt_ros.federation import types

STAMP = Time(sec=12, nanosec=34)
PAYLOAD = bytes(range(256)) * 8


def over_the_wire(message: object) -> object:
    return deserialize_message(serialize_message(message), type(message))


def test_an_update_survives_the_round_trip() -> None:
    update = types.Update(
        federation='f00d', area='north', round=7, windows=2**40, modalities=('ftm', 'imu'),
        schema='a' * 64, checksum='b' * 64, payload=PAYLOAD, compression='sign', base='c' * 64,
    )
    message = over_the_wire(federation.update_to_message(update, STAMP))
    assert isinstance(message, ModelUpdate)
    assert message.header.stamp == STAMP
    assert federation.update_from_message(message) == update


def test_a_message_without_compression_is_plain() -> None:
    update = types.Update('f', 'north', 7, 5, (), 's', 'c', PAYLOAD)
    message = federation.update_to_message(update, STAMP)
    assert (message.compression, message.base) == ('', '')
    assert federation.update_from_message(ModelUpdate()).compression == types.PLAIN
    assert federation.model_from_message(GlobalModel()).compression == types.PLAIN


def test_a_global_model_survives_the_round_trip() -> None:
    model = types.GlobalModel(
        federation='f00d', round=0, config='{"width": 64}', schema='a' * 64, checksum='b' * 64,
        payload=PAYLOAD, compression='int8', base='c' * 64,
    )
    message = over_the_wire(federation.model_to_message(model, STAMP))
    assert isinstance(message, GlobalModel)
    assert message.header.stamp == STAMP
    assert federation.model_from_message(message) == model


def test_a_round_status_survives_the_round_trip_and_lists_areas_in_order() -> None:
    status = types.RoundStatus(
        federation='f00d', round=3, state='waiting', quorum=2, deadline_s=inf,
        accepted={'south': 5, 'north': 2**40}, refused={'west': 'not finite', 'east': 'stale'},
        bytes_received=10, bytes_sent=20, duration_s=1.5,
        suspected={'south': 'its change of fusor has 9 times the median norm'},
    )
    message = over_the_wire(federation.round_status_to_message(status, STAMP))
    assert isinstance(message, RoundStatus)
    assert message.accepted == ['north', 'south']
    assert message.refused == ['east', 'west']
    assert federation.round_status_from_message(message) == status


def test_a_large_payload_is_copied_not_converted_byte_by_byte() -> None:
    model = types.GlobalModel('f', 0, '{}', 's', 'c', bytes(8_000_000))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        federation.model_from_message(federation.model_to_message(model, STAMP))
        times.append(time.perf_counter() - start)
    # byte by byte is 0.2 s or more here, a copy some milliseconds
    assert min(times) < 0.05


def test_a_graph_survives_the_wire() -> None:
    deployment = types.Deployment('north', 'fed', 7, '{"model":{}}', bytes(range(256)) * 10)
    message = federation.deployment_to_message(deployment, STAMP)
    assert message.header.stamp == STAMP
    assert federation.deployment_from_message(message) == deployment


@pytest.mark.parametrize(('names', 'values'), [
    ('accepted', 'windows'), ('refused', 'reasons'), ('suspected', 'suspicions')])
def test_a_round_status_with_lists_of_different_lengths_is_refused(
    names: str, values: str,
) -> None:
    message = RoundStatus(**{names: ['north', 'south']})
    with pytest.raises(ModelError, match=rf'{values} has 0 values.* 2 names'):
        federation.round_status_from_message(message)


def test_a_report_without_an_error_for_each_operation_is_refused() -> None:
    message = TrainingMetrics(operations=['transfer:ftm->imu'], nmse_var=[0.5, 0.25])
    with pytest.raises(ModelError, match=r'nmse_var has 2 values.* 1 names'):
        federation.report_from_message(message)
    message = TrainingMetrics(modalities=['imu'])
    with pytest.raises(ModelError, match=r'gate_weights has 0 values.* 1 names'):
        federation.report_from_message(message)


def test_a_damaged_graph_is_refused() -> None:
    deployment = types.Deployment('north', 'fed', 7, '', b'graph')
    message = federation.deployment_to_message(deployment, STAMP)
    message.payload[0] ^= 1
    with pytest.raises(ModelError, match='checksum'):
        federation.deployment_from_message(message)


def test_a_report_survives_the_wire() -> None:
    report = types.Report('north', 3, 500, 120, 80, 1.5, {'transfer:ftm->imu': 0.5, 'a': 0.25},
                          {'imu': 0.75, 'ftm': 0.5})
    message = federation.report_to_message(report, STAMP)
    assert list(message.operations) == ['a', 'transfer:ftm->imu']
    assert list(message.modalities) == ['ftm', 'imu']
    assert federation.report_from_message(message) == report
    empty = federation.report_to_message(replace(report, loss=nan, nmse={}), STAMP)
    first = federation.report_from_message(empty)
    assert isnan(first.loss)
    assert first.nmse == {}
