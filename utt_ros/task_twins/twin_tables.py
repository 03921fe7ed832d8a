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

"""Task twins as text and as content for JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from math import isnan
from typing import Any

from utt_ros.task_twins.types import ModelReference, TaskTwin
from utt_ros.text_table import align_columns
from utt_ros.types import CHANNELS, NS_PER_S

SHOWN_CHECKSUM = 12  # characters


def twin_table(twins: Iterable[TaskTwin]) -> list[str]:
    """Return one line for each twin, below a head."""
    return align_columns(
        ('id', 'status', 'operation', 'reads', 'makes', 'model', 'NMSE_var', 'windows'),
        [(twin.id, _status(twin), twin.operation, '+'.join(twin.sources), twin.target,
          _model(twin.model), _number(twin.mean_nmse), str(twin.windows))
         for twin in twins], left=6)


def channel_table(twins: Sequence[TaskTwin]) -> list[str]:
    """Return the errors of each channel of twins that were judged; std in units."""
    rows = [(twin.id, channel, _number(twin.nmse.get(channel)), _number(twin.std.get(channel)),
             str(twin.judged_windows), twin.judged_in)
            for twin in twins for channel in CHANNELS[twin.target]
            if channel in twin.nmse or channel in twin.std]
    head = ('id', 'channel', 'NMSE_var', 'std', 'windows', 'judged in')
    return align_columns(head, rows, left=2)


def twin_description(twin: TaskTwin) -> list[str]:
    """Return all that is known of one twin, a line for each field that is not empty."""
    model = twin.model
    fields = {
        'area': twin.area, 'task': f'{twin.task}: {"+".join(twin.sources)} -> {twin.target}',
        'status': _status(twin), 'operation': twin.operation, 'parents': ', '.join(twin.parents),
        'replaces': twin.replaces, 'model': _model(model),
        'file': model.file or 'follows the model of its area', 'federation': model.federation,
        'checksum': model.checksum, 'windows': str(twin.windows or ''),
        'data': twin.data_fingerprint, 'created': _time(twin.created_ns)}
    lines = align_columns(
        (twin.id, ''), [(name, text) for name, text in fields.items() if text], left=2)
    table = channel_table([twin])
    return [lines[0].strip(), *lines[1:], *(['', *table] if table else [])]


def twins_content(twins: Iterable[TaskTwin]) -> list[dict[str, Any]]:
    """Return the records for JSON."""
    return [asdict(twin) for twin in twins]


def _status(twin: TaskTwin) -> str:
    return f'{twin.status}, pinned' if twin.pinned else twin.status


def _model(model: ModelReference) -> str:
    return f'round {model.round}, {model.checksum[:SHOWN_CHECKSUM]}' if model.checksum else 'none'


def _number(value: float | None) -> str:
    return '-' if value is None or isnan(value) else f'{value:.3f}'


def _time(stamp_ns: int) -> str:
    if not stamp_ns:
        return ''
    moment = datetime.fromtimestamp(stamp_ns / NS_PER_S, timezone.utc)
    return moment.isoformat(sep=' ', timespec='seconds')
