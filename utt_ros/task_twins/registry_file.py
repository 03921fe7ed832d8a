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

"""File of the task twins of an area: JSON, written atomically, parsed strictly."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from utt_ros.documents import MAX_DOCUMENT_BYTES, load_json
from utt_ros.errors import DocumentError, TwinError
from utt_ros.files import read_limited
from utt_ros.task_twins.types import (
    TASK_OF,
    ModelReference,
    TaskTwin,
    check_twin,
    native_id,
)

TWINS_FOLDER = 'twins'  # below the state folder of a trainer
REGISTRY_FILE = 'registry.json'
REGISTRY_FORMAT = 1
MAX_TWINS = 256  # of one area, retired ones included


@dataclass(frozen=True, slots=True)
class RegistryState:
    """Task twins of one area, the former versions of their models and the numbers given."""

    area: str
    twins: dict[str, TaskTwin] = field(default_factory=dict)  # by id
    earlier: dict[str, tuple[TaskTwin, ...]] = field(default_factory=dict)  # by id, oldest first
    numbers: dict[str, int] = field(default_factory=dict)  # by task, the last <n> of an id

    def files(self) -> set[str]:
        """Return the names of the model files of twins that are not retired."""
        live = [twin for twin in self.twins.values() if twin.status != 'retired']
        return {item.model.file for twin in live
                for item in (twin, *self.earlier.get(twin.id, ())) if item.model.file}


def with_twins(state: RegistryState, *twins: TaskTwin) -> RegistryState:
    """Return the state with some twins added or replaced."""
    return replace(state, twins={**state.twins, **{twin.id: twin for twin in twins}})


def with_native_twins(
    state: RegistryState, modalities: Sequence[str], clock_ns: Callable[[], int],
) -> RegistryState:
    """Return the state with the native twins of sensors; those of sensors that are gone retire."""
    natives = [twin for twin in state.twins.values() if twin.is_native]
    model = next((twin.model for twin in natives), ModelReference())
    known = {twin.id: twin for twin in natives}
    for modality, task in TASK_OF.items():
        name = native_id(state.area, task)
        if modality in modalities:
            known.setdefault(name, TaskTwin(
                name, state.area, task, (modality,), model, created_ns=clock_ns()))
        if name in known:
            status = 'serving' if modality in modalities else 'retired'
            known[name] = replace(known[name], status=status)
    return with_twins(state, *known.values())


def make_room(state: RegistryState) -> RegistryState:
    """Return the state with room for one more twin: the oldest retired one is forgotten.

    Raises TwinError when there are MAX_TWINS and none is retired.
    """
    if len(state.twins) < MAX_TWINS:
        return state
    retired = [twin for twin in state.twins.values()
               if twin.status == 'retired' and not twin.is_native]
    if not retired:
        raise TwinError(f'{state.area} has {len(state.twins)} task twins, which is the limit: '
                        'remove one first')
    oldest = min(retired, key=lambda twin: (twin.created_ns, twin.id)).id
    return replace(
        state, twins={name: twin for name, twin in state.twins.items() if name != oldest})


def dump_registry(state: RegistryState) -> bytes:
    """Return the content of the file."""
    content = {'format': REGISTRY_FORMAT, **asdict(state)}
    return json.dumps(content, indent=1, sort_keys=True, allow_nan=False).encode() + b'\n'


def parse_registry(data: bytes) -> RegistryState:
    """Invert dump_registry. Raises TwinError when the content is damaged or of another format."""
    try:
        content = load_json(data)
        if content.pop('format') != REGISTRY_FORMAT:
            raise TwinError(f'its format is not {REGISTRY_FORMAT}')
        return RegistryState(
            _typed(content['area'], str),
            {name: _twin(item) for name, item in content['twins'].items()},
            {name: tuple(map(_twin, items)) for name, items in content['earlier'].items()},
            {task: _typed(number, int) for task, number in content['numbers'].items()})
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as err:
        reason = str(err) if isinstance(err, TwinError) else repr(err)
        raise TwinError(f'it cannot be read as a registry of task twins: {reason}') from err


def read_registry(folder: Path) -> RegistryState:
    """Read the registry in a folder of twins. Raises TwinError, which names the file."""
    path = folder / REGISTRY_FILE
    try:
        return parse_registry(read_limited(path, MAX_DOCUMENT_BYTES))
    except FileNotFoundError as err:
        raise TwinError(f'{path}: there is no such registry of task twins') from err
    except (OSError, TwinError, DocumentError) as err:
        raise TwinError(f'{path}: {err}') from err


def stored_twins(folder: Path, area: str = '') -> dict[str, TaskTwin]:
    """Read the twins of one or all areas by id, from a folder of a trainer or one above it.

    Raises TwinError.
    """
    found = sorted(path.parent for pattern in ('', f'{TWINS_FOLDER}/', f'*/{TWINS_FOLDER}/')
                   for path in folder.expanduser().glob(pattern + REGISTRY_FILE))
    if not found:
        raise TwinError(f'{folder} holds no registry of task twins: it must be the state folder '
                        'of `utt run`, or of a trainer')
    states = {state.area: state for state in map(read_registry, found)}
    if area and area not in states:
        raise TwinError(f'{folder} holds no area {area!r}: there are {", ".join(sorted(states))}')
    wanted = [states[area]] if area else states.values()
    return {name: state.twins[name] for state in wanted for name in sorted(state.twins)}


def dump_twin(twin: TaskTwin) -> str:
    """Return the record of one twin as JSON, equal for equal twins."""
    return json.dumps(asdict(twin), sort_keys=True, allow_nan=False)


def parse_twin(text: str) -> TaskTwin:
    """Invert dump_twin. Raises TwinError."""
    try:
        return twin_from_content(load_json(text))
    except ValueError as err:
        raise TwinError(f'it is not the record of a task twin: {err}') from err


def twin_from_content(content: Any) -> TaskTwin:
    """Return a task twin from the content of its JSON. Raises TwinError."""
    try:
        return _twin(content)
    except (AttributeError, KeyError, TypeError, OverflowError) as err:
        raise TwinError(f'it is not the record of a task twin: {err!r}') from err


def _twin(content: dict[str, Any]) -> TaskTwin:
    model = ModelReference(**content['model'])
    twin = TaskTwin(**{
        **content, 'model': model, 'sources': tuple(content['sources']),
        'parents': tuple(content['parents'])})
    for record in (twin, model):
        for item in fields(record):
            if item.type in (str, int, bool):
                _typed(getattr(record, item.name), item.type)
    return check_twin(twin)


def _typed(value: Any, kind: Any) -> Any:
    if type(value) is not kind:
        raise TwinError(f'{value!r} is not a {kind.__name__}')
    return value
