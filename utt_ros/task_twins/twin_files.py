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

from pathlib import Path

from utt_ros.errors import ModelError, TwinError
from utt_ros.models.saved_model import ModelCard, read_saved_model
from utt_ros.task_twins.registry_file import twin_from_content
from utt_ros.task_twins.types import TaskTwin

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
