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

"""ClientApp: an area trains the global model on its own recordings and returns an update."""

from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from zlib import crc32

from flwr.app import Context, Message
from flwr.clientapp import ClientApp

from utt_ros.errors import SettingsError
from utt_ros.federation.settings import AggregatorSettings
from utt_ros.federation.types import GlobalModel
from utt_ros.flower.flower_records import (
    TRAINER,
    name_records,
    read_state,
    read_task,
    state_record,
    update_records,
)
from utt_ros.models.settings import load_config
from utt_ros.training.model_selection import model_examples
from utt_ros.training.offline_dataset import TRAIN_STRIDE
from utt_ros.training.offline_trainer import offline_trainer
from utt_ros.training.recordings import Recordings, load_recordings
from utt_ros.training.simulated_rounds import Learner, train_locally
from utt_ros.training.trainer import LocalTrainer, use_one_thread
from utt_ros.training.trainer_state import LearnerState
from utt_ros.training.training_recipe import Recipe

MAX_MODEL_BYTES = AggregatorSettings().max_update_bytes
PARTITION = 'partition-id'  # that the simulation engine gives a node


class ResumableLearner(Learner, Protocol):
    """Learner whose state a node keeps between rounds, since each may be another process."""

    def state(self) -> LearnerState:
        """Return what an equal learner needs to go on."""

    def restore(self, state: LearnerState) -> None:
        """Go on from a state."""


class LearnerSource(Protocol):
    """Learners of nodes."""

    def area(self, context: Context) -> str:
        """Return the name of a node's area. Raises UttError."""

    def learner(self, context: Context, model: GlobalModel) -> ResumableLearner:
        """Return the learner of a node as it is before its first round. Raises UttError."""


def make_client_app(source: LearnerSource) -> ClientApp:
    """Return an app whose nodes name their areas when queried, and train."""
    app = ClientApp()

    @app.query()
    def name_area(message: Message, context: Context) -> Message:
        return Message(name_records(source.area(context)), reply_to=message)

    @app.train()
    def train(message: Message, context: Context) -> Message:
        use_one_thread()
        model, steps = read_task(message.content)
        learner = source.learner(context, model)
        state = read_state(context.state)
        if state is not None:
            learner.restore(state)
        loss, update = train_locally(
            source.area(context), learner, model, steps, MAX_MODEL_BYTES)
        context.state[TRAINER] = state_record(learner.state())
        return Message(update_records(update, loss), reply_to=message)

    return app


class RecordedAreas:
    """Learners of recordings, as `utt train` makes them.

    Of a node's configuration: `data`, the folder of recordings; `area`, one of them; `cache`, a
    folder for what was read. In a simulation the run's configuration has `data` and `cache`, and
    nodes have the areas in their order.
    """

    def __init__(self, data: Path | None = None, cache: Path | None = None) -> None:
        """`data`, `cache`: instead of those of the configuration."""
        self._given = {'data': data, 'cache': cache}

    def _recordings(self, context: Context) -> Recordings:
        data, cache = (Path(str(folder or _configured(context, name))).expanduser()
                       for name, folder in self._given.items())
        return _load(data, cache)

    def area(self, context: Context) -> str:
        areas = list(self._recordings(context).areas)
        if PARTITION not in context.node_config:
            area = str(_configured(context, 'area'))
            if area not in areas:
                raise SettingsError(f'area is {area!r}: {", ".join(areas)} have recordings')
            return area
        number = int(context.node_config[PARTITION])
        if number >= len(areas):
            raise SettingsError(f'there are {len(areas)} areas: none for node {number}')
        return areas[number]

    def learner(self, context: Context, model: GlobalModel) -> LocalTrainer:
        settings, window = load_config(model.config)
        data, area = self._recordings(context), self.area(context)
        if window != data.window:
            raise SettingsError(f'the model is for {window}: the recordings have {data.window}')
        columns = model_examples(data, settings, 'train', area, TRAIN_STRIDE)
        number = context.node_config.get(PARTITION, crc32(area.encode()) % 1000)
        seed = 1000 * int(context.run_config.get('seed', 0)) + int(number)
        return offline_trainer(Recipe(model=settings), data, columns, seed)


@lru_cache(maxsize=1)
def _load(folder: Path, cache: Path) -> Recordings:
    cache.mkdir(parents=True, exist_ok=True)
    return load_recordings(folder, cache)


def _configured(context: Context, name: str) -> Any:
    value = context.node_config.get(name, context.run_config.get(name))
    if value in (None, ''):
        raise SettingsError(f'{name} is missing: give it in the configuration of the node')
    return value


client_app = make_client_app(RecordedAreas())
