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

"""Records of task twins in the cards of model files."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from utt_ros.errors import ModelError, TwinError
from utt_ros.models.operations import describe_lack
from utt_ros.models.saved_model import ModelCard, read_saved_model
from utt_ros.task_twins.registry_file import twin_from_content
from utt_ros.task_twins.types import (
    TASKS,
    ModelReference,
    TaskTwin,
    check_twin,
    native_id,
)

RECORD = 'task_twin'  # in the training part of a card


def twin_in_card(card: ModelCard) -> TaskTwin | None:
    """Return the record in a card; None: the model is not of a task twin. Raises TwinError."""
    content = card.training.get(RECORD)
    return None if content is None else twin_from_content(content)


def twin_in_model(path: Path) -> TaskTwin:
    """Return the record in a model file. Raises ModelError, which names the file."""
    _, card = read_saved_model(path)
    try:
        twin = twin_in_card(card)
    except TwinError as err:
        raise ModelError(f'{path}: {err}') from err
    if twin is None:
        raise ModelError(f'{path} holds no record of a task twin: it was not exported from one')
    return twin


def imported_twin(
    card: ModelCard, area: str, task: str = '', sources: Sequence[str] = (),
) -> TaskTwin:
    """Propose the record of a saved model as a task twin of an area.

    Task and sources are those of the record in its card; without one, a task must be given, and
    sources are the other modalities of the model. Raises TwinError.
    """
    record = twin_in_card(card)
    made = record if record is not None and not record.is_native else None
    task = task or (made.task if made else '')
    if task not in TASKS:
        reason = f'task {task[:64]!r} is unknown' if task else 'the model names no task'
        raise TwinError(f'{reason}: give one of {", ".join(TASKS)}')
    same = made is not None and made.task == task
    inherited = made.sources if made and same else [
        name for name in card.modalities if name != TASKS[task]]
    sources = tuple(sorted(sources or inherited))
    if lack := describe_lack({*sources, TASKS[task]}, card.modalities):
        raise TwinError(f'the model has {lack}')
    base = made if made and same and sources == made.sources else TaskTwin('', area, task, sources)
    origin = record.model if record else ModelReference()
    return check_twin(replace(
        base, id=native_id(area, task), area=area, operation='import', replaces='',
        parents=(record.id,) if record else (), status='serving', pinned=False, created_ns=0,
        data_fingerprint=card.data_fingerprint,
        model=replace(origin, checksum=card.checksum, file='')))
