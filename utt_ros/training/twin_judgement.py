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

"""Judgement of task twins on held-out windows of an area, and the limit that they must meet."""

from collections.abc import Mapping
from math import isnan

from utt_ros.errors import TwinError
from utt_ros.models.operations import Pair
from utt_ros.models.twin import UnifiedTwin
from utt_ros.task_twins.types import TASK_OF
from utt_ros.training.columns import CENTRE, Columns
from utt_ros.training.fine_tuning import Judgement, complete_windows, judge


def judge_pair(
    twin: UnifiedTwin, held_out: Columns, training: Columns, pair: Pair, area: str,
) -> Judgement:
    """Judge a decoding. Raises TwinError when no window, or none that varies, allows that."""
    complete = bool(len(held_out[CENTRE])) and complete_windows(held_out, [pair]).any()
    judgement = judge(twin, held_out, training, pair) if complete else None
    if judgement is None or isnan(judgement.mean_nmse):
        raise TwinError(
            f'no data to judge on: {area} holds no windows out that have {pair[1]} as well as '
            f'{" and ".join(pair[0])}')
    return judgement


def check_limit(judgement: Judgement, pair: Pair, limit: float) -> None:
    """Raise TwinError when the mean error of a decoding exceeds a limit; 0: no limit."""
    if limit and not judgement.mean_nmse <= limit:
        raise TwinError(f'{describe_pair(pair)} has NMSE_var {judgement.mean_nmse:.3f} on '
                        f'{judgement.windows} windows: max_nmse is {limit:.3g}, so it is not put '
                        'in service')


def is_no_worse(
    after: Mapping[Pair, Judgement], before: Mapping[Pair, Judgement],
) -> bool:
    """Compare mean errors on the same windows: true when that of no decoding has grown."""
    return all(after[pair].mean_nmse <= former.mean_nmse for pair, former in before.items())


def describe_pair(pair: Pair) -> str:
    """Describe a decoding: 'trajectory from ftm and imu'."""
    return f'{TASK_OF[pair[1]]} from {" and ".join(pair[0])}'
