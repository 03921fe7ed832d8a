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

import json
from pathlib import Path

import numpy as np
import pytest
import utt_ros.msg
from rosbags.rosbag2 import Reader
from rosbags.serde import SerdeError
from rosbags.typesys.store import Typestore

from utt_ros.sessions.message_types import read_message, typestore

METRICS = 'utt_ros/msg/TrainingMetrics'
Metrics = tuple[Typestore, bytes]


def test_type_hashes_are_those_of_the_generated_interfaces(bag: Path) -> None:
    places = (parent / 'share' / 'utt_ros' for parent in Path(utt_ros.msg.__file__).parents)
    share = next(place for place in places if place.is_dir())
    with Reader(bag) as reader:
        ours = {item.msgtype: item.digest for item in reader.connections
                if item.msgtype.startswith('utt_ros/')}
    for msgtype, digest in ours.items():
        described = json.loads((share / 'msg' / f'{msgtype.split("/")[2]}.json').read_text())
        assert {item['hash_string'] for item in described['type_hashes']
                if item['type_name'] == msgtype} == {digest}
    assert len(ours) == 2


def test_a_report_of_the_older_definition_has_empty_gates(older_metrics: Metrics) -> None:
    report = read_message(older_metrics[1], METRICS)
    assert (report.round, report.operations, report.nmse_var.tolist()) == (
        7, ['a', 'bcd'], [0.5, 0.25])
    assert (report.modalities, report.gate_weights.tolist()) == ([], [])


def test_a_report_that_was_cut_is_refused(older_metrics: Metrics) -> None:
    _, report = older_metrics
    for length in range(len(report)):
        with pytest.raises(SerdeError):
            read_message(report[:length], METRICS)


def test_gates_of_a_report_that_was_cut_are_not_invented(older_metrics: Metrics) -> None:
    whole = read_message(older_metrics[1], METRICS)
    whole.modalities, whole.gate_weights = ['ftm', 'imu'], np.array([0.5, 0.75], np.float32)
    report = bytes(typestore().serialize_cdr(whole, METRICS))
    assert read_message(report, METRICS).gate_weights.tolist() == [0.5, 0.75]
    for length in range(len(older_metrics[1]) + 1, len(report)):
        with pytest.raises(SerdeError):
            read_message(report[:length], METRICS)
