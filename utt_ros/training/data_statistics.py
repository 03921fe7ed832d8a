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

"""Statistics of training data, kept in model cards for evaluation elsewhere."""

import numpy as np

from utt_ros.models.saved_model import DataStatistics
from utt_ros.training.columns import Columns
from utt_ros.training.metrics import training_means
from utt_ros.training.offline_dataset import plain_examples
from utt_ros.training.recordings import Recordings
from utt_ros.types import Array


def data_statistics(data: Recordings) -> DataStatistics:
    """Return the statistics of the train split; of modalities of some area.

    Raises SessionError when no sequence is long enough for a window.
    """
    columns = plain_examples(data, 'train')
    means = training_means(columns, [
        name for name in data.modalities if columns[f'{name}_mask'].any()])
    return DataStatistics(
        {name: mean.tolist() for name, mean in means.items()},
        _floats(mean_position(data)), _floats(_magnetic_field(columns)))


def mean_position(data: Recordings) -> Array:
    """Return the mean true position (2,) [m] in the train split; NaN without ground truth."""
    truths = [truth.positions_m for item in data.of('train')
              for truth in item.session.truth.values()]
    positions = np.concatenate([np.zeros((0, 2)), *truths])
    return np.asarray(positions.mean(0) if len(positions) else np.full(2, np.nan))


def _magnetic_field(columns: Columns) -> Array:
    """Mean horizontal and upward field [T] of phones that lie about flat; NaN without IMU."""
    field = columns['imu'][columns['imu_mask']][:, 6:].astype(np.float64)
    if not len(field):
        return np.full(2, np.nan)
    return np.array([np.hypot(field[:, 0], field[:, 1]).mean(), field[:, 2].mean()])


def _floats(values: Array) -> list[float]:
    return values.tolist() if np.isfinite(values).all() else []
