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

"""Residuals of a trained model on recordings: the deviations that a merge of estimates needs."""

from collections.abc import Mapping, Sequence

import numpy as np

from utt_ros.models.operations import Pair
from utt_ros.models.twin import UnifiedTwin
from utt_ros.training.metrics import relative_errors, training_means
from utt_ros.training.offline_dataset import plain_examples, rotate_to_area_frame
from utt_ros.training.recordings import Recordings
from utt_ros.types import CHANNELS, Array

PREFIX = 'std'  # of the metrics of a card


def residual_deviations(
    twin: UnifiedTwin, data: Recordings, pairs: Sequence[Pair], split: str = 'val',
) -> dict[Pair, Array]:
    """Return root mean squares (F,) of the residuals of each decoding (sources, target)."""
    columns = rotate_to_area_frame(plain_examples(data, split), twin.window)
    means = training_means(columns, [target for _, target in pairs])
    return {pair: error.rms_of_channels
            for pair, error in relative_errors(twin, columns, pairs, means).items()}


def deviation_metrics(deviations: Mapping[Pair, Array]) -> dict[str, float]:
    """Name deviations for the metrics of a model card; unknown ones are left out."""
    return {_name(pair, channel): float(value) for pair, values in deviations.items()
            for channel, value in zip(CHANNELS[pair[1]], values, strict=True)
            if np.isfinite(value)}


def card_deviations(metrics: Mapping[str, float], pair: Pair) -> Array:
    """Return deviations (F,) from the metrics of a model card; NaN where it has none."""
    return np.array([metrics.get(_name(pair, name), np.nan) for name in CHANNELS[pair[1]]])


def _name(pair: Pair, channel: str) -> str:
    return f'{PREFIX} {"+".join(pair[0])}->{pair[1]} {channel}'
