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

"""Records of Flower: the payloads of the live federation, which are checked as they are there."""

from dataclasses import asdict
from typing import Any

from flwr.app import ConfigRecord, RecordDict

from utt_ros.errors import ModelError
from utt_ros.federation.types import GlobalModel, Update
from utt_ros.federation.wire import pack, parse
from utt_ros.training.trainer_state import LearnerState

MODEL, UPDATE, TRAINER, AREA = 'model', 'update', 'trainer', 'area'
STEPS, NAME, LOSS = 'steps', 'name', 'loss'


def model_records(model: GlobalModel, steps: int) -> RecordDict:
    """Return the records of a task: a model, and the number of local steps."""
    return RecordDict({MODEL: _record(model, steps=steps)})


def read_task(records: RecordDict) -> tuple[GlobalModel, int]:
    """Return model and number of steps; raises ModelError."""
    fields = _fields(records, MODEL)
    try:
        return GlobalModel(**{name: value for name, value in fields.items() if name != STEPS}
                           ), int(fields[STEPS])
    except (KeyError, TypeError, ValueError) as err:
        raise ModelError(f'record {MODEL!r}: {err}') from err


def update_records(update: Update | None, loss: float) -> RecordDict:
    """Return the records of a reply; without an update where nothing could be trained."""
    if update is None:
        return RecordDict({AREA: ConfigRecord({LOSS: loss})})
    return RecordDict({UPDATE: _record(update), AREA: ConfigRecord({LOSS: loss})})


def read_update(records: RecordDict) -> Update | None:
    """Return the update of a reply, None where there is none; raises ModelError."""
    if UPDATE not in records:
        return None
    fields = _fields(records, UPDATE)
    try:
        return Update(**fields | {'modalities': tuple(fields['modalities'])})
    except (KeyError, TypeError) as err:
        raise ModelError(f'record {UPDATE!r}: {err}') from err


def name_records(area: str) -> RecordDict:
    """Return the records of a node that tells its area."""
    return RecordDict({AREA: ConfigRecord({NAME: area})})


def read_name(records: RecordDict) -> object:
    """Return the area that a node gives, unchecked; raises ModelError without one."""
    return _fields(records, AREA).get(NAME)


def state_record(state: LearnerState) -> ConfigRecord:
    """Return the record in which a node keeps the state of its trainer."""
    return ConfigRecord({'moments': pack(state.moments).payload, 'counters': state.counters})


def read_state(records: RecordDict) -> LearnerState | None:
    """Return the state that a node has kept, None before its first round."""
    if TRAINER not in records:
        return None
    fields = _fields(records, TRAINER)
    return LearnerState(parse(fields['moments']), fields['counters'])


def _record(message: GlobalModel | Update, **more: int) -> ConfigRecord:
    fields = {name: list(value) if isinstance(value, tuple) else value
              for name, value in asdict(message).items() if name != 'seal'}
    return ConfigRecord(fields | more)


def _fields(records: RecordDict, name: str) -> dict[str, Any]:
    try:
        return dict(records.config_records[name])
    except KeyError:
        raise ModelError(f'there is no record {name!r}') from None
