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

"""Records of Flower: what goes in comes out."""

import numpy as np
import pytest

pytest.importorskip('flwr.app', reason='the extra `flower` is not installed')

from flwr.app import ConfigRecord, RecordDict

from utt_ros.errors import ModelError
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.client_messages import make_update
from utt_ros.federation.server import to_global_model
from utt_ros.flower.flower_records import (
    AREA,
    MODEL,
    TRAINER,
    UPDATE,
    model_records,
    name_records,
    read_name,
    read_state,
    read_task,
    read_update,
    state_record,
    update_records,
)
from utt_ros.training.trainer_state import LearnerState

TENSORS = {'imu.w': np.arange(4, dtype=np.float32)}
BEGIN = Checkpoint('federation', 3, '{}', TENSORS)


def test_model_and_steps_round_trip() -> None:
    model = to_global_model(BEGIN)
    assert read_task(model_records(model, 5)) == (model, 5)


def test_update_round_trips_and_may_be_absent() -> None:
    update = make_update(BEGIN, 'north', 7, ('ftm', 'imu'), TENSORS)
    assert read_update(update_records(update, 0.5)) == update
    assert read_update(update_records(None, 0.5)) is None


def test_name_and_state_round_trip() -> None:
    assert read_name(name_records('north')) == 'north'
    assert read_state(RecordDict()) is None
    state = read_state(RecordDict({TRAINER: state_record(LearnerState(TENSORS, '{}'))}))
    assert state is not None
    assert state.counters == '{}'
    np.testing.assert_array_equal(state.moments['imu.w'], TENSORS['imu.w'])


@pytest.mark.parametrize(('name', 'fields'), [
    (MODEL, {'steps': 1}), (MODEL, {'steps': 1, 'other': 2}), (UPDATE, {}),
    (UPDATE, {'modalities': ['imu'], 'other': 1}), ('other', {})])
def test_records_with_other_fields_are_refused(name: str, fields: dict[str, object]) -> None:
    records = RecordDict({name: ConfigRecord(fields)})
    with pytest.raises(ModelError, match='record'):
        read_update(records) if name == UPDATE else read_task(records)
    with pytest.raises(ModelError, match=AREA):
        read_name(records)
