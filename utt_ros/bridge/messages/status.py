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

"""Status of a twin -> message."""

from collections.abc import Collection

import numpy as np
from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from utt_ros.msg import TwinStatus
from utt_ros.settings import AreaSettings
from utt_ros.twin.health import SensorHealth
from utt_ros.twin.tick_types import TickPredictions


def twin_status_to_message(
    stamp: Time, area: AreaSettings, health: SensorHealth, predictions: TickPredictions | None, *,
    model_round: int | None, idle_s: float, published: int, times_ms: Collection[float],
) -> TwinStatus:
    """Convert the health and the newest predictions of a twin.

    `predictions` and `model_round` (of the graph in use) are None before the first ones. `idle_s`:
    time since the last tick; `published`: predictions published; `times_ms`: computing times of
    the last ticks.
    """
    message = TwinStatus(
        header=Header(stamp=stamp, frame_id=area.area), area=area.area,
        map_pose=list(area.pose_in_map), round=model_round or 0,
        model_ready=model_round is not None, modalities=list(health.modalities),
        missing=health.missing(), ticks=health.ticks, ticks_lost=health.lost,
        predictions=published, note=health.summary(idle_s, model_round is not None))
    if predictions is not None:
        message.subjects, message.sources = list(predictions.subjects), list(predictions.sources)
        variance = np.linalg.eigvalsh(predictions.covariance)[:, -1]
        message.position_std = np.sqrt(np.maximum(variance, 0)).tolist()
    if times_ms:
        message.compute_p50, message.compute_p99 = np.percentile(list(times_ms), [50, 99]).tolist()
    return message
