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

"""Task twins <-> messages, and their models on the way to another area <-> requests."""

from array import array
from collections.abc import Sequence
from math import nan

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from utt_ros.bridge.messages.federation import byte_array, seal_fields, seal_from_message
from utt_ros.federation.types import TwinHandover
from utt_ros.msg import TaskTwin, TaskTwins
from utt_ros.srv import AdoptTwin
from utt_ros.task_twins import types
from utt_ros.task_twins.registry_file import dump_twin, parse_twin
from utt_ros.task_twins.twin_fields import twin_from_fields
from utt_ros.types import CHANNELS, NS_PER_S


def twin_to_message(twin: types.TaskTwin) -> TaskTwin:
    """Convert a task twin; channels in the order of its modality."""
    channels = [name for name in CHANNELS[twin.target] if name in twin.nmse or name in twin.std]
    sec, nanosec = divmod(twin.created_ns, NS_PER_S)
    return TaskTwin(
        id=twin.id,
        area=twin.area,
        task=twin.task,
        sources=list(twin.sources),
        federation=twin.model.federation,
        round=twin.model.round,
        checksum=twin.model.checksum,
        file=twin.model.file,
        operation=twin.operation,
        parents=list(twin.parents),
        replaces=twin.replaces,
        windows=twin.windows,
        data_fingerprint=twin.data_fingerprint,
        judged_in=twin.judged_in,
        judged_windows=twin.judged_windows,
        channels=channels,
        nmse=array('d', (twin.nmse.get(name, nan) for name in channels)),
        std=array('d', (twin.std.get(name, nan) for name in channels)),
        status=twin.status,
        pinned=twin.pinned,
        created=Time(sec=sec, nanosec=nanosec),
    )


def twin_from_message(message: TaskTwin) -> types.TaskTwin:
    """Invert twin_to_message. Raises TwinError when a field is invalid."""
    return twin_from_fields(message)


def twins_to_message(area: str, twins: Sequence[types.TaskTwin], stamp: Time) -> TaskTwins:
    """Convert the task twins of an area, sorted by id; `stamp`: the newest change."""
    ordered = sorted(twins, key=lambda twin: twin.id)
    return TaskTwins(
        header=Header(stamp=stamp), area=area, twins=[twin_to_message(twin) for twin in ordered])


def twins_from_message(message: TaskTwins) -> tuple[types.TaskTwin, ...]:
    """Invert twins_to_message. Raises TwinError when a field is invalid."""
    return tuple(twin_from_message(twin) for twin in message.twins)


def handover_to_request(handover: TwinHandover) -> AdoptTwin.Request:
    """Convert a model that is handed over. Raises TwinError for a record that is none."""
    return AdoptTwin.Request(
        from_area=handover.area, twin=twin_to_message(parse_twin(handover.record)),
        max_nmse=handover.max_nmse, config=handover.config, checksum=handover.checksum,
        payload=byte_array(handover.payload), **seal_fields(handover.seal))


def handover_from_request(request: AdoptTwin.Request) -> TwinHandover:
    """Invert handover_to_request. Raises TwinError for a record with an invalid field.

    Unpacking the payload verifies its checksum.
    """
    return TwinHandover(
        request.from_area, dump_twin(twin_from_message(request.twin)), request.config,
        request.max_nmse, request.checksum, bytes(request.payload), seal_from_message(request))
