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

"""Communication cost of raw data and of models."""

import pytest

from utt_ros.evaluation.federated.communication_cost import (
    LINK_BPS,
    central_cost,
    mapping_cost,
    raw_bytes,
)
from utt_ros.training.recordings import Recordings


def test_raw_data_have_the_size_of_their_measurements(data: Recordings) -> None:
    all_modalities, ranges = raw_bytes(data, data.modalities), raw_bytes(data, ['ftm'])
    phones = [phone for item in data.of('train', 'area1')
              for phone in item.session.phones.values()]
    assert ranges['area1'] == sum(len(phone.ftm) * (8 + 2 * 4) for phone in phones)
    assert all_modalities['area0'] > ranges['area0']


def test_transfers_take_the_time_of_the_slowest_link() -> None:
    training = {
        'round_slowest_s': [1.0, 2.0], 'bytes_slowest': [1000, 3000], 'bytes_final': 500,
        'bytes_down': [2000, 2000], 'bytes_up': [1500, 1500], 'areas': 2, 'compute_s': 5.0,
        'train_s': 4.0}
    cost = mapping_cost(training)
    assert cost['time_s'] == pytest.approx(3.0 + 8 * 4500 / LINK_BPS)
    assert cost['bytes'] == 7000 + 2 * 500
    central = central_cost(training, {'a': 10_000, 'b': 40_000})
    assert central['time_s'] == pytest.approx(4.0 + 8 * 40_500 / LINK_BPS)
    assert central['bytes'] == 50_000 + 2 * 500
