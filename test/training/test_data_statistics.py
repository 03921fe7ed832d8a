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

"""Statistics of training data."""

from dataclasses import replace

import numpy as np
import pytest

from utt_ros.training.data_statistics import data_statistics, mean_position
from utt_ros.training.metrics import channel_means
from utt_ros.training.offline_dataset import plain_examples
from utt_ros.training.recordings import Recordings


def test_statistics_are_those_of_the_train_split(data: Recordings) -> None:
    statistics = data_statistics(data)
    columns = plain_examples(data, 'train')
    assert set(statistics.means) == {'camera', 'ftm', 'imu'}
    for name, means in statistics.means.items():
        assert means == pytest.approx(channel_means(columns[name], columns[f'{name}_mask']))
    field = columns['imu'][columns['imu_mask']][:, 6:]
    assert statistics.magnetic_field == pytest.approx(
        [np.hypot(field[:, 0], field[:, 1]).mean(), field[:, 2].mean()], rel=1e-3)
    only_train = replace(data, recordings=data.of('train'))
    assert statistics.position == mean_position(only_train).tolist()


def test_without_ground_truth_there_is_no_position(data: Recordings) -> None:
    blind = tuple(replace(item, session=replace(item.session, truth={}))
                  for item in data.recordings)
    assert data_statistics(replace(data, recordings=blind)).position == []
