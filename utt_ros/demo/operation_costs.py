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
"""Errors of made task twins on test sessions, and what training from scratch takes instead.

The areas do other work beside an operation. So the fine-tuning of a transfer is repeated here for
its processor time, which is compared with that of training from scratch.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from utt_ros.demo.held_out import cut_sessions, held_out_windows
from utt_ros.demo.operations_stage import PerformedOperation
from utt_ros.demo.scenes import DemoArea
from utt_ros.demo.scratch_training import ScratchTraining, SessionDecoding
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.models.settings import load_config
from utt_ros.task_twins.types import TaskTwin
from utt_ros.training.fine_tuning import MIN_WINDOWS
from utt_ros.training.settings import TrainerSettings
from utt_ros.training.trainer import use_one_thread


def operation_costs(
    performed: Sequence[PerformedOperation], areas: Sequence[DemoArea], untrained: Checkpoint,
) -> list[dict[str, Any]]:
    """Return a row for each twin that was made, for JSON.

    Errors are mean NMSE_var over channels, on the test sessions of the area of the sources.
    `nmse_scratch`: of a model that is trained for this decoding alone, to its end, on as many
    windows of the same sessions. Of a transfer: also the cost of its error from scratch.
    """
    use_one_thread()  # as in trainers: a second one makes small models slower
    named = {area.name: area for area in areas}
    sessions: dict[str, _Sessions] = {}
    rows = []
    for item in performed:
        if item.area not in sessions:
            sessions[item.area] = _Sessions(named[item.area], untrained)
        rows += [_row(item, twin, sessions[item.area].decoding(twin))
                 for twin in item.outcome.twins]
    return rows


class _Sessions:
    """Windows of an area's sessions."""

    def __init__(self, area: DemoArea, untrained: Checkpoint) -> None:
        _, window = load_config(untrained.config)
        self._untrained = untrained
        self._test = held_out_windows(area, area.test, window)
        self._training = cut_sessions(area, area.train, window, TrainerSettings().window_stride)

    def decoding(self, twin: TaskTwin) -> SessionDecoding:
        return SessionDecoding(
            (twin.sources, twin.target), self._untrained, self._training, self._test)


def _row(item: PerformedOperation, twin: TaskTwin, decoding: SessionDecoding) -> dict[str, Any]:
    outcome, nmse = item.outcome, decoding.nmse(item.after)
    row = {
        'operation': item.request.kind, 'area': twin.area, 'sources': list(item.request.sources),
        'target': twin.id, 'reads': list(twin.sources), 'seconds': outcome.seconds,
        'bytes': outcome.bytes, 'windows': outcome.windows, 'tuned': bool(twin.windows),
        'nmse': _finite(nmse), 'nmse_before': _finite(decoding.nmse(item.before)),
        'nmse_scratch': None}
    if decoding.window_count >= MIN_WINDOWS:
        count = min(max(outcome.windows, MIN_WINDOWS), decoding.window_count)
        tried = [decoding.train_from_scratch(count, nmse, twin.judged_windows, to_end=True)]
        row['nmse_scratch'] = _finite(tried[0].nmse)
        if item.request.kind == 'transfer':
            row['seconds_alone'] = decoding.tuning_s(item.before, count, twin.judged_windows)
            row |= _cost(tried, nmse, twin.judged_windows, decoding)
    if item.request.kind == 'merge':
        row['nmse_alone'] = {source: _finite(decoding.nmse(item.after, (source,)))
                             for source in twin.sources}
    return row


def _cost(
    tried: list[ScratchTraining], nmse: float, judged: int, decoding: SessionDecoding,
) -> dict[str, Any]:
    """Return the least time, and the fewest windows, with which training reaches an error.

    Windows are doubled until it does. With all of them it is tried as well, since more may need
    fewer steps.
    """
    total = decoding.window_count
    while not tried[-1].reached and tried[-1].windows < total:
        count = min(2 * tried[-1].windows, total)
        tried.append(decoding.train_from_scratch(count, nmse, judged))
    if tried[-1].windows < total:
        tried.append(decoding.train_from_scratch(total, nmse, judged))
    reached = [training for training in tried if training.reached]
    return {
        'seconds_scratch': min(
            (training.reached_s for training in reached), default=tried[-1].seconds),
        'windows_scratch': min((training.windows for training in reached), default=total),
        'nmse_scratch_end': _finite(min(training.nmse for training in tried)),
        'scratch_reached': bool(reached)}


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
