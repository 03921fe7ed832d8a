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

"""Fields of a message of a task twin, of whichever library, -> its record."""

from collections.abc import Sequence
from math import isnan
from typing import Any

from utt_ros.errors import TwinError
from utt_ros.task_twins.types import ModelReference, TaskTwin, check_twin
from utt_ros.types import stamp_to_ns


def twin_from_fields(message: Any) -> TaskTwin:
    """Convert an object with the fields of msg/TaskTwin.msg. Raises TwinError for an invalid one.

    Live messages are objects of rclpy, those of bags of rosbags.
    """
    for name, values in (('nmse', message.nmse), ('std', message.std)):
        if len(values) != len(message.channels):
            raise TwinError(f'{name} of {message.id[:64]!r} has {len(values)} values: it must '
                            f'have one for each of {len(message.channels)} channels')

    def by_channel(values: Sequence[float]) -> dict[str, float]:
        pairs = zip(message.channels, values, strict=True)
        return {name: float(value) for name, value in pairs if not isnan(value)}

    return check_twin(TaskTwin(
        id=message.id,
        area=message.area,
        task=message.task,
        sources=tuple(message.sources),
        model=ModelReference(
            message.federation, int(message.round), message.checksum, message.file),
        operation=message.operation,
        parents=tuple(message.parents),
        replaces=message.replaces,
        windows=int(message.windows),
        data_fingerprint=message.data_fingerprint,
        judged_in=message.judged_in,
        judged_windows=int(message.judged_windows),
        nmse=by_channel(message.nmse),
        std=by_channel(message.std),
        status=message.status,
        pinned=bool(message.pinned),
        created_ns=stamp_to_ns(message.created),
    ))
