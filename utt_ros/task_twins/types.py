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

"""Records of task twins and their validation."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isfinite

from utt_ros.errors import TwinError
from utt_ros.sensor_limits import ROS_STAMP_END_NS
from utt_ros.settings import AREA_NAME
from utt_ros.types import CHANNELS, MODALITIES

TASKS = {'trajectory': 'camera', 'position': 'ftm', 'tracking': 'imu'}  # task -> modality it makes
TASK_OF = {target: task for task, target in TASKS.items()}
OPERATIONS = ('native', 'transfer', 'merge', 'split', 'import')
STATUSES = ('serving', 'paused', 'retired')
VERBS = ('pause', 'resume', 'pin', 'unpin', 'rollback', 'remove')  # of the service manage_twin
MAX_TWIN_ID_LENGTH = 255
MAX_TWIN_TEXT_LENGTH = 256
MAX_TWIN_PARENTS = 64
_ID = re.compile(r'[A-Za-z]\w{0,254}', re.ASCII)
_FILE = re.compile(r'[A-Za-z][A-Za-z0-9_]*(\.[0-9]+)?\.safetensors')


@dataclass(frozen=True, slots=True)
class ModelReference:
    """Weights of a task twin by origin and checksum."""

    federation: str = ''
    round: int = 0  # 0: never trained
    checksum: str = ''  # SHA-256 of the weights; empty before the first model
    file: str = ''  # name below the folder of the twins; empty: the area's current model


@dataclass(frozen=True, slots=True)
class TaskTwin:
    """Model that makes one modality of one area from others; see msg/TaskTwin.msg."""

    id: str  # <area>_<task> of a native one, else <area>_<task>_<n>
    area: str  # that owns it
    task: str  # of TASKS
    sources: tuple[str, ...]  # modalities that it reads, sorted
    model: ModelReference = ModelReference()
    operation: str = 'native'  # of OPERATIONS
    parents: tuple[str, ...] = ()  # ids, sorted
    replaces: str = ''  # id of the twin that it put out of service
    windows: int = 0  # on which it was fine-tuned
    data_fingerprint: str = ''  # of those windows
    judged_in: str = ''  # area whose held-out windows gave nmse and std
    judged_windows: int = 0
    nmse: dict[str, float] = field(default_factory=dict)  # NMSE_var by channel
    std: dict[str, float] = field(default_factory=dict)  # residual by channel, in its unit
    status: str = 'serving'  # of STATUSES
    pinned: bool = False  # fixed to its file
    created_ns: int = 0

    @property
    def target(self) -> str:
        """Modality that it makes."""
        return TASKS[self.task]

    @property
    def is_native(self) -> bool:
        """True when it is a sensor of its area and publishes no virtual one."""
        return self.operation == 'native'

    @property
    def follows(self) -> bool:
        """True when it uses the current model of its area, whatever that becomes."""
        return not self.model.file

    @property
    def mean_nmse(self) -> float:
        """Mean NMSE_var over its channels; NaN before it was judged."""
        return sum(self.nmse.values()) / len(self.nmse) if self.nmse else float('nan')


def native_id(area: str, task: str) -> str:
    """Return the id of the native twin of a task in an area."""
    return re.sub('_+', '_', f'{area}_{task}')  # ROS names have no double underscore


def native_of(twin_id: str) -> str:
    """Return the id of the native twin of the area and task in an id; empty for another text."""
    found = re.fullmatch(rf'([A-Za-z]\w*_({"|".join(TASKS)}))(_[0-9]+)?', twin_id, re.ASCII)
    return found[1] if found else ''


def find_twin(twins: Mapping[str, TaskTwin], twin_id: str) -> TaskTwin:
    """Return a twin by id. Raises TwinError with ids that are close to an unknown one."""
    if twin_id in twins:
        return twins[twin_id]
    known = sorted(twins)
    close = get_close_matches(twin_id, known, 3, 0.5)
    hint = f'close to it: {_words(close)}' if close else f'there are {_words(known[:8]) or "none"}'
    raise TwinError(f'there is no task twin {twin_id[:64]!r}: {hint}')


def check_twin(twin: TaskTwin) -> TaskTwin:
    """Return the twin. Raises TwinError, with value and limit, when a field of it is invalid."""
    if not AREA_NAME.fullmatch(twin.area):
        raise TwinError(f'area {twin.area[:64]!r} of a task twin is not a name')
    if twin.task not in TASKS:
        raise TwinError(f'task {twin.task[:64]!r} is unknown: it must be one of {_words(TASKS)}')
    named = native_id(twin.area, twin.task)
    if len(twin.id) > MAX_TWIN_ID_LENGTH or not re.fullmatch(rf'{named}(_[0-9]+)?', twin.id):
        raise TwinError(f'id {twin.id[:64]!r} must be {named} or {named}_<n>')
    for name, value, allowed in (
        ('operation', twin.operation, OPERATIONS), ('status', twin.status, STATUSES),
    ):
        if value not in allowed:
            raise TwinError(f'{name} {value[:64]!r} of {twin.id} is unknown: it must be one of '
                            f'{_words(allowed)}')
    _check_texts(twin)
    _check_sources(twin)
    _check_numbers(twin)
    if len(twin.parents) > MAX_TWIN_PARENTS:
        raise TwinError(f'{twin.id} has {len(twin.parents)} parents: at most {MAX_TWIN_PARENTS}')
    if twin.model.file and not _FILE.fullmatch(twin.model.file):
        raise TwinError(f'file {twin.model.file[:64]!r} of {twin.id} is not the name of a '
                        'safetensors file')
    return twin


def _check_texts(twin: TaskTwin) -> None:
    for name in (*twin.parents, twin.replaces or twin.id):
        if not _ID.fullmatch(name):
            raise TwinError(f'{name[:64]!r}, which {twin.id} names, is not the id of a task twin')
    model = twin.model
    for text in (model.federation, model.checksum, twin.data_fingerprint, twin.judged_in):
        if len(text) > MAX_TWIN_TEXT_LENGTH or not text.isprintable():
            raise TwinError(f'text {text[:64]!r} of {twin.id} must have at most '
                            f'{MAX_TWIN_TEXT_LENGTH} printable characters')


def _check_sources(twin: TaskTwin) -> None:
    sources = twin.sources
    if not sources or list(sources) != sorted(set(sources)) or not set(sources) <= set(MODALITIES):
        raise TwinError(f'sources {list(sources)[:8]} of {twin.id} must be one or more of '
                        f'{_words(MODALITIES)}, sorted')
    if not twin.is_native and twin.target in sources:
        raise TwinError(f'{twin.id} reads {twin.target}, which it makes')


def _check_numbers(twin: TaskTwin) -> None:
    channels = CHANNELS[twin.target]
    for name, values in (('nmse', twin.nmse), ('std', twin.std)):
        if not set(values) <= set(channels):
            unknown = min(set(values) - set(channels))
            raise TwinError(f'channel {unknown[:64]!r} in {name} of {twin.id} is unknown: it must '
                            f'be one of {_words(channels)}')
        for channel, value in values.items():
            if not isfinite(value) or value < 0.0:
                raise TwinError(
                    f'{name} of {channel} of {twin.id} is {value}: it must be finite, at least 0')
    for name, count, limit in (
        ('windows', twin.windows, 2**64), ('judged_windows', twin.judged_windows, 2**64),
        ('round', twin.model.round, 2**32), ('created_ns', twin.created_ns, ROS_STAMP_END_NS),
    ):
        if not 0 <= count < limit:
            raise TwinError(f'{name} of {twin.id} is {count}: it must be 0 to {limit - 1}')


def _words(names: Iterable[str]) -> str:
    return ', '.join(names)
