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

"""Models of an area's task twins: files of their own, or the current model of the area."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import time_ns

from utt_ros.errors import TwinError
from utt_ros.federation.checkpoints import Checkpoint
from utt_ros.federation.wire import Tensors, pack
from utt_ros.models.modalities import select_modalities
from utt_ros.models.model_card import scaling
from utt_ros.models.saved_model import (
    ModelCard,
    code_version,
    read_saved_model,
    write_saved_model,
)
from utt_ros.models.settings import load_config
from utt_ros.settings import AreaSettings
from utt_ros.task_twins.registry_file import TWINS_FOLDER
from utt_ros.task_twins.registry_folder import WriteModel
from utt_ros.task_twins.twin_files import RECORD
from utt_ros.task_twins.twin_registry import TwinRegistry
from utt_ros.task_twins.types import VERBS, ModelReference, TaskTwin
from utt_ros.training.client import FederatedClient


@dataclass(frozen=True, slots=True)
class TwinModel:
    """A task twin with its weights."""

    twin: TaskTwin
    config: str  # ModelSettings and WindowSettings, JSON
    weights: Tensors


class TwinModels:
    """Registry of an area's task twins beside the client that has the area's model.

    For any thread. Requests that are refused raise TwinError or ModelError.
    """

    def __init__(self, registry: TwinRegistry, client: FederatedClient) -> None:
        self.registry, self._client = registry, client
        self._verbs = {
            'pause': registry.pause, 'resume': registry.resume, 'pin': self._pin,
            'unpin': lambda name: registry.unpin(name, reference_to(self._current())),
            'rollback': self._rollback, 'remove': registry.remove}

    @property
    def has_model(self) -> bool:
        """True when the area has a model, which twins can follow."""
        return self._client.current is not None

    def follow(self) -> None:
        """Note the area's current model in the twins that follow it."""
        self.registry.follow(reference_to(self._current()))

    def manage(self, verb: str, twin_id: str) -> tuple[TaskTwin, str]:
        """Carry out one of VERBS; return the twin as it is then, and a sentence."""
        if verb not in self._verbs:
            raise TwinError(f'verb {verb[:64]!r} is unknown: it must be one of {", ".join(VERBS)}')
        return self._verbs[verb](twin_id)

    def read(self, twin_id: str) -> TwinModel:
        """Read the model of a twin that is not retired."""
        twin = self.registry.live(twin_id)
        if twin.follows:
            current = self._current()
            twin = replace(twin, model=reference_to(current))
            return TwinModel(twin, current.config, current.tensors)
        weights, card = read_saved_model(self.registry.path(twin))
        return TwinModel(twin, card.config, weights)

    def _pin(self, twin_id: str) -> tuple[TaskTwin, str]:
        current, twin = self._current(), self.registry.live(twin_id)
        model = TwinModel(
            replace(twin, model=reference_to(current)), current.config, current.tensors)
        return self.registry.pin(twin_id, model.twin.model, model_writer(model))

    def _rollback(self, twin_id: str) -> tuple[TaskTwin, str]:
        outcome = self.registry.rollback(twin_id)
        if self._client.current is not None:
            self.follow()
        return self.registry.get(outcome[0].id), outcome[1]

    def _current(self) -> Checkpoint:
        current = self._client.current
        if current is None:
            wait = ': no aggregator has sent one' * self._client.settings.federated
            raise TwinError(f'the area has no model yet{wait}')
        return current


def open_twin_models(
    area: AreaSettings, state_dir: str, client: FederatedClient,
) -> TwinModels:
    """Open the task twins below a trainer's state folder. Raises TwinError."""
    folder = Path(state_dir).expanduser() / TWINS_FOLDER
    return TwinModels(TwinRegistry(folder, area.area, area.modalities, time_ns), client)


def reference_to(checkpoint: Checkpoint) -> ModelReference:
    """Return the reference to a model that has no file of a twin."""
    return ModelReference(
        checkpoint.federation, checkpoint.round, pack(checkpoint.tensors).checksum)


def model_writer(model: TwinModel) -> WriteModel:
    """Return the function that writes a twin's model, with its record in the card, to a path."""
    card = twin_card(model)
    return lambda path: write_saved_model(path, model.weights, card)


def twin_card(model: TwinModel) -> ModelCard:
    """Return the card of a twin's model; its record is that of `twin_files`.

    Raises ModelError for a configuration that cannot be read.
    """
    settings, _ = load_config(model.config)
    return ModelCard(
        modalities=list(settings.modalities),
        scaling=scaling(select_modalities(settings.modalities)),
        config=model.config,
        data_fingerprint=model.twin.data_fingerprint,
        training={RECORD: asdict(model.twin), 'windows': model.twin.windows},
        metrics={f'nmse_var {name}': value for name, value in model.twin.nmse.items()},
        code_version=code_version(),
        checksum=pack(model.weights).checksum)
